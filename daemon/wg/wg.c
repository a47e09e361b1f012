/* SPDX-License-Identifier: MIT */
#include "daemon/wg/wg.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"
#include "daemon/wg/backend.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct wg {
	struct wg_impl *impl;
	bool was_adopted;
	char ifname[IFNAMSIZ];
};

/* What wg_open() works with. */
struct opening {
	struct wg *wg;
	struct rtnl *rtnl;
	struct rtnl_link link;
	enum wg_backend backend;
	const char *program;
};

static int attach_kernel(struct opening *o, struct err *e)
{
	int r = wg_kernel_open(&o->wg->impl, o->wg->ifname, e);

	/* The link was there a moment ago, so only permission to talk about it can be missing. */
	return r == -ENOENT ? err_set(e, -EIO,
				      "%s is a WireGuard interface, but the kernel's "
				      "WireGuard does not answer",
				      o->wg->ifname)
			    : r;
}

/*
 * Under a name that nobody knows until it is tagged: whoever is killed in between leaves no untagged
 * interface behind under the real name, which the next start would have to refuse.
 */
static int create_tagged(struct opening *o, struct err *e)
{
	char temporary[IFNAMSIZ];
	uint32_t random = 0;
	struct rtnl_link link;
	int r;

	crypto_random(&random, sizeof(random));
	(void)snprintf(temporary, sizeof(temporary), "wgm%08x", random);
	r = rtnl_link_create(o->rtnl, temporary, "wireguard", e);
	if (r < 0)
		return r;
	r = rtnl_link_get(o->rtnl, temporary, &link, e);
	if (r == 0)
		r = rtnl_link_set_alias(o->rtnl, link.index, WG_TAG, e);
	if (r == 0)
		r = rtnl_link_rename(o->rtnl, link.index, o->wg->ifname, e);
	if (r < 0)
		(void)rtnl_link_delete(o->rtnl, temporary, NULL);
	return r;
}

/* Return: 0; -EOPNOTSUPP when the kernel has no WireGuard; or another negative errno value */
static int create_kernel(struct opening *o, struct err *e)
{
	int r = create_tagged(o, e);

	if (r < 0)
		return r;
	r = attach_kernel(o, e);
	if (r < 0)
		(void)rtnl_link_delete(o->rtnl, o->wg->ifname, NULL);
	return r;
}

static int create(struct opening *o, struct err *e)
{
	struct err why = { 0 };
	int r;

	if (o->backend != WG_BACKEND_USERSPACE) {
		r = create_kernel(o, e);
		if (r != -EOPNOTSUPP)
			return r;
	}
	if (o->backend == WG_BACKEND_KERNEL)
		return err_exit(e, EXITS_NO_WIREGUARD, -EOPNOTSUPP,
				"this kernel has no WireGuard; load its module on the host "
				"(modprobe wireguard) or allow the userspace one");
	r = wg_user_start(&o->wg->impl, o->rtnl, o->wg->ifname, o->program, &why);
	if (r == 0)
		return 0;
	if (o->backend == WG_BACKEND_AUTO)
		return err_exit(
			e, why.exit_code, r,
			"this kernel has no WireGuard (on the host: modprobe wireguard); %s",
			why.msg);
	return err_exit(e, why.exit_code, r, "%s", why.msg);
}

enum wg_plan wg_plan(const struct wg_found *found, enum wg_backend backend)
{
	if (!found->exists)
		return WG_PLAN_CREATE;
	if (!found->is_ours)
		return WG_PLAN_REFUSE;
	if (strcmp(found->kind, "wireguard") == 0)
		return backend == WG_BACKEND_USERSPACE ? WG_PLAN_REPLACE : WG_PLAN_ADOPT_KERNEL;
	if (strcmp(found->kind, "tun") != 0)
		return WG_PLAN_REFUSE;
	return backend == WG_BACKEND_KERNEL || !found->answers ? WG_PLAN_REPLACE
							       : WG_PLAN_ADOPT_USERSPACE;
}

static int note_peer(const struct wg_peer_state *peer, void *arg)
{
	(void)peer;
	*(bool *)arg = true;
	return 0;
}

/*
 * A program that answers here, without key and peers, is one that a start of ours ran and did not
 * live to tag. Nothing can be lost in it.
 */
static bool is_unused(struct wg_impl *impl)
{
	static const struct wg_key none;
	struct wg_device_state dev = { 0 };
	bool has_peers = false;

	return impl->ops->dump(impl, &dev, note_peer, &has_peers, NULL) == 0 && !has_peers &&
	       crypto_equal(&dev.public_key, &none, sizeof(none));
}

/* Looks at what there is; a live userspace implementation is attached to on the way. */
static int look(struct opening *o, struct wg_found *found, struct err *e)
{
	int r = rtnl_link_get(o->rtnl, o->wg->ifname, &o->link, e);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	found->exists = true;
	found->kind = o->link.kind;
	if (strcmp(o->link.kind, "tun") == 0)
		found->answers = wg_user_attach(&o->wg->impl, o->wg->ifname, NULL) == 0;
	found->is_ours = strcmp(o->link.alias, WG_TAG) == 0 ||
			 (o->link.alias[0] == '\0' && found->answers && is_unused(o->wg->impl));
	return 0;
}

static void detach(struct wg *wg)
{
	if (wg->impl)
		wg->impl->ops->close(wg->impl);
	wg->impl = NULL;
}

static int carry_out(struct opening *o, enum wg_plan plan, struct err *e)
{
	const char *ifname = o->wg->ifname;
	int r;

	switch (plan) {
	case WG_PLAN_REFUSE:
		return err_exit(
			e, EXITS_POLICY, -EEXIST,
			"interface %s exists and was not made by wgmesh; remove it or choose "
			"another with --interface",
			ifname);
	case WG_PLAN_ADOPT_USERSPACE:
		o->wg->was_adopted = true;
		return rtnl_link_set_alias(o->rtnl, o->link.index, WG_TAG, e);
	case WG_PLAN_ADOPT_KERNEL:
		o->wg->was_adopted = true;
		return attach_kernel(o, e);
	case WG_PLAN_REPLACE:
		detach(o->wg);
		r = rtnl_link_delete(o->rtnl, ifname, e);
		return r < 0 ? r : create(o, e);
	case WG_PLAN_CREATE:
		return create(o, e);
	}
	return -EINVAL;
}

static int open_link(struct opening *o, struct err *e)
{
	struct wg_found found = { 0 };
	int r = rtnl_open(&o->rtnl, e);

	if (r < 0)
		return r;
	r = look(o, &found, e);
	if (r == 0)
		r = carry_out(o, wg_plan(&found, o->backend), e);
	rtnl_close(o->rtnl);
	return r;
}

int wg_open(struct wg **out, const char *ifname, enum wg_backend backend, const char *program,
	    struct err *e)
{
	struct opening o = { .backend = backend, .program = program };
	int r;

	*out = NULL;
	if (!str_is_interface_name(ifname))
		return err_set(e, -EINVAL, "\"%s\" cannot be the name of an interface", ifname);
	o.wg = calloc(1, sizeof(*o.wg));
	if (!o.wg)
		return err_set(e, -ENOMEM, "open %s", ifname);
	(void)str_copy(o.wg->ifname, sizeof(o.wg->ifname), ifname);
	r = open_link(&o, e);
	if (r < 0) {
		wg_close(o.wg);
		return r;
	}
	*out = o.wg;
	return 0;
}

static int delete_ours(struct opening *o, struct err *e)
{
	struct wg_found found = { 0 };
	int r = look(o, &found, e);

	if (r < 0 || !found.exists)
		return r;
	if (!found.is_ours)
		return err_exit(e, EXITS_POLICY, -EPERM,
				"%s was not made by wgmesh and is left alone", o->wg->ifname);
	return rtnl_link_delete(o->rtnl, o->wg->ifname, e);
}

int wg_delete(const char *ifname, struct err *e)
{
	struct wg wg = { 0 };
	struct opening o = { .wg = &wg };
	int r = str_copy(wg.ifname, sizeof(wg.ifname), ifname);

	if (r == 0)
		r = rtnl_open(&o.rtnl, e);
	if (r < 0)
		return r;
	r = delete_ours(&o, e);
	detach(&wg);
	rtnl_close(o.rtnl);
	return r;
}

void wg_close(struct wg *wg)
{
	if (!wg)
		return;
	detach(wg);
	free(wg);
}

enum wg_backend wg_backend(const struct wg *wg)
{
	return wg->impl->ops->backend;
}

bool wg_was_adopted(const struct wg *wg)
{
	return wg->was_adopted;
}

/* Could a UDP socket of this family be bound to the port? Only "taken" counts as no. */
static bool port_is_taken(int family, uint16_t port)
{
	struct endpoint any = { .ip.family = (uint8_t)family, .port = port };
	auto_close int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ss, &any, false);
	int on = 1;

	if (fd < 0)
		return false;
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, (const struct sockaddr *)&ss, len) < 0 && errno == EADDRINUSE;
}

/*
 * The kernel looks at the port only when the interface goes up, and a userspace implementation that
 * fails to move gives up the port it had: so it is tried first.
 */
static int check_port(struct wg *wg, uint16_t port, struct err *e)
{
	struct wg_device_state dev;
	int r = wg_dump(wg, &dev, NULL, NULL, e);

	if (r < 0 || dev.listen_port == port)
		return r;
	if (port_is_taken(AF_INET, port) || port_is_taken(AF_INET6, port))
		return err_set(e, -EADDRINUSE, "UDP port %u for %s is in use", port, wg->ifname);
	return 0;
}

int wg_set_device(struct wg *wg, const uint8_t *private_key, uint16_t listen_port, struct err *e)
{
	int r = listen_port > 0 ? check_port(wg, listen_port, e) : 0;

	return r < 0 ? r : wg->impl->ops->set_device(wg->impl, private_key, listen_port, e);
}

static bool peer_is_valid(const struct wg_peer_config *p)
{
	if (p->flags & WG_PEER_REMOVE)
		return true;
	if ((p->flags & WG_PEER_HAS_ENDPOINT) && (p->endpoint.ip.family == 0 || !p->endpoint.port))
		return false;
	if (((p->flags & WG_PEER_HAS_PSK) && !p->psk) || p->n_allowed > WG_ALLOWED_MAX)
		return false;
	for (size_t i = 0; i < p->n_allowed; i++) {
		const struct prefix *a = &p->allowed[i];

		if (a->ip.family == 0 || a->bits > prefix_host(&a->ip).bits)
			return false;
	}
	return true;
}

/* Hands out changes as long as they are well-formed. */
struct checked {
	const struct wg_changes *from;
	const struct wg_peer_config *bad;
};

static const struct wg_peer_config *next_checked(void *arg)
{
	struct checked *c = arg;
	const struct wg_peer_config *p = c->from->next(c->from->arg);

	if (!p || peer_is_valid(p))
		return p;
	c->bad = p;
	return NULL;
}

int wg_apply(struct wg *wg, const struct wg_changes *changes, struct err *e)
{
	struct checked checked = { .from = changes };
	const struct wg_changes sound = { .arg = &checked, .next = next_checked };
	char key[45];
	int r = wg->impl->ops->set_peers(wg->impl, &sound, e);

	if (r == 0 && checked.bad)
		return err_set(e, -EINVAL, "configuration of peer %s is malformed",
			       wg_key_format(key, &checked.bad->key));
	return r;
}

int wg_set_peers(struct wg *wg, const struct wg_peer_config *peers, size_t n, struct err *e)
{
	struct wg_change_array array = { .at = peers, .end = peers + n };
	const struct wg_changes changes = wg_changes_of(&array);
	char key[45];

	for (size_t i = 0; i < n; i++) {
		if (!peer_is_valid(&peers[i]))
			return err_set(e, -EINVAL, "configuration of peer %s is malformed",
				       wg_key_format(key, &peers[i].key));
	}
	return wg_apply(wg, &changes, e);
}

int wg_dump(struct wg *wg, struct wg_device_state *dev, wg_peer_fn *fn, void *arg, struct err *e)
{
	struct wg_device_state unused;

	return wg->impl->ops->dump(wg->impl, dev ? dev : &unused, fn, arg, e);
}

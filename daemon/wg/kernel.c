/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/net/growbuf.h"
#include "daemon/net/nlsock.h"
#include "daemon/wg/backend.h"
#include "daemon/wg/genl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

struct wg_kernel {
	struct wg_impl impl; /* first: it is what wg.c holds */
	struct nlsock *sock;
	uint16_t family;
	char ifname[IFNAMSIZ];
};

static struct wg_kernel *kernel_of(struct wg_impl *impl)
{
	return (struct wg_kernel *)impl;
}

static struct genl_target target_of(const struct wg_kernel *k)
{
	return (struct genl_target) { .family = k->family, .ifname = k->ifname };
}

static int kernel_set_device(struct wg_impl *impl, const uint8_t *private_key, uint16_t listen_port,
			     struct err *e)
{
	struct wg_kernel *k = kernel_of(impl);
	struct genl_target to = target_of(k);
	struct nlmsg_verdict v;
	union genl_req req;

	genl_set_device(&req, &to, private_key, listen_port);
	(void)nlsock_talk(k->sock, &req.nlh, NULL, NULL, &v);
	explicit_bzero(&req, sizeof(req));
	if (v.code < 0)
		return nlmsg_fail(e, &v, "configure the WireGuard interface %s", k->ifname);
	return 0;
}

/* Sends what has been packed, if anything has been. */
static int send_peers(struct wg_kernel *k, struct genl_peers *m, struct nlmsg_verdict *v)
{
	return genl_peers_end(m) == 0 ? 0 : nlsock_talk(k->sock, m->nlh, NULL, NULL, v);
}

static int kernel_set_peers(struct wg_impl *impl, const struct wg_changes *changes, struct err *e)
{
	struct wg_kernel *k = kernel_of(impl);
	struct genl_target to = target_of(k);
	struct nlmsg_verdict v = { 0 };
	struct genl_peers m = { 0 };
	const struct wg_peer_config *p;
	auto_free void *buf = malloc(GENL_PEERS_SIZE);

	if (!buf)
		return err_set(e, -ENOMEM, "configure peers of %s", k->ifname);
	genl_peers_begin(&m, buf, GENL_PEERS_SIZE, &to);
	while (v.code == 0 && (p = changes->next(changes->arg)) != NULL) {
		while (v.code == 0 && !genl_peers_add(&m, p)) {
			(void)send_peers(k, &m, &v);
			genl_peers_begin(&m, buf, GENL_PEERS_SIZE, &to);
		}
	}
	if (v.code == 0)
		(void)send_peers(k, &m, &v);
	explicit_bzero(buf, GENL_PEERS_SIZE);
	return v.code < 0 ? nlmsg_fail(e, &v, "configure peers of %s", k->ifname) : 0;
}

/* Messages are kept as they are until the dump is known to be consistent. */
static int keep_message(const struct nlmsghdr *nlh, void *arg)
{
	struct growbuf *kept = arg;
	void *to;

	if (!nlh) {
		growbuf_reset(kept);
		return 0;
	}
	to = growbuf_reserve(kept, nlmsg_align(nlh->nlmsg_len));
	if (!to)
		return kept->error;
	memset(to, 0, nlmsg_align(nlh->nlmsg_len));
	memcpy(to, nlh, nlh->nlmsg_len);
	kept->len += nlmsg_align(nlh->nlmsg_len);
	return 0;
}

static int read_messages(struct genl_dump *d, const struct growbuf *kept)
{
	const struct nlmsghdr *nlh = (const void *)kept->data;
	int left = (int)kept->len;

	for (; nlmsg_is_whole(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		int r = genl_dump_message(d, nlh);

		if (r != 0)
			return r;
	}
	return genl_dump_end(d);
}

static int kernel_dump(struct wg_impl *impl, struct wg_device_state *dev, wg_peer_fn *fn, void *arg,
		       struct err *e)
{
	struct wg_kernel *k = kernel_of(impl);
	struct genl_target to = target_of(k);
	struct genl_dump d = { .family = k->family, .fn = fn, .arg = arg };
	auto_growbuf struct growbuf kept = { 0 };
	struct nlmsg_verdict v;
	union genl_req req;
	int r;

	genl_get_device(&req, &to);
	if (nlsock_talk(k->sock, &req.nlh, keep_message, &kept, &v) < 0)
		return nlmsg_fail(e, &v, "read the WireGuard interface %s", k->ifname);
	r = read_messages(&d, &kept);
	if (r == -EBADMSG)
		return err_set(e, r, "the kernel's answer about %s is malformed", k->ifname);
	*dev = d.dev;
	return r;
}

static void kernel_close(struct wg_impl *impl)
{
	nlsock_close(kernel_of(impl)->sock);
	free(impl);
}

static const struct wg_ops kernel_ops = {
	.backend = WG_BACKEND_KERNEL,
	.set_device = kernel_set_device,
	.set_peers = kernel_set_peers,
	.dump = kernel_dump,
	.close = kernel_close,
};

static int take_family(const struct nlmsghdr *nlh, void *arg)
{
	return nlh ? genl_parse_family(arg, nlh) : 0;
}

static int find_family(struct wg_kernel *k, struct err *e)
{
	struct nlmsg_verdict v;
	union genl_req req;

	genl_get_family(&req);
	if (nlsock_talk(k->sock, &req.nlh, take_family, &k->family, &v) < 0)
		return nlmsg_fail(e, &v, "look for WireGuard in the kernel");
	return k->family > 0 ? 0 : err_set(e, -EBADMSG, "look for WireGuard in the kernel");
}

int wg_kernel_open(struct wg_impl **out, const char *ifname, struct err *e)
{
	struct wg_kernel *k = calloc(1, sizeof(*k));
	int r;

	*out = NULL;
	if (!k)
		return err_set(e, -ENOMEM, "open %s", ifname);
	k->impl.ops = &kernel_ops;
	memcpy(k->ifname, ifname, strnlen(ifname, sizeof(k->ifname) - 1));
	r = nlsock_open(&k->sock, NETLINK_GENERIC, e);
	if (r == 0)
		r = find_family(k, e);
	if (r < 0) {
		kernel_close(&k->impl);
		return r;
	}
	*out = &k->impl;
	return 0;
}

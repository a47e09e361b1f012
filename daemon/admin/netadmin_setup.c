/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin_setup.h"
#include "common/caps.h"
#include "common/exits.h"
#include "common/log.h"
#include "daemon/net/mtu.h"
#include "daemon/state/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_PATIENCE_MS 6000 /* netadmin may wait 5 s for a userspace WireGuard */

static int open_state_dir(struct netadmin_node *n, struct err *e)
{
	const char *dir = n->cfg->state_dir;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_exit(e, EXITS_CANNOT_CREATE, -errno, "state directory %s cannot be made",
				dir);
	n->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->dirfd < 0)
		return err_exit(e, errno == EACCES ? EXITS_NO_PERMISSION : EXITS_CANNOT_CREATE,
				-errno,
				"state directory %s cannot be opened by uid %u; it must be a "
				"directory that this user owns",
				dir, geteuid());
	return 0;
}

/*
 * Two daemons on one directory would be one node twice. A predecessor that ends right now may take a
 * moment; where there are no locks, or none may be made, the node still has to run.
 */
static int lock_state_dir(struct netadmin_node *n, struct err *e)
{
	char holder[HOLDER_TEXT_SIZE];
	struct err why = { 0 };
	int r = statedir_lock(&n->lock_fd, n->dirfd, STATEDIR_DAEMON_LOCK, LOCK_PATIENCE_MS, &why);

	if (r == -EAGAIN) {
		(void)statedir_holder(holder, n->dirfd, STATEDIR_DAEMON_LOCK);
		return err_exit(e, EXITS_LOCKED, r,
				"the state directory %.120s is in use by a node that runs already, "
				"on %s: two cannot share one identity; stop it, or give this one "
				"a directory of its own",
				n->cfg->state_dir, holder);
	}
	if (r < 0)
		log_event(EVENT_STATE_DIR_UNLOCKED, NULL,
			  "%s: %s; make sure that no other node uses the state directory %s",
			  why.msg, strerror(-r), n->cfg->state_dir);
	return 0;
}

/* Keeps a stored address that fits the mesh, and derives what is missing or does not. */
static bool settle_addresses(struct netadmin_node *n)
{
	const struct netadmin_config *cfg = n->cfg;
	const struct prefix *custom = cfg->has_custom_subnet ? &cfg->custom_subnet : NULL;
	const struct prefix *subnet = custom ? custom : &cfg->keys->subnet;
	char key[45];
	bool changed = false;

	(void)wg_key_format(key, &n->id.public_key);
	if (!prefix_contains(subnet, &n->id.mesh_ip)) {
		n->id.mesh_ip = derive_mesh_ip(cfg->secret, cfg->keys, custom, key, 0);
		changed = true;
	}
	if (!prefix_contains(&cfg->keys->prefix6, &n->id.mesh_ip6)) {
		n->id.mesh_ip6 = derive_mesh_ip6(cfg->secret, cfg->keys, key);
		changed = true;
	}
	return changed;
}

static int create_identity(struct netadmin_node *n, const struct identity_place *at, struct err *e)
{
	int r;

	identity_generate(&n->id);
	(void)settle_addresses(n);
	r = identity_create(&n->id, at, e);
	if (r < 0 && e->exit_code == 0)
		e->exit_code = r == -EACCES ? EXITS_NO_PERMISSION : EXITS_CANNOT_CREATE;
	return r;
}

static int save_addresses(struct netadmin_node *n, const struct identity_place *at)
{
	struct err e = { 0 };
	int r = settle_addresses(n) ? identity_save(&n->id, at, &e) : 0;

	/* The key itself is safe on disk, and addresses can be derived again. */
	if (r < 0)
		log_event(EVENT_ADDRESSES_UNSAVED, NULL,
			  "the mesh address could not be saved: %s: %s", e.msg, strerror(-r));
	return 0;
}

static int setup_identity(struct netadmin_node *n, enum identity_origin *origin, struct err *e)
{
	struct identity_place at = { .dir = n->cfg->state_dir, .ifname = n->cfg->ifname };
	int r = open_state_dir(n, e);

	if (r < 0)
		return r;
	r = lock_state_dir(n, e);
	if (r < 0)
		return r;
	at.dirfd = n->dirfd;
	r = identity_load(&n->id, origin, &at, true, e);
	if (r == 0)
		return save_addresses(n, &at);
	if (r != -ENOENT && (!n->cfg->new_identity || r == -EPROTONOSUPPORT))
		return r;
	if (r != -ENOENT)
		log_event(EVENT_IDENTITY_REPLACED, NULL,
			  "%s; making a new key, since --new-identity was given", e->msg);
	*origin = IDENTITY_CREATED;
	return create_identity(n, &at, e);
}

/* Setting an unchanged port makes wireguard-go reopen its socket, so only differences are set. */
static int setup_device(struct netadmin_node *n, struct err *e)
{
	struct wg_device_state have = { 0 };
	bool same_key;
	bool same_port;
	int r = wg_dump(n->wg, &have, NULL, NULL, e);

	if (r < 0)
		return r;
	same_key = memcmp(&have.public_key, &n->id.public_key, sizeof(have.public_key)) == 0;
	same_port = have.listen_port == n->cfg->listen_port;
	if (same_key && same_port)
		return 0;
	return wg_set_device(n->wg, same_key ? NULL : n->id.private_key,
			     same_port ? 0 : n->cfg->listen_port, e);
}

/* Until peers are known, the ways to them are those that lead out of this machine. */
static uint32_t first_mtu(struct netadmin_node *n)
{
	uint32_t underlay = 0;

	if (n->cfg->mtu != 0)
		return n->cfg->mtu > MTU_MAX ? MTU_DEFAULT : n->cfg->mtu;
	if (rtnl_underlay_mtu(n->rtnl, n->ifindex, &underlay, NULL) < 0)
		underlay = 0;
	return mtu_inside(underlay);
}

/* What peers have made of it holds while the interface is up: a restart disturbs nothing. */
static int setup_mtu(struct netadmin_node *n, const struct rtnl_link *link,
		     struct netadmin_ready *ready, struct err *e)
{
	bool is_settled = n->cfg->mtu == 0 && wg_was_adopted(n->wg) && link->mtu >= MTU_MIN;

	ready->mtu = is_settled ? link->mtu : first_mtu(n);
	return link->mtu == ready->mtu ? 0 : rtnl_link_set_mtu(n->rtnl, n->ifindex, ready->mtu, e);
}

struct wanted_addresses {
	struct prefix v4;
	struct prefix v6;
	bool has_v4;
	bool has_v6;
	struct prefix stale[8];
	size_t n_stale;
};

static int sort_address(const struct prefix *p, void *arg)
{
	struct wanted_addresses *w = arg;
	struct ip linklocal;

	if (prefix_equal(p, &w->v4)) {
		w->has_v4 = true;
	} else if (prefix_equal(p, &w->v6)) {
		w->has_v6 = true;
	} else if (ip_parse(&linklocal, "fe80::") == 0 && p->ip.family == AF_INET6 &&
		   p->ip.b[0] == linklocal.b[0] && p->ip.b[1] == linklocal.b[1]) {
		return 0;
	} else if (w->n_stale < sizeof(w->stale) / sizeof(w->stale[0])) {
		w->stale[w->n_stale++] = *p;
	}
	return 0;
}

static struct wanted_addresses wanted_addresses(const struct netadmin_node *n)
{
	const struct netadmin_config *cfg = n->cfg;
	const struct prefix *subnet =
		cfg->has_custom_subnet ? &cfg->custom_subnet : &cfg->keys->subnet;

	return (struct wanted_addresses) {
		.v4 = { .ip = n->id.mesh_ip, .bits = subnet->bits },
		.v6 = { .ip = n->id.mesh_ip6, .bits = cfg->keys->prefix6.bits },
	};
}

int netadmin_restore_addresses(struct netadmin_node *n, struct err *e)
{
	struct wanted_addresses w = wanted_addresses(n);
	int r = rtnl_addr_list(n->rtnl, n->ifindex, sort_address, &w, e);

	if (r == 0 && !w.has_v4)
		r = rtnl_addr_add(n->rtnl, n->ifindex, &w.v4, e);
	if (r == 0 && !w.has_v6 && n->has_ip6)
		r = rtnl_addr_add(n->rtnl, n->ifindex, &w.v6, e);
	return r;
}

/*
 * The kernel takes all addresses of a network with the first one, and all routes of the interface
 * with its last address. So the new one is there before the old one goes, as a network of its own.
 */
static int exchange_address(struct netadmin_node *n, const struct prefix *from,
			    const struct prefix *to, struct err *e)
{
	struct prefix bridge = prefix_host(&to->ip);
	int r = rtnl_addr_add(n->rtnl, n->ifindex, &bridge, e);

	if (r == 0)
		r = rtnl_addr_del(n->rtnl, n->ifindex, from, e);
	if (r == 0)
		r = rtnl_addr_add(n->rtnl, n->ifindex, to, e);
	(void)rtnl_addr_del(n->rtnl, n->ifindex, &bridge, r < 0 ? NULL : e);
	return r;
}

int netadmin_move(struct netadmin_node *n, unsigned int nonce, struct err *e)
{
	const struct netadmin_config *cfg = n->cfg;
	const struct identity_place at = { .dirfd = n->dirfd,
					   .dir = cfg->state_dir,
					   .ifname = cfg->ifname };
	const struct prefix *custom = cfg->has_custom_subnet ? &cfg->custom_subnet : NULL;
	struct prefix from = wanted_addresses(n).v4;
	struct ip old = n->id.mesh_ip;
	char key[45];
	int r;

	(void)wg_key_format(key, &n->id.public_key);
	n->id.mesh_ip = derive_mesh_ip(cfg->secret, cfg->keys, custom, key, nonce);
	r = identity_save(&n->id, &at, e);
	if (r == 0) {
		struct prefix to = wanted_addresses(n).v4;

		r = exchange_address(n, &from, &to, e);
	}
	if (r < 0) {
		n->id.mesh_ip = old;
		(void)identity_save(&n->id, &at, NULL);
		(void)netadmin_restore_addresses(n, NULL);
	}
	return r;
}

static int setup_addresses(struct netadmin_node *n, struct netadmin_ready *ready, struct err *e)
{
	const struct netadmin_config *cfg = n->cfg;
	struct wanted_addresses w = wanted_addresses(n);
	int r = rtnl_addr_list(n->rtnl, n->ifindex, sort_address, &w, e);

	for (size_t i = 0; r == 0 && i < w.n_stale; i++)
		r = rtnl_addr_del(n->rtnl, n->ifindex, &w.stale[i], e);
	if (r == 0 && !w.has_v4)
		r = rtnl_addr_add(n->rtnl, n->ifindex, &w.v4, e);
	if (r < 0)
		return r;
	ready->mesh_ip = n->id.mesh_ip;
	/* An interface that was adopted may have it from a run without that option. */
	if (cfg->no_ipv6)
		return w.has_v6 ? rtnl_addr_del(n->rtnl, n->ifindex, &w.v6, e) : 0;
	/* A host without IPv6 is no reason to have no mesh (protocol.md B18). */
	r = w.has_v6 ? 0 : rtnl_addr_add(n->rtnl, n->ifindex, &w.v6, e);
	if (r < 0)
		log_event(EVENT_MESH_IPV6_MISSING, NULL, "no IPv6 mesh address: %s: %s", e->msg,
			  strerror(-r));
	else
		ready->mesh_ip6 = n->id.mesh_ip6;
	n->has_ip6 = r == 0;
	return 0;
}

static int setup_interface(struct netadmin_node *n, struct netadmin_ready *ready, struct err *e)
{
	const struct netadmin_config *cfg = n->cfg;
	struct rtnl_link link = { 0 };
	int r = rtnl_open(&n->rtnl, e);

	if (r == 0)
		r = wg_open(&n->wg, cfg->ifname, cfg->backend, cfg->wireguard_go, e);
	if (r == 0)
		r = rtnl_link_get(n->rtnl, cfg->ifname, &link, e);
	if (r < 0)
		return r;
	n->ifindex = link.index;
	r = setup_device(n, e);
	if (r == 0)
		r = setup_mtu(n, &link, ready, e);
	if (r == 0)
		r = setup_addresses(n, ready, e);
	if (r == 0 && !link.is_up)
		r = rtnl_link_set_up(n->rtnl, n->ifindex, true, e);
	/* wireguard-go binds its port when it is set, the kernel only when the interface comes up. */
	if (r == -EADDRINUSE)
		return err_exit(e, EXITS_SYSTEM, r,
				"UDP port %u is taken by another program; choose one with "
				"--listen-port, or stop that program",
				cfg->listen_port);
	ready->ifindex = n->ifindex;
	ready->backend = wg_backend(n->wg);
	ready->was_adopted = wg_was_adopted(n->wg);
	ready->listen_port = cfg->listen_port;
	return r;
}

/* A run that crashed may have left more on than this one is asked for. */
static void setup_forwarding(struct netadmin_node *n)
{
	n->forward = (struct forward) {
		.rtnl = n->rtnl,
		.dirfd = n->dirfd,
		.ifname = n->cfg->ifname,
		.ifindex = n->ifindex,
		.has_ip6 = n->has_ip6,
	};
	forward_begin(&n->forward, wg_was_adopted(n->wg));
	if (!n->cfg->forward && !n->cfg->introducer)
		forward_undo(&n->forward);
}

static int64_t key_file_time(const struct netadmin_node *n)
{
	char name[NAME_MAX + 1];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s.json", n->cfg->ifname);
	return fstatat(n->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (int64_t)st.st_mtime : 0;
}

int netadmin_setup(struct netadmin_node *n, const struct netadmin_config *cfg,
		   struct netadmin_ready *ready, struct err *e)
{
	enum identity_origin origin = IDENTITY_LOADED;
	int r;

	memset(n, 0, sizeof(*n));
	memset(ready, 0, sizeof(*ready));
	n->cfg = cfg;
	n->dirfd = -1;
	n->lock_fd = -1;
	if (!caps_has(CAP_NET_ADMIN))
		return err_exit(e, EXITS_NO_PERMISSION, -EPERM,
				"CAP_NET_ADMIN is missing, without which no interface can be made; "
				"docker run: --cap-add NET_ADMIN; compose: cap_add: [NET_ADMIN]; "
				"Kubernetes: securityContext.capabilities.add: [NET_ADMIN]");
	r = setup_identity(n, &origin, e);
	if (r < 0)
		return r;
	ready->origin = origin;
	ready->public_key = n->id.public_key;
	ready->identity_s = key_file_time(n);
	r = setup_interface(n, ready, e);
	if (r == 0)
		setup_forwarding(n);
	return r;
}

void netadmin_teardown(struct netadmin_node *n)
{
	identity_wipe(&n->id);
	if (n->wg)
		wg_close(n->wg);
	if (n->rtnl)
		rtnl_close(n->rtnl);
	if (n->dirfd >= 0)
		(void)close(n->dirfd);
	if (n->lock_fd >= 0)
		(void)close(n->lock_fd);
	memset(n, 0, sizeof(*n));
	n->dirfd = -1;
	n->lock_fd = -1;
}

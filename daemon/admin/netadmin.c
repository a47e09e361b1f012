/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * netadmin blocks in recvmsg(2) and wakes only for a request. Changes of peers come as batches, each of
 * which is written in as few netlink messages as possible. When WireGuard refuses a batch, its changes
 * are written one by one, so that one bad peer keeps no other from being configured.
 */
#include "daemon/admin/netadmin.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/log.h"
#include "common/statefile.h"
#include "daemon/admin/netadmin_check.h"
#include "daemon/admin/netadmin_nodes.h"
#include "daemon/admin/netadmin_peers.h"
#include "daemon/admin/netadmin_setup.h"
#include "daemon/admin/netadmin_wire.h"
#include "daemon/memory.h"
#include "daemon/node/reload.h"
#include "daemon/rpc/rpc_server.h"
#include "daemon/state/peercache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
	struct netadmin_node node;
	struct netadmin_log inherited; /* counted by the mesh process before the fork */
	int sock;
	bool has_control;	   /* we made the control socket */
	struct netadmin_batch in;  /* what came */
	struct netadmin_batch out; /* what is being told */
	size_t n_routes;
	struct rtnl_change routes[RTNL_CHANGES_MAX]; /* not changed yet */
};

static int reply(const struct server *s, const struct netadmin_reply *r, int fd)
{
	return netadmin_wire_send(s->sock, r, sizeof(*r), fd, 0);
}

static int reply_error(const struct server *s, const struct err *e)
{
	struct netadmin_reply r = { .event = NETADMIN_ERROR, .error = *e };

	return reply(s, &r, -1);
}

static int reply_batch(const struct server *s, const struct netadmin_batch *b)
{
	return netadmin_wire_send(s->sock, b->msg.bytes, b->len, -1, 0);
}

/* --- peers ----------------------------------------------------------------------------------- */

static int apply(void *arg, const struct wg_changes *changes, struct err *e)
{
	const struct server *s = arg;

	return wg_apply(s->node.wg, changes, e);
}

/* A mesh process that is gone is noticed by the next request. */
static void refused(void *arg, const struct err *e)
{
	(void)reply_error(arg, e);
}

static int change_peers(struct server *s)
{
	const struct netadmin_applier applier = {
		.arg = s, .psk = s->node.cfg->keys->psk, .apply = apply, .refused = refused
	};
	struct err e = { 0 };

	if (netadmin_check_peers(&s->in, &e) < 0)
		return reply_error(s, &e);
	netadmin_apply_batch(&s->in, &applier, &s->out);
	return netadmin_batch_is_empty(&s->out) ? 0 : reply_batch(s, &s->out);
}

static int send_states(struct server *s)
{
	int r = netadmin_batch_is_empty(&s->out) ? 0 : reply_batch(s, &s->out);

	netadmin_batch_begin(&s->out, NETADMIN_PEER_STATES);
	return r;
}

static int add_state(const struct wg_peer_state *peer, void *arg)
{
	struct server *s = arg;

	if (netadmin_batch_put_state(&s->out, peer))
		return 0;
	if (send_states(s) < 0)
		return -EPIPE;
	return netadmin_batch_put_state(&s->out, peer) ? 0 : -EMSGSIZE;
}

static int dump(struct server *s)
{
	struct netadmin_reply done = { .event = NETADMIN_DUMP_DONE };

	netadmin_batch_begin(&s->out, NETADMIN_PEER_STATES);
	if (wg_dump(s->node.wg, NULL, add_state, s, &done.error) == 0)
		memset(&done.error, 0, sizeof(done.error));
	if (send_states(s) < 0)
		return -EPIPE;
	done.log.dropped = log_dropped() - s->inherited.dropped;
	done.log.suppressed = log_suppressed() - s->inherited.suppressed;
	nlcount_read(&done.messages);
	return reply(s, &done, -1);
}

/* --- everything else ------------------------------------------------------------------------- */

/* Tells how it went: of one that has to come in any case. */
static int tell_route(const struct server *s, const struct rtnl_change *c)
{
	struct netadmin_reply done = { .event = NETADMIN_ROUTED, .route = c->dst };

	if (!c->add)
		return c->error.code == 0 ? 0 : reply_error(s, &c->error);
	done.error = c->error;
	return reply(s, &done, -1);
}

static int flush_routes(struct server *s)
{
	int r = 0;

	if (s->n_routes > 0)
		rtnl_routes_change(s->node.rtnl, s->node.ifindex, s->routes, s->n_routes);
	for (size_t i = 0; r == 0 && i < s->n_routes; i++)
		r = tell_route(s, &s->routes[i]);
	s->n_routes = 0;
	return r;
}

/* Of one network, only the last word counts. */
static int change_route(struct server *s, const struct prefix *route, bool add)
{
	size_t i = 0;

	while (i < s->n_routes && !prefix_equal(&s->routes[i].dst, route))
		i++;
	if (i == RTNL_CHANGES_MAX) {
		if (flush_routes(s) < 0)
			return -EPIPE;
		i = 0;
	}
	if (i == s->n_routes)
		s->n_routes++;
	s->routes[i].dst = *route;
	s->routes[i].add = add;
	return 0;
}

static int move(struct server *s, unsigned int nonce)
{
	struct netadmin_reply done = { .event = NETADMIN_MOVED };

	if (netadmin_move(&s->node, nonce, &done.error) == 0)
		memset(&done.error, 0, sizeof(done.error));
	done.mesh_ip = s->node.id.mesh_ip;
	return reply(s, &done, -1);
}

/* The whole of what was handed over, owned by the caller; NULL for what cannot be read. */
static char *read_cache(int fd, size_t *len, struct err *e)
{
	auto_free char *buf = malloc(PEERCACHE_FILE_MAX);
	struct cached_peer *peers = NULL;
	char *whole = NULL;
	size_t n = 0;
	ssize_t got;

	if (!buf || fd < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		(void)err_set(e, -EBADF, "a peer cache that cannot be read");
		return NULL;
	}
	got = io_read_bounded(fd, buf, PEERCACHE_FILE_MAX);
	if (got < 0 || peercache_parse(&peers, &n, buf, (size_t)got, 0, INT64_MAX) < 0) {
		(void)err_set(e, -EPROTO, "a peer cache that is none");
		return NULL;
	}
	free(peers);
	*len = (size_t)got;
	whole = buf;
	buf = NULL;
	return whole;
}

/* Copies first: the mesh process could change a shared file between a check and a write. */
static int save_cache(struct server *s, int fd)
{
	struct netadmin_reply done = { .event = NETADMIN_SAVED };
	char name[NAME_MAX + 1];
	size_t len = 0;
	auto_free char *buf = read_cache(fd, &len, &done.error);

	(void)snprintf(name, sizeof(name), "%s-peers.json", s->node.cfg->ifname);
	if (buf && statefile_replace(s->node.dirfd, name, buf, len, &done.error) == 0)
		memset(&done.error, 0, sizeof(done.error));
	memory_give_back();
	return reply(s, &done, -1);
}

static int save_nodes(const struct server *s, int fd)
{
	struct netadmin_reply done = { .event = NETADMIN_NODES_SAVED };

	if (netadmin_nodes_save(&s->node, fd, &done.error) == 0)
		memset(&done.error, 0, sizeof(done.error));
	return reply(s, &done, -1);
}

static int set_levels(const struct server *s, const char *levels)
{
	struct err e = { 0 };

	if (log_set_levels(levels) == 0)
		return 0;
	(void)err_set(&e, -EINVAL, "log levels that are none");
	return reply_error(s, &e);
}

/* Bytes as a file that has no name: the mesh process never waits for a disk. */
static int as_file(const char *bytes, size_t len)
{
	auto_close int fd = memfd_create("reload", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (io_write_full(fd, bytes, len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -EIO;
	return steal_fd(&fd);
}

static int reload(const struct server *s)
{
	struct netadmin_reply done = { .event = NETADMIN_RELOADED };
	char name[NAME_MAX + 1];
	char bytes[RELOAD_FILE_MAX + 1];
	auto_close int fd = -1;
	ssize_t len;

	(void)snprintf(name, sizeof(name), "%s.reload", s->node.cfg->ifname);
	len = statefile_read(s->node.dirfd, name, bytes, sizeof(bytes), &done.error);
	if (len >= 0)
		fd = as_file(bytes, (size_t)len);
	if (len >= 0 && fd < 0)
		(void)err_set(&done.error, fd, "hand over %s", name);
	return reply(s, &done, fd);
}

static int restore_addresses(struct server *s)
{
	struct err e = { 0 };

	return netadmin_restore_addresses(&s->node, &e) < 0 ? reply_error(s, &e) : 0;
}

static int echo(const struct server *s)
{
	struct netadmin_reply r = { .event = NETADMIN_ECHOED };

	return reply(s, &r, -1);
}

/* Paths come from the configuration, never from a request. */
static void remove_sockets(const struct server *s, uint32_t http_made)
{
	const struct http_addresses *http = s->node.cfg->http;

	if (s->has_control)
		(void)unlink(s->node.cfg->socket_path);
	for (size_t i = 0; i < http->n; i++)
		if ((http_made >> i & 1U) && http->list[i].path[0] != '\0')
			(void)unlink(http->list[i].path);
}

static int stop(struct server *s, uint32_t http_made)
{
	struct netadmin_reply begun = { .event = NETADMIN_STOPPING };
	struct netadmin_reply r = { .event = NETADMIN_STOPPED };

	(void)reply(s, &begun, -1);
	remove_sockets(s, http_made);
	if (rtnl_link_delete(s->node.rtnl, s->node.cfg->ifname, &r.error) == 0)
		memset(&r.error, 0, sizeof(r.error));
	forward_undo(&s->node.forward);
	(void)reply(s, &r, -1);
	return -ESHUTDOWN;
}

/* What the operator has said stands. */
static int set_mtu(struct server *s, uint32_t mtu)
{
	struct err e = { 0 };

	if (s->node.cfg->mtu != 0)
		(void)err_set(&e, -EPERM, "another MTU than --mtu gives");
	else
		(void)rtnl_link_set_mtu(s->node.rtnl, s->node.ifindex, mtu, &e);
	return e.code < 0 ? reply_error(s, &e) : 0;
}

/* Only what the operator has asked for at the start can be asked for here. */
static int forward(struct server *s, const struct forward_want *want)
{
	struct netadmin_reply done = { .event = NETADMIN_FORWARDED };
	struct err e = { 0 };

	if ((want->mesh && !s->node.cfg->introducer) || (want->n > 0 && !s->node.cfg->forward)) {
		(void)err_set(&e, -EPERM, "forward what nobody has asked for");
		return reply_error(s, &e);
	}
	forward_apply(&s->node.forward, want, &done.forward);
	return reply(s, &done, -1);
}

/* Return: 0 to go on, negative to end */
static int serve(struct server *s, const struct netadmin_request *req, int fd)
{
	struct err e = { 0 };

	/* The mesh process is not trusted with more than the table of requests. */
	if (netadmin_check(req, &e) < 0)
		return reply_error(s, &e);
	if (req->op == NETADMIN_ROUTE_ADD &&
	    netadmin_check_route(&req->route, s->node.cfg->allow_routes, &e) < 0)
		return reply_error(s, &e);
	if (req->op == NETADMIN_ROUTE_ADD || req->op == NETADMIN_ROUTE_DEL)
		return change_route(s, &req->route, req->op == NETADMIN_ROUTE_ADD);
	if (flush_routes(s) < 0)
		return -EPIPE;
	switch ((enum netadmin_op)req->op) {
	case NETADMIN_DUMP:
		return dump(s);
	case NETADMIN_SAVE_CACHE:
		return save_cache(s, fd);
	case NETADMIN_SAVE_NODES:
		return save_nodes(s, fd);
	case NETADMIN_STOP:
		return stop(s, req->http_made);
	case NETADMIN_ECHO:
		return echo(s);
	case NETADMIN_LOG:
		return set_levels(s, req->levels);
	case NETADMIN_ADDRESSES:
		return restore_addresses(s);
	case NETADMIN_RELOAD:
		return reload(s);
	case NETADMIN_MTU:
		return set_mtu(s, req->mtu);
	case NETADMIN_FORWARD:
		return forward(s, &req->forward);
	case NETADMIN_ADDRESS:
		return move(s, req->nonce);
	case NETADMIN_ROUTE_ADD:
	case NETADMIN_ROUTE_DEL:
	case NETADMIN_PEERS:
		break;
	}
	return 0;
}

/* A batch of changes, or one of the requests that all have one size. */
static int serve_message(struct server *s, int fd)
{
	struct netadmin_request req;
	struct err e = { 0 };

	if (s->in.len >= sizeof(s->in.msg.what) && s->in.msg.what == NETADMIN_PEERS)
		return flush_routes(s) < 0 ? -EPIPE : change_peers(s);
	if (s->in.len != sizeof(req)) {
		(void)err_set(&e, -EPROTO, "a request of %zu bytes", s->in.len);
		return reply_error(s, &e);
	}
	memcpy(&req, s->in.msg.bytes, sizeof(req));
	return serve(s, &req, fd);
}

static void serve_all(struct server *s)
{
	int r = 0;

	while (r == 0) {
		auto_close int fd = -1;
		/* Routes that came together are changed together: when no more is waiting. */
		int flags = s->n_routes > 0 ? MSG_DONTWAIT : 0;
		ssize_t n = netadmin_wire_take(s->sock, s->in.msg.bytes, sizeof(s->in.msg.bytes),
					       &fd, flags);

		if (n < 0 && n != -EAGAIN)
			return;
		s->in.len = n < 0 ? 0 : (size_t)n;
		r = n < 0 ? flush_routes(s) : serve_message(s, fd);
	}
}

static int open_cache(const struct netadmin_node *node)
{
	char name[NAME_MAX + 1];

	(void)snprintf(name, sizeof(name), "%s-peers.json", node->cfg->ifname);
	return openat(node->dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* The mesh process can make no file, so it is given the socket. */
static int hand_over_control(struct server *s)
{
	struct netadmin_reply r = { .event = NETADMIN_CONTROL };
	auto_close int fd = rpc_server_listen(s->node.cfg->socket_path, &r.error);

	s->has_control = fd >= 0;
	return reply(s, &r, fd);
}

static int hand_over_nodes(const struct server *s)
{
	const struct netadmin_reply r = { .event = NETADMIN_NODES };
	auto_close int fd = netadmin_nodes_read(&s->node);

	return reply(s, &r, fd);
}

static void run(int sock, const struct netadmin_config *cfg)
{
	static struct server s;
	struct netadmin_reply r = { .event = NETADMIN_READY };
	struct netadmin_ready ready;
	struct err e = { 0 };

	s.sock = sock;
	s.inherited = (struct netadmin_log) { log_dropped(), log_suppressed() };
	if (netadmin_setup(&s.node, cfg, &ready, &e) < 0) {
		r.event = NETADMIN_FAILED;
		r.error = e;
		(void)reply(&s, &r, -1);
	} else {
		auto_close int cache = open_cache(&s.node);

		r.ready = ready;
		if (hand_over_control(&s) == 0 && hand_over_nodes(&s) == 0 &&
		    reply(&s, &r, cache) == 0)
			serve_all(&s);
	}
	netadmin_teardown(&s.node);
}

/* Only the mesh process decides when to stop, by its socket: ^C reaches the whole group. */
static void ignore_stop_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/*
 * The end of file on the socket would tell as well, but not one that hangs; and the next run must not
 * find two that hold the key and the interface.
 */
static void end_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(0);
}

int netadmin_start(struct netadmin *out, const struct netadmin_config *cfg, struct err *e)
{
	const pid_t self = getpid();
	int pair[2];
	pid_t pid;

	out->fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, -errno, "make the socket pair to netadmin");
	pid = fork();
	if (pid < 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		return err_set(e, -errno, "fork netadmin");
	}
	if (pid == 0) {
		(void)close(pair[0]);
		end_with(self);
		(void)prctl(PR_SET_NAME, "wgmesh-netadmin", 0, 0, 0);
		ignore_stop_signals();
		run(pair[1], cfg);
		_exit(0);
	}
	(void)close(pair[1]);
	out->fd = pair[0];
	out->pid = pid;
	return 0;
}

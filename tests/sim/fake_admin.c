/* SPDX-License-Identifier: MIT */
/*
 * netadmin, as the mesh process sees it: adminlink.h over a simulated WireGuard. Requests are done in
 * order and take their time, so that a crowd of them queues up as on a real machine.
 */
#include "common/io.h"
#include "daemon/admin/adminlink.h"
#include "tests/sim/wireguard.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define READY_US     (30 * MS) /* making the interface */
#define REQUEST_US   100
#define QUEUE_MAX_US (64 * REQUEST_US) /* what the socket to netadmin has room for */

struct adminlink {
	struct host *host;
	struct adminlink_handler h;
	struct wireguard *wg;
	struct item ready;
	struct item dumped;
	struct item saved;
	struct item echoed;
	struct item stopped;
	struct item idle;
	int64_t done_us; /* all requests until now are done then */
};

#define LINK_OF(item, member) \
	((struct adminlink *)(void *)((char *)(item)-offsetof(struct adminlink, member)))

struct wireguard *world_wireguard(const struct host *h)
{
	return h->admin ? h->admin->wg : NULL;
}

static void reply(struct adminlink *l, const struct netadmin_reply *r, int fd)
{
	struct host *outer = world_enter(l->host);

	l->h.on_reply(l->h.arg, r, fd);
	(void)world_enter(outer);
}

/* --- starting ---------------------------------------------------------------------------------- */

static int cache_fd(const struct host *h)
{
	int fd = h->cache ? memfd_create("peers", MFD_CLOEXEC) : -1;

	if (fd >= 0) {
		(void)io_write_full(fd, h->cache, h->cache_len);
		(void)lseek(fd, 0, SEEK_SET);
	}
	return fd;
}

static void on_ready(struct item *i)
{
	struct adminlink *l = LINK_OF(i, ready);
	const struct host *h = l->host;
	struct netadmin_reply r = { .event = NETADMIN_READY };

	r.ready = (struct netadmin_ready) { .public_key = h->key,
					    .mesh_ip = h->mesh_ip,
					    .mesh_ip6 = h->mesh_ip6,
					    .listen_port = WORLD_WG_PORT,
					    .ifindex = 7,
					    .backend = WG_BACKEND_KERNEL,
					    .origin = IDENTITY_LOADED,
					    .identity_s = WORLD_EPOCH_S };
	reply(l, &r, cache_fd(h));
}

int netadmin_start(struct netadmin *out, const struct netadmin_config *cfg, struct err *e)
{
	(void)cfg;
	(void)e;
	*out = (struct netadmin) { .fd = -1, .pid = 1 };
	return 0;
}

/* --- answers ----------------------------------------------------------------------------------- */

static int report_peer(const struct wg_peer_state *s, void *arg)
{
	static struct netadmin_reply r = { .event = NETADMIN_PEER_STATE };

	memcpy(&r.peer, s, offsetof(struct wg_peer_state, allowed));
	memcpy(r.peer.allowed, s->allowed, s->n_allowed * sizeof(s->allowed[0]));
	reply(arg, &r, -1);
	return 0;
}

static void on_dumped(struct item *i)
{
	struct adminlink *l = LINK_OF(i, dumped);
	static struct netadmin_reply r;

	wireguard_dump(l->wg, report_peer, l);
	r = (struct netadmin_reply) { .event = NETADMIN_DUMP_DONE };
	reply(l, &r, -1);
}

static void on_saved(struct item *i)
{
	reply(LINK_OF(i, saved), &(struct netadmin_reply) { .event = NETADMIN_SAVED }, -1);
}

static void on_echoed(struct item *i)
{
	reply(LINK_OF(i, echoed), &(struct netadmin_reply) { .event = NETADMIN_ECHOED }, -1);
}

static void on_stopped(struct item *i)
{
	reply(LINK_OF(i, stopped), &(struct netadmin_reply) { .event = NETADMIN_STOPPED }, -1);
}

static void on_idle(struct item *i)
{
	struct adminlink *l = LINK_OF(i, idle);
	struct host *outer = world_enter(l->host);

	l->h.on_idle(l->h.arg);
	(void)world_enter(outer);
}

/* --- requests ---------------------------------------------------------------------------------- */

static void save(struct adminlink *l, int fd)
{
	struct host *h = l->host;
	off_t len = lseek(fd, 0, SEEK_END);

	free(h->cache);
	h->cache = world_keep(malloc((size_t)len + 1));
	h->cache_len = (size_t)pread(fd, h->cache, (size_t)len, 0);
	(void)close(fd);
	queue_put(&l->saved, l->done_us);
}

static void change_peer(struct adminlink *l, const struct wg_peer_config *c)
{
	l->host->tally.changes++;
	wireguard_apply(l->wg, c);
}

static void take(struct adminlink *l, const struct netadmin_request *req, int fd)
{
	switch ((enum netadmin_op)req->op) {
	case NETADMIN_PEER:
		l->host->tally.requests++;
		change_peer(l, &req->peer);
		break;
	case NETADMIN_ROUTE_ADD:
	case NETADMIN_ROUTE_DEL:
		l->host->tally.requests++;
		break;
	case NETADMIN_DUMP:
		queue_put(&l->dumped, l->done_us);
		break;
	case NETADMIN_SAVE_CACHE:
		save(l, fd);
		break;
	case NETADMIN_STOP:
		queue_put(&l->stopped, l->done_us);
		break;
	case NETADMIN_ECHO:
		queue_put(&l->echoed, l->done_us);
		break;
	case NETADMIN_LOG:
	case NETADMIN_ADDRESSES:
	case NETADMIN_RELOAD:
		break;
	}
}

bool adminlink_is_busy(const struct adminlink *l)
{
	return l->done_us - queue_now_us() > QUEUE_MAX_US;
}

void adminlink_send(struct adminlink *l, const struct netadmin_request *req, int fd)
{
	l->done_us = (l->done_us > queue_now_us() ? l->done_us : queue_now_us()) + REQUEST_US;
	take(l, req, fd);
	if (adminlink_is_busy(l))
		queue_put(&l->idle, l->done_us);
}

/* --- beginning and end ------------------------------------------------------------------------- */

static void prepare(struct adminlink *l)
{
	const struct {
		struct item *item;
		void (*fire)(struct item *i);
	} all[] = { { &l->ready, on_ready },   { &l->dumped, on_dumped },   { &l->saved, on_saved },
		    { &l->echoed, on_echoed }, { &l->stopped, on_stopped }, { &l->idle, on_idle } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		all[i].item->fire = all[i].fire;
		all[i].item->host = l->host;
	}
}

int adminlink_open(struct adminlink **out, struct event_base *base, const struct netadmin *n,
		   const struct adminlink_handler *h, struct err *e)
{
	struct adminlink *l = world_keep(calloc(1, sizeof(*l)));

	(void)base;
	(void)n;
	(void)e;
	l->host = world.current;
	l->h = *h;
	l->wg = wireguard_new(l->host);
	l->host->admin = l;
	prepare(l);
	queue_put(&l->ready, queue_now_us() + READY_US);
	*out = l;
	return 0;
}

void adminlink_close(struct adminlink *l)
{
	if (!l)
		return;
	queue_drop(&l->ready);
	queue_drop(&l->dumped);
	queue_drop(&l->saved);
	queue_drop(&l->echoed);
	queue_drop(&l->stopped);
	queue_drop(&l->idle);
	l->host->admin = NULL;
	wireguard_free(l->wg);
	free(l);
}

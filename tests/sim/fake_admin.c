/* SPDX-License-Identifier: MIT */
/*
 * netadmin, as the mesh process sees it: adminlink.h over a simulated WireGuard. Requests are done in
 * order and take their time, so that a crowd of them queues up as on a real machine.
 */
#include "common/io.h"
#include "daemon/admin/adminlink.h"
#include "tests/sim/wireguard.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define READY_US     (30 * MS) /* making the interface */
#define REQUEST_US   100
#define QUEUE_MAX_US (64 * REQUEST_US) /* what the socket to netadmin has room for */

/* An answer that has been thought of, and is told when what it answers is done. */
struct answer {
	struct item item;
	struct adminlink *link;
	struct netadmin_reply reply;
	int fd;
	struct answer *next;
};

struct adminlink {
	struct host *host;
	struct adminlink_handler h;
	struct wireguard *wg;
	struct answer *answers;
	struct item dumped;
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

static void answer_end(struct answer *a)
{
	struct answer **link = &a->link->answers;

	while (*link != a)
		link = &(*link)->next;
	*link = a->next;
	queue_drop(&a->item);
	free(a);
}

static void on_answer(struct item *i)
{
	struct answer *a = (struct answer *)i;
	struct netadmin_reply r = a->reply;
	struct adminlink *l = a->link;
	int fd = a->fd;

	answer_end(a);
	reply(l, &r, fd);
}

/* @fd: taken over, -1 for none. */
static void answer(struct adminlink *l, const struct netadmin_reply *r, int fd)
{
	struct answer *a = world_keep(calloc(1, sizeof(*a)));

	a->item.fire = on_answer;
	a->item.host = l->host;
	a->link = l;
	a->reply = *r;
	a->fd = fd;
	a->next = l->answers;
	l->answers = a;
	queue_put(&a->item, l->done_us);
}

/* --- starting ---------------------------------------------------------------------------------- */

/* Bytes as a descriptor, -1 for none. */
static int as_file(const char *bytes, size_t len)
{
	int fd = bytes ? memfd_create("file", MFD_CLOEXEC) : -1;

	if (fd >= 0) {
		(void)io_write_full(fd, bytes, len);
		(void)lseek(fd, 0, SEEK_SET);
	}
	return fd;
}

static void be_ready(struct adminlink *l)
{
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
	answer(l, &r, as_file(h->cache, h->cache_len));
}

int netadmin_start(struct netadmin *out, const struct netadmin_config *cfg, struct err *e)
{
	(void)cfg;
	(void)e;
	*out = (struct netadmin) { .fd = -1, .pid = 1 };
	return 0;
}

/* --- answers ----------------------------------------------------------------------------------- */

static struct netadmin_batch report;

static void send_report(struct adminlink *l)
{
	struct host *outer = world_enter(l->host);

	if (!netadmin_batch_is_empty(&report))
		l->h.on_batch(l->h.arg, &report);
	(void)world_enter(outer);
	netadmin_batch_begin(&report, NETADMIN_PEER_STATES);
}

static int report_peer(const struct wg_peer_state *s, void *arg)
{
	if (netadmin_batch_put_state(&report, s))
		return 0;
	send_report(arg);
	(void)netadmin_batch_put_state(&report, s);
	return 0;
}

static void on_dumped(struct item *i)
{
	struct adminlink *l = LINK_OF(i, dumped);
	static struct netadmin_reply r;

	netadmin_batch_begin(&report, NETADMIN_PEER_STATES);
	wireguard_dump(l->wg, report_peer, l);
	send_report(l);
	r = (struct netadmin_reply) { .event = NETADMIN_DUMP_DONE };
	reply(l, &r, -1);
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
	answer(l, &(struct netadmin_reply) { .event = NETADMIN_SAVED }, -1);
}

static void change_peers(struct adminlink *l, const struct netadmin_batch *b)
{
	struct wg_peer_config change;
	size_t pos = 0;

	for (; netadmin_batch_next_change(b, &pos, &change) > 0; l->host->tally.changes++)
		wireguard_apply(l->wg, &change);
}

static void change_route(struct adminlink *l, const struct prefix *route, bool add)
{
	struct netadmin_reply r = { .event = NETADMIN_ROUTED, .route = *route };

	l->host->n_routes += add ? 1 : -1;
	if (add)
		answer(l, &r, -1);
}

static void move_address(struct adminlink *l, unsigned int nonce)
{
	struct netadmin_reply r = { .event = NETADMIN_MOVED };
	struct host *h = l->host;
	char text[PEER_TEXT_SIZE];

	(void)wg_key_format(text, &h->key);
	h->mesh_ip = derive_mesh_ip(&world()->secret, &world()->keys, NULL, text, nonce);
	r.mesh_ip = h->mesh_ip;
	answer(l, &r, -1);
}

static void reload(struct adminlink *l)
{
	struct netadmin_reply r = { .event = NETADMIN_RELOADED };
	const char *text = l->host->reload;

	if (!text)
		r.error.code = -ENOENT;
	answer(l, &r, as_file(text, text ? strlen(text) : 0));
}

static void count(struct adminlink *l, enum netadmin_op op)
{
	if (op == NETADMIN_ROUTE_ADD || op == NETADMIN_ROUTE_DEL || op == NETADMIN_ADDRESS)
		l->host->tally.requests++;
}

static void take(struct adminlink *l, const struct netadmin_request *req, int fd)
{
	enum netadmin_op op = (enum netadmin_op)req->op;

	count(l, op);
	switch (op) {
	case NETADMIN_ROUTE_ADD:
	case NETADMIN_ROUTE_DEL:
		change_route(l, &req->route, op == NETADMIN_ROUTE_ADD);
		break;
	case NETADMIN_DUMP:
		queue_put(&l->dumped, l->done_us);
		break;
	case NETADMIN_SAVE_CACHE:
		save(l, fd);
		break;
	case NETADMIN_STOP:
		answer(l, &(struct netadmin_reply) { .event = NETADMIN_STOPPED }, -1);
		break;
	case NETADMIN_ECHO:
		answer(l, &(struct netadmin_reply) { .event = NETADMIN_ECHOED }, -1);
		break;
	case NETADMIN_RELOAD:
		reload(l);
		break;
	case NETADMIN_ADDRESS:
		move_address(l, req->nonce);
		break;
	case NETADMIN_LOG:
	case NETADMIN_ADDRESSES:
	case NETADMIN_PEERS:
	case NETADMIN_FORWARD:
	case NETADMIN_MTU:
	case NETADMIN_SAVE_NODES:
		if (fd >= 0)
			(void)close(fd);
		break;
	}
}

bool adminlink_is_busy(const struct adminlink *l)
{
	return l->done_us - queue_now_us() > QUEUE_MAX_US;
}

static void note_work(struct adminlink *l)
{
	l->done_us = (l->done_us > queue_now_us() ? l->done_us : queue_now_us()) + REQUEST_US;
}

static void note_end(struct adminlink *l)
{
	if (adminlink_is_busy(l))
		queue_put(&l->idle, l->done_us);
}

void adminlink_send(struct adminlink *l, const struct netadmin_request *req, int fd)
{
	note_work(l);
	take(l, req, fd);
	note_end(l);
}

void adminlink_send_batch(struct adminlink *l, const struct netadmin_batch *b)
{
	note_work(l);
	l->host->tally.requests++;
	change_peers(l, b);
	note_end(l);
}

/* --- beginning and end ------------------------------------------------------------------------- */

int adminlink_open(struct adminlink **out, struct event_base *base, const struct netadmin *n,
		   const struct adminlink_handler *h, struct err *e)
{
	struct adminlink *l = world_keep(calloc(1, sizeof(*l)));

	(void)base;
	(void)n;
	(void)e;
	l->host = world()->current;
	l->h = *h;
	l->wg = wireguard_new(l->host);
	l->host->admin = l;
	l->host->n_routes = 0;
	l->dumped = (struct item) { .fire = on_dumped, .host = l->host };
	l->idle = (struct item) { .fire = on_idle, .host = l->host };
	l->done_us = queue_now_us() + READY_US;
	be_ready(l);
	*out = l;
	return 0;
}

void adminlink_close(struct adminlink *l)
{
	if (!l)
		return;
	while (l->answers) {
		if (l->answers->fd >= 0)
			(void)close(l->answers->fd);
		answer_end(l->answers);
	}
	queue_drop(&l->dumped);
	queue_drop(&l->idle);
	l->host->admin = NULL;
	wireguard_free(l->wg);
	free(l);
}

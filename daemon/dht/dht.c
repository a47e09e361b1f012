/* SPDX-License-Identifier: MIT */
#include "daemon/dht/dht.h"
#include "common/defs.h"
#include "daemon/clock.h"
#include "daemon/net/resolve.h"
#include "daemon/net/udp.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX     64
#define ROUTER_PORT   6881
#define REASON_SIZE   160
#define LONELY_ROUNDS 3 /* asked for routers so often, with nobody in the table: worth telling */

/* --- public routers, where everybody begins (protocol.md section 8) --- */
static const struct {
	const char *name;
	uint16_t port;
} public_routers[] = {
	{ "router.bittorrent.com", ROUTER_PORT },
	{ "router.utorrent.com", ROUTER_PORT },
	{ "dht.transmissionbt.com", ROUTER_PORT },
	{ "dht.libtorrent.org", 25401 },
};

/* A name that is looked up, or may be. */
struct router {
	struct dht *dht;
	uint16_t port;
	struct resolve *question;
};

struct dht {
	struct dht_config cfg;
	struct udp udp;
	struct event *readable;
	struct event *timer;
	struct dhtcore *core;
	bool is_joined;
	unsigned int n_rounds;	  /* of asking for routers, since somebody was in the table */
	char reason[REASON_SIZE]; /* the last thing that went wrong */
	struct router router[HOSTPORTS_MAX];
};

static void judge_joined(struct dht *d)
{
	struct dhtcore_status status;
	bool is_joined;

	dht_status(d, &status);
	is_joined = status.nodes[DHT_IPV4] + status.nodes[DHT_IPV6] > 0;
	if (is_joined)
		d->n_rounds = 0;
	/* Of a start it is told only when it takes long. */
	if (is_joined == d->is_joined && d->n_rounds != LONELY_ROUNDS)
		return;
	if (!is_joined && d->n_rounds < LONELY_ROUNDS)
		return;
	d->n_rounds += d->n_rounds == LONELY_ROUNDS;
	d->is_joined = is_joined;
	d->cfg.handler.joined(d->cfg.handler.arg, is_joined,
			      d->reason[0] != '\0' ? d->reason : NULL);
	if (is_joined)
		d->reason[0] = '\0';
}

static void run(struct dht *d)
{
	struct now now = clock_now();
	int64_t due_ms = dhtcore_run(d->core, now);
	int64_t wait_ms = due_ms > now.mono_ms ? due_ms - now.mono_ms : 1;
	struct timeval tv = { .tv_sec = (time_t)(wait_ms / 1000),
			      .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000) };

	judge_joined(d);
	if (due_ms == INT64_MAX)
		(void)event_del(d->timer);
	else
		(void)event_add(d->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run(arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct dht *d = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < BATCH_MAX; i++) {
		uint8_t datagram[4096];
		struct udp_local local;
		struct endpoint from;
		ssize_t n = udp_receive(&d->udp, datagram, sizeof(datagram), &from, &local);

		if (n == -EAGAIN)
			break;
		if (n > 0)
			dhtcore_receive(d->core, datagram, (size_t)n, &from, clock_now());
	}
	run(d);
}

/* --- what the core asks for ---------------------------------------------------------------- */

static int on_send(void *arg, const struct endpoint *to, const void *buf, size_t len)
{
	const struct dht *d = arg;

	if (to->ip.family == AF_INET6 && !d->udp.is_v6)
		return -EAFNOSUPPORT;
	return udp_send(&d->udp, buf, len, to, NULL);
}

static void on_found(void *arg, const struct endpoint *at)
{
	const struct dht *d = arg;

	d->cfg.handler.found(d->cfg.handler.arg, at);
}

static unsigned int on_count_peers(void *arg)
{
	const struct dht *d = arg;

	return d->cfg.handler.count_peers(d->cfg.handler.arg);
}

static void on_random(void *arg, void *buf, size_t len)
{
	(void)arg;
	crypto_random(buf, len);
}

static void on_resolved(void *arg, const struct ip *list, size_t n, const char *error)
{
	struct router *router = arg;
	struct dht *d = router->dht;

	router->question = NULL;
	if (n == 0 && error)
		(void)snprintf(d->reason, sizeof(d->reason),
			       "no name of a router can be looked up: %s", error);
	else
		d->reason[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		struct endpoint at = { .ip = list[i], .port = router->port };

		dhtcore_router(d->core, &at, clock_now());
	}
	run(d);
}

static void resolve_router(struct dht *d, size_t slot, const char *name, uint16_t port)
{
	struct router *router = &d->router[slot];

	router->dht = d;
	router->port = port;
	if (d->cfg.resolver && !router->question)
		router->question =
			resolver_ask(d->cfg.resolver, name, d->cfg.no_ipv6, on_resolved, router);
}

static void want_router(struct dht *d, size_t slot, const struct hostport *host)
{
	struct endpoint at = { .ip = host->ip, .port = host->port ? host->port : ROUTER_PORT };

	if (at.ip.family != 0)
		dhtcore_router(d->core, &at, clock_now());
	else
		resolve_router(d, slot, host->name, at.port);
}

static void on_want_routers(void *arg)
{
	struct dht *d = arg;
	const struct hostports *own = d->cfg.bootstrap;

	if (d->n_rounds < LONELY_ROUNDS)
		d->n_rounds++;
	for (size_t i = 0; i < own->n; i++)
		want_router(d, i, &own->at[i]);
	for (size_t i = 0; own->n == 0 && i < ARRAY_LEN(public_routers); i++)
		resolve_router(d, i, public_routers[i].name, public_routers[i].port);
}

/* --- begin and end ------------------------------------------------------------------------- */

static int open_core(struct dht *d, struct err *e)
{
	struct dhtcore_config cfg = {
		.ops = { .arg = d,
			 .send = on_send,
			 .found = on_found,
			 .count_peers = on_count_peers,
			 .want_routers = on_want_routers,
			 .random = on_random },
		.secret = d->cfg.secret,
		.port = d->cfg.announced,
		.no_ipv6 = d->cfg.no_ipv6 || !d->udp.is_v6,
		.n_avoid = d->cfg.n_avoid,
	};

	memcpy(cfg.avoid, d->cfg.avoid, sizeof(cfg.avoid));
	d->core = dhtcore_new(&cfg, clock_now());
	return d->core ? 0 : err_set(e, -ENOMEM, "make the DHT node");
}

/* Nobody has to know the port beforehand, so any will do. */
static int open_socket(struct dht *d, struct err *e)
{
	int r = d->cfg.port == 0 ? -EADDRINUSE : udp_open_any(&d->udp, d->cfg.port, false, e);

	return r == -EADDRINUSE ? udp_open_any(&d->udp, 0, false, e) : r;
}

static int open_events(struct dht *d, struct event_base *base, struct err *e)
{
	d->timer = evtimer_new(base, on_timer, d);
	d->readable = event_new(base, d->udp.fd, EV_READ | EV_PERSIST, on_readable, d);
	if (!d->timer || !d->readable || event_add(d->readable, NULL) < 0)
		return err_set(e, -ENOMEM, "open the DHT's socket");
	return 0;
}

int dht_open(struct dht **out, struct event_base *base, const struct dht_config *cfg,
	     const struct dht_seeds *seeds, struct err *e)
{
	struct dht *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return err_set(e, -ENOMEM, "open the DHT");
	d->cfg = *cfg;
	d->udp.fd = -1;
	r = open_socket(d, e);
	if (r == 0)
		r = open_core(d, e);
	if (r == 0)
		r = open_events(d, base, e);
	if (r < 0) {
		dht_close(d);
		return r;
	}
	dhtcore_load(d->core, seeds->node, seeds->n);
	run(d);
	*out = d;
	return 0;
}

void dht_close(struct dht *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < HOSTPORTS_MAX; i++)
		resolve_cancel(d->router[i].question);
	if (d->timer)
		event_free(d->timer);
	if (d->readable)
		event_free(d->readable);
	udp_close(&d->udp);
	dhtcore_free(d->core);
	free(d);
}

size_t dht_save(const struct dht *d, struct krpc_node *out, size_t max)
{
	return dhtcore_save(d->core, out, max);
}

void dht_status(const struct dht *d, struct dhtcore_status *out)
{
	dhtcore_status(d->core, clock_now(), out);
}

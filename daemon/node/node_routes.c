/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * What a peer announces is judged whenever something changes that the judgement follows from: the
 * announcement, the peer's address, the networks of this machine. What is refused reaches neither
 * WireGuard nor the kernel's table, and is told once. A route that the kernel does not take is tried
 * again when this machine's networks change, and with growing pauses.
 */
#include "common/log.h"
#include "daemon/node/node_impl.h"
#include "daemon/peers/routejudge.h"

#include <string.h>

#define RETRY_FIRST_S 5
#define RETRY_MAX_S   600

/* --- judging --------------------------------------------------------------------------------- */

static bool is_missing(const struct node *n, const struct prefix *net)
{
	for (size_t i = 0; i < n->missing.n; i++)
		if (prefix_equal(&n->missing.net[i], net))
			return true;
	return false;
}

static enum route_verdict judge(const struct node *n, const struct routejudge *j,
				const struct peer *p, size_t i)
{
	const struct prefix *net = &p->routes[i];
	enum route_verdict v = routejudge(j, p, net, (enum route_verdict)p->route_verdict[i]);

	if (v != ROUTE_ACCEPTED)
		return v;
	if (!routes_has_room(&n->routes, p->slot, net))
		return ROUTE_NO_ROOM;
	if (routes_is_led_by_another(&n->routes, p->slot, net))
		return ROUTE_TAKEN;
	return is_missing(n, net) ? ROUTE_FAILED : ROUTE_ACCEPTED;
}

/* A failure is told where it happens, with what the kernel says. */
static void tell(const struct peer *p, const struct prefix *net, enum route_verdict before,
		 enum route_verdict v)
{
	char text[PREFIX_TEXT_SIZE];

	if (v == before || (route_is_used(v) && route_is_used(before)))
		return;
	(void)prefix_format(text, net);
	if (route_is_used(v))
		log_event(EVENT_ROUTE_ACCEPTED,
			  LOG_FIELDS({ "peer", p->key_text }, { "host", p->info.hostname },
				     { "network", text }),
			  "the network %s is routed to %.64s now", text, p->info.hostname);
	else
		log_event(EVENT_ROUTE_REFUSED,
			  LOG_FIELDS({ "peer", p->key_text }, { "host", p->info.hostname },
				     { "network", text }),
			  "the network %s of %.64s is not routed: %s", text,
			  p->info.hostname[0] != '\0' ? p->info.hostname : p->key_text,
			  routejudge_why(v));
}

void node_routes_judge(struct node *n, struct peer *p, struct now now)
{
	const struct routejudge j = {
		.self = &n->self,
		.underlay = underlaywatch_get(n->underlay),
		.allowed = &n->cfg->allow_routes,
		.peers = n->peers,
		.now = now,
	};

	for (size_t i = 0; i < p->n_routes; i++) {
		enum route_verdict before = (enum route_verdict)p->route_verdict[i];
		enum route_verdict v = judge(n, &j, p, i);

		p->route_verdict[i] = (uint8_t)v;
		tell(p, &p->routes[i], before, v);
	}
}

/* --- the kernel's routes ----------------------------------------------------------------------- */

static void forget_missing(struct node *n, const struct prefix *net)
{
	for (size_t i = 0; i < n->missing.n; i++) {
		if (!prefix_equal(&n->missing.net[i], net))
			continue;
		n->missing.net[i] = n->missing.net[--n->missing.n];
		return;
	}
}

static void send_route(void *arg, const struct prefix *net, bool add)
{
	struct node *n = arg;

	n->counters.route_writes++;
	if (!add)
		forget_missing(n, net);
	node_admin_route(n, net, add);
}

void node_routes_set(struct node *n, const struct peer *p, bool is_present)
{
	const struct routes_handler h = { .arg = n, .change = send_route };
	struct prefix nets[ANNOUNCE_ROUTES_MAX];
	size_t total = 0;

	/* One that another peer has waits for its turn. */
	for (size_t i = 0; is_present && i < p->n_routes; i++)
		if (p->route_verdict[i] <= ROUTE_TAKEN)
			nets[total++] = p->routes[i];
	n->routes_moved |= routes_set(&n->routes, p->slot, nets, total, &h);
}

void node_routes_restore(struct node *n)
{
	const struct routes_handler h = { .arg = n, .change = send_route };

	routes_repeat(&n->routes, &h);
	node_admin_flush(n);
}

/* --- those that the kernel did not take -------------------------------------------------------- */

/* Peers that announce networks are looked at again. */
static void judge_again(struct node *n)
{
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		if (p->n_routes > 0)
			peers_mark(n->peers, p);
	node_peers_flush(n);
}

void node_routes_retry(struct node *n)
{
	struct node_missing again = n->missing;

	(void)event_del(n->route_timer);
	for (size_t i = 0; i < again.n; i++)
		send_route(n, &again.net[i], true);
	node_admin_flush(n);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;

	(void)fd;
	(void)what;
	if (n->phase == NODE_RUNNING)
		node_routes_retry(n);
}

static void retry_later(struct node *n)
{
	struct timeval pause = { .tv_sec = n->missing.pause_s };

	if (evtimer_pending(n->route_timer, NULL))
		return;
	if (pause.tv_sec < RETRY_FIRST_S)
		pause.tv_sec = RETRY_FIRST_S;
	n->missing.pause_s = (int)(2 * pause.tv_sec < RETRY_MAX_S ? 2 * pause.tv_sec : RETRY_MAX_S);
	(void)event_add(n->route_timer, &pause);
}

void node_routes_added(struct node *n, const struct prefix *net, const struct err *e)
{
	bool was_missing = is_missing(n, net);

	if (e->code == 0 || !routes_has(&n->routes, net)) {
		forget_missing(n, net);
		if (n->missing.n == 0)
			n->missing.pause_s = 0;
	} else if (!was_missing) {
		n->counters.write_errors++;
		log_event(EVENT_ROUTE_FAILED, NULL, "%s: %s; it is tried again", e->msg,
			  strerror(-e->code));
		if (n->missing.n < NODE_MISSING_MAX)
			n->missing.net[n->missing.n++] = *net;
	}
	if (n->missing.n > 0)
		retry_later(n);
	if (was_missing != is_missing(n, net))
		judge_again(n);
}

/* --- the networks of this machine -------------------------------------------------------------- */

static void on_underlay(void *arg)
{
	struct node *n = arg;

	if (n->phase != NODE_RUNNING)
		return;
	judge_again(n);
	n->missing.pause_s = 0;
	node_routes_retry(n);
	node_mtu_anew(n);
	/* The way to the networks behind us may be another one. */
	node_forward_ask(n);
}

void node_routes_open(struct node *n)
{
	const struct underlaywatch_handler h = { .arg = n, .changed = on_underlay };
	struct err e = { 0 };
	int r = underlaywatch_open(&n->underlay, n->base, n->ready.ifindex, &h, &e);

	if (r < 0)
		log_event(EVENT_UNDERLAY_UNWATCHED, NULL,
			  "networks of peers are not compared with those of this machine: %s: %s",
			  e.msg, strerror(-r));
	n->route_timer = evtimer_new(n->base, on_retry, n);
	node_mtu_open(n);
}

void node_routes_close(struct node *n)
{
	node_mtu_close(n);
	underlaywatch_close(n->underlay);
	n->underlay = NULL;
	if (n->route_timer)
		event_free(n->route_timer);
	n->route_timer = NULL;
}

/* --- what an earlier run has left -------------------------------------------------------------- */

static int sweep_one(const struct prefix *net, void *arg)
{
	struct node *n = arg;
	char text[PREFIX_TEXT_SIZE];

	if (routes_has(&n->routes, net))
		return 0;
	log_event(EVENT_ROUTE_SWEPT, LOG_FIELDS({ "network", prefix_format(text, net) }),
		  "removing the route to %s, which an earlier run has left: nobody announces it",
		  text);
	send_route(n, net, false);
	return 0;
}

void node_routes_sweep(struct node *n)
{
	if (n->ready.was_adopted)
		underlaywatch_own_routes(n->underlay, sweep_one, n);
	node_admin_flush(n);
}

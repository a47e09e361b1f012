/* SPDX-License-Identifier: MIT */
/* nodefixture - a node whose netadmin, WireGuard and fellow members are the test */
#ifndef TESTS_UNIT_NODEFIXTURE_H
#define TESTS_UNIT_NODEFIXTURE_H

#include "common/log.h"
#include "common/str.h"
#include "daemon/clock.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/fakeadmin.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SELF	   10
#define BOB	   15
#define CAROL	   16
#define BOB_AT	   "192.0.2.15:52000"
#define CAROL_AT   "192.0.2.16:52000"
#define STRANGE_AT "198.51.100.66:52000"
#define SITE	   "192.168.10.0/24"

/**
 * struct fixture - A node whose netadmin is this test
 * @admin:	What comes to netadmin
 */
struct fixture {
	struct config config;
	struct node node;
	struct fakeadmin admin;
};

static inline void nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static inline void retry_routes(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	node_routes_retry(arg);
}

static inline void describe(void *arg, struct announcement *out, bool with_known,
			    const struct endpoint *to)
{
	(void)to;
	(void)arg;
	(void)with_known;
	out->self = peer_of(SELF);
}

static inline void open_links(struct fixture *f)
{
	struct exchange_config exchange = { .key = f->config.keys.gossip_key,
					    .once = true,
					    .handler = &f->node.handler };
	struct err e = { 0 };

	f->admin.fd = fakeadmin_open(&f->node);
	f->node.handler.describe = describe;
	f->node.handler.counters = &f->node.counters;
	assert_int_equal(exchange_open(&f->node.exchange, f->node.base, &exchange, &e), 0);
}

static inline int nodefixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct node *n = &f->node;
	struct wg_key self = key_of(SELF);

	assert_non_null(f);
	f->config.keys.gossip_port = 52000;
	f->config.keys.subnet = prefix_of("10.77.0.0/16");
	n->cfg = &f->config;
	n->base = event_base_new();
	n->peers = peers_new(&self);
	n->cache_timer = evtimer_new(n->base, nothing, NULL);
	n->phase = NODE_RUNNING;
	node_prospects_open(n);
	n->ready.mesh_ip = ip_of("10.77.255.10");
	peers_claim(n->peers, &n->ready.mesh_ip, &n->ready.mesh_ip6);
	n->route_timer = evtimer_new(n->base, retry_routes, n);
	(void)wg_key_format(n->self.key_text, &self);
	n->self.start_ms = clock_now().mono_ms;
	n->self.subnet = prefix_of("10.77.0.0/16");
	n->self.prefix6 = prefix_of("fd12:3456:789a:bcde::/64");
	open_links(f);
	*state = f;
	return 0;
}

static inline int nodefixture_free(void **state)
{
	struct fixture *f = *state;

	node_prospects_close(&f->node);
	node_peers_free(&f->node);
	exchange_close(f->node.exchange);
	adminlink_close(f->node.admin);
	(void)close(f->admin.fd);
	event_free(f->node.cache_timer);
	node_routes_close(&f->node);
	event_base_free(f->node.base);
	free(f);
	return 0;
}

/* --- playing netadmin ------------------------------------------------------------------------- */

static inline void assert_nothing_written(struct fixture *f)
{
	struct fakeadmin_request req = { 0 };

	if (fakeadmin_next(&f->admin, &req))
		fail_msg("request %u with flags %#x was written", req.op, req.peer.flags);
}

/* The next request, which must be a change of peer @n. */
static inline struct wg_peer_config change_of(struct fixture *f, unsigned int n)
{
	struct fakeadmin_request req = { 0 };
	struct wg_key key = key_of(n);

	if (!fakeadmin_next(&f->admin, &req))
		fail_msg("nothing was written for peer %u", n);
	assert_int_equal(req.op, NETADMIN_PEERS);
	assert_memory_equal(&req.peer.key, &key, sizeof(key));
	return req.peer;
}

static inline void assert_route_request(struct fixture *f, enum netadmin_op op, const char *net)
{
	struct fakeadmin_request req;
	char text[PREFIX_TEXT_SIZE];

	assert_true(fakeadmin_next(&f->admin, &req));
	assert_int_equal(req.op, op);
	assert_string_equal(prefix_format(text, &req.req.route), net);
}

static inline void drop_requests(struct fixture *f)
{
	struct fakeadmin_request req;

	while (fakeadmin_next(&f->admin, &req))
		;
}

static inline void begin_dump(struct fixture *f)
{
	f->node.dump_number++;
}

/* WireGuard's report of a peer that is as we wrote it last, with a fresh handshake. */
static inline struct wg_peer_state report_of(unsigned int n, const char *route)
{
	struct wg_peer_state s = { .key = key_of(n),
				   .endpoint = { .port = 51820 },
				   .keepalive_s = RECONCILE_KEEPALIVE_S };

	s.endpoint.ip = (struct ip) { .family = AF_INET, .b = { 192, 0, 2, (uint8_t)n } };
	s.handshake_s = clock_now().unix_s;
	s.allowed[s.n_allowed].ip = peer_of(n).mesh_ip;
	s.allowed[s.n_allowed++].bits = 32;
	if (route)
		s.allowed[s.n_allowed++] = prefix_of(route);
	return s;
}

static inline void settle(struct fixture *f)
{
	begin_dump(f);
	node_peers_dumped(&f->node);
}

/* --- playing other nodes ---------------------------------------------------------------------- */

static inline void announced(struct fixture *f, unsigned int n, const char *from, const char *route,
			     enum discovery_source source)
{
	struct announcement a = { .self = peer_of(n) };
	struct endpoint sender = endpoint_of(from);

	(void)str_copy(a.self.endpoint, sizeof(a.self.endpoint), "0.0.0.0:51820");
	if (route)
		a.routes[a.n_routes++] = prefix_of(route);
	node_peers_announced(
		&f->node, &a,
		&(struct discovery_origin) { .from = sender, .source = source, .rtt_us = 0 });
}

static inline void goodbye(struct fixture *f, unsigned int n, const char *from, int64_t age_s)
{
	struct endpoint sender = endpoint_of(from);
	struct wg_key key = key_of(n);

	node_peers_goodbye(&f->node, &key, clock_now().unix_s - age_s, &sender);
}

static inline struct peer *peer_at(struct fixture *f, unsigned int n)
{
	struct wg_key key = key_of(n);
	struct peer *p = peers_find(f->node.peers, &key);

	assert_non_null(p);
	return p;
}

/* Bob answered us, is configured and has a tunnel. */
static inline void connect_bob(struct fixture *f)
{
	struct wg_peer_state report = report_of(BOB, NULL);

	settle(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	/* The first handshake makes it our turn, too: the keepalive. */
	peers_mark(f->node.peers, peer_at(f, BOB));
	node_peers_flush(&f->node);
	drop_requests(f);
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	assert_nothing_written(f);
}

#endif /* TESTS_UNIT_NODEFIXTURE_H */

/* SPDX-License-Identifier: MIT */
#include "common/log.h"
#include "common/str.h"
#include "daemon/clock.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/fakeadmin.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SELF	   10
#define LOWER	   5
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

static void nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void retry_routes(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	node_routes_retry(arg);
}

static void describe(void *arg, struct announcement *out, bool with_known,
		     const struct endpoint *to)
{
	(void)to;
	(void)arg;
	(void)with_known;
	out->self = peer_of(SELF);
}

static void open_links(struct fixture *f)
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

static int make_fixture(void **state)
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

static int free_fixture(void **state)
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

static void assert_nothing_written(struct fixture *f)
{
	struct fakeadmin_request req = { 0 };

	if (fakeadmin_next(&f->admin, &req))
		fail_msg("request %u with flags %#x was written", req.op, req.peer.flags);
}

/* The next request, which must be a change of peer @n. */
static struct wg_peer_config change_of(struct fixture *f, unsigned int n)
{
	struct fakeadmin_request req = { 0 };
	struct wg_key key = key_of(n);

	if (!fakeadmin_next(&f->admin, &req))
		fail_msg("nothing was written for peer %u", n);
	assert_int_equal(req.op, NETADMIN_PEERS);
	assert_memory_equal(&req.peer.key, &key, sizeof(key));
	return req.peer;
}

static void assert_route_request(struct fixture *f, enum netadmin_op op, const char *net)
{
	struct fakeadmin_request req;
	char text[PREFIX_TEXT_SIZE];

	assert_true(fakeadmin_next(&f->admin, &req));
	assert_int_equal(req.op, op);
	assert_string_equal(prefix_format(text, &req.req.route), net);
}

static void drop_requests(struct fixture *f)
{
	struct fakeadmin_request req;

	while (fakeadmin_next(&f->admin, &req))
		;
}

static void begin_dump(struct fixture *f)
{
	f->node.dump_number++;
}

/* WireGuard's report of a peer that is as we wrote it last, with a fresh handshake. */
static struct wg_peer_state report_of(unsigned int n, const char *route)
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

static void settle(struct fixture *f)
{
	begin_dump(f);
	node_peers_dumped(&f->node);
}

/* --- playing other nodes ---------------------------------------------------------------------- */

static void announced(struct fixture *f, unsigned int n, const char *from, const char *route,
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

static void goodbye(struct fixture *f, unsigned int n, const char *from, int64_t age_s)
{
	struct endpoint sender = endpoint_of(from);
	struct wg_key key = key_of(n);

	node_peers_goodbye(&f->node, &key, clock_now().unix_s - age_s, &sender);
}

static struct peer *peer_at(struct fixture *f, unsigned int n)
{
	struct wg_key key = key_of(n);
	struct peer *p = peers_find(f->node.peers, &key);

	assert_non_null(p);
	return p;
}

/* Bob answered us, is configured and has a tunnel. */
static void connect_bob(struct fixture *f)
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

/* --- from a sighting to WireGuard -------------------------------------------------------------- */

static void before_it_is_known_what_wireguard_has_nothing_is_written(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_config change;

	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	assert_nothing_written(f);
	settle(f);
	change = change_of(f, BOB);
	assert_endpoint(&change.endpoint, "192.0.2.15:51820");
}

static void a_reply_configures_the_peer_at_once_and_its_repetition_does_nothing(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_config change;

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	change = change_of(f, BOB);
	assert_true(change.flags & WG_PEER_HAS_PSK);
	assert_endpoint(&change.endpoint, "192.0.2.15:51820");
	assert_int_equal(change.n_allowed, 2);
	assert_route_request(f, NETADMIN_ROUTE_ADD, SITE);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_HELLO);
	assert_nothing_written(f);
}

static void a_route_that_is_given_up_goes(void **state)
{
	struct fixture *f = *state;

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	drop_requests(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REPLACE_ALLOWED);
	assert_route_request(f, NETADMIN_ROUTE_DEL, SITE);
	assert_nothing_written(f);
}

static uint64_t tried(const struct fixture *f, enum peer_method via)
{
	return f->node.counters.prospects_tried[__builtin_ctz(via)];
}

static void hearsay_alone_configures_nobody(void **state)
{
	struct fixture *f = *state;
	struct known_peer carol = peer_of(CAROL);
	struct announcement a = { .self = peer_of(BOB), .known = &carol, .n_known = 1 };
	struct endpoint sender = endpoint_of(BOB_AT);

	settle(f);
	(void)str_copy(carol.endpoint, sizeof(carol.endpoint), "192.0.2.16:51820");
	node_peers_announced(&f->node, &a,
			     &(struct discovery_origin) {
				     .from = sender, .source = DISCOVERY_REPLY, .rtt_us = 0 });
	(void)change_of(f, BOB);
	assert_nothing_written(f);
	/* But she is asked, in her turn, at the exchange port of her host. */
	assert_endpoint(&peer_at(f, CAROL)->control, CAROL_AT);
	assert_int_equal(tried(f, METHOD_TRANSITIVE), 0);
	loop_drain(f->node.base);
	assert_int_equal(tried(f, METHOD_TRANSITIVE), 1);
	assert_int_equal(f->node.rows[peer_at(f, CAROL)->slot].refresh.hello_ms, 0);
}

/* --- what WireGuard says ----------------------------------------------------------------------- */

static void a_report_that_agrees_writes_nothing(void **state)
{
	connect_bob(*state);
}

static void a_peer_that_somebody_removed_is_added_again_whole(void **state)
{
	struct fixture *f = *state;

	connect_bob(f);
	settle(f);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_HAS_PSK | WG_PEER_HAS_ENDPOINT |
							  WG_PEER_HAS_KEEPALIVE |
							  WG_PEER_REPLACE_ALLOWED);
	assert_nothing_written(f);
}

static void a_peer_written_while_the_report_was_under_way_is_not_missed(void **state)
{
	struct fixture *f = *state;

	settle(f);
	begin_dump(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	drop_requests(f);
	node_peers_dumped(&f->node);
	assert_nothing_written(f);
}

static void what_an_adopted_interface_has_already_is_not_written_again(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, NULL);
	struct known_peer bob = peer_of(BOB);
	struct sighting s = sighting_of(&bob, METHOD_CACHE, "192.0.2.15:51820");

	report.endpoint = endpoint_of("203.0.113.7:41000");
	s.seen_unix_s = clock_now().unix_s;
	node_peers_sight(&f->node, &s, false);
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	assert_nothing_written(f);
}

static void strangers_go_only_after_a_while(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, NULL);

	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	assert_nothing_written(f);
	f->node.sweep_strangers = true;
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REMOVE);
}

/* --- two gateways ------------------------------------------------------------------------------ */

/* WireGuard gives a network to one peer only: whoever was written last. */
static void a_network_that_two_peers_announce_stays_with_the_first(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state bob = report_of(BOB, SITE);
	struct wg_peer_state carol = report_of(CAROL, NULL);

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	assert_int_equal(change_of(f, BOB).n_allowed, 2);
	assert_route_request(f, NETADMIN_ROUTE_ADD, SITE);
	announced(f, CAROL, CAROL_AT, SITE, DISCOVERY_REPLY);
	assert_int_equal(change_of(f, CAROL).n_allowed, 1);
	for (int i = 0; i < 3; i++) {
		begin_dump(f);
		node_peers_observed(&f->node, &bob);
		node_peers_observed(&f->node, &carol);
		node_peers_dumped(&f->node);
		assert_nothing_written(f);
	}
}

/* --- what may not be routed -------------------------------------------------------------------- */

static void a_peer_that_roams_into_its_own_network_loses_that_route(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, SITE);

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	drop_requests(f);
	report.endpoint = endpoint_of("192.168.10.9:51820");
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	assert_int_equal(change_of(f, BOB).n_allowed, 1);
	assert_route_request(f, NETADMIN_ROUTE_DEL, SITE);
	assert_nothing_written(f);
	assert_int_equal(peer_at(f, BOB)->route_verdict[0], ROUTE_OWN_PATH);
	/* And has it again where it may. */
	report = report_of(BOB, NULL);
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	assert_int_equal(change_of(f, BOB).n_allowed, 2);
	assert_route_request(f, NETADMIN_ROUTE_ADD, SITE);
}

static void a_route_that_failed_is_told_of_and_tried_again(void **state)
{
	const struct timeval soon = { .tv_usec = 1000 };
	const struct err why = { .code = -EEXIST, .msg = "route to it" };
	const struct err none = { .code = 0 };
	struct prefix net = prefix_of(SITE);
	struct fixture *f = *state;

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	drop_requests(f);
	node_routes_added(&f->node, &net, &why);
	assert_int_equal(peer_at(f, BOB)->route_verdict[0], ROUTE_FAILED);
	/* What WireGuard has stays as it is: packets from there are good. */
	assert_nothing_written(f);
	assert_true(evtimer_pending(f->node.route_timer, NULL));
	(void)event_add(f->node.route_timer, &soon);
	(void)event_base_loop(f->node.base, EVLOOP_ONCE);
	assert_route_request(f, NETADMIN_ROUTE_ADD, SITE);
	node_routes_added(&f->node, &net, &none);
	assert_int_equal(peer_at(f, BOB)->route_verdict[0], ROUTE_ACCEPTED);
	assert_int_equal(f->node.missing.n, 0);
}

/* --- somebody has our address ------------------------------------------------------------------ */

static void claimed(struct fixture *f, unsigned int n, const char *from)
{
	struct announcement a = { .self = peer_of(n) };
	struct discovery_origin o = { .from = endpoint_of(from), .source = DISCOVERY_HELLO };

	a.self.mesh_ip = f->node.ready.mesh_ip;
	node_peers_announced(&f->node, &a, &o);
}

static void who_has_our_address_and_the_lower_key_makes_us_ask_for_another(void **state)
{
	struct fixture *f = *state;
	struct fakeadmin_request req = { .op = 0 };

	settle(f);
	claimed(f, BOB, BOB_AT);
	while (fakeadmin_next(&f->admin, &req))
		assert_int_not_equal(req.op, NETADMIN_ADDRESS);
	claimed(f, LOWER, BOB_AT);
	while (fakeadmin_next(&f->admin, &req) && req.op != NETADMIN_ADDRESS)
		continue;
	assert_int_equal(req.op, NETADMIN_ADDRESS);
	assert_int_equal(req.req.nonce, 1);
	drop_requests(f);
	/* One at a time. */
	claimed(f, LOWER, BOB_AT);
	assert_nothing_written(f);
	/* Until it is on disk and on the interface, we are who we were. */
	assert_true(peer_at(f, LOWER)->lost_ip);
}

static void an_address_that_somebody_is_known_to_have_is_not_taken(void **state)
{
	struct fixture *f = *state;
	const struct config *c = &f->config;
	struct announcement a = { .self = peer_of(CAROL) };
	struct discovery_origin o = { .from = endpoint_of(CAROL_AT), .source = DISCOVERY_HELLO };
	struct fakeadmin_request req = { .op = 0 };

	settle(f);
	a.self.mesh_ip = derive_mesh_ip(&c->secret, &c->keys, NULL, f->node.self.key_text, 1);
	node_peers_announced(&f->node, &a, &o);
	drop_requests(f);
	claimed(f, LOWER, BOB_AT);
	while (fakeadmin_next(&f->admin, &req) && req.op != NETADMIN_ADDRESS)
		continue;
	assert_int_equal(req.req.nonce, 2);
}

static void a_move_that_failed_changes_nothing(void **state)
{
	const struct err why = { .code = -ENOSPC, .msg = "write it" };
	struct fixture *f = *state;
	struct ip before = f->node.ready.mesh_ip;

	settle(f);
	claimed(f, LOWER, BOB_AT);
	node_collision_moved(&f->node, &before, &why);
	assert_true(ip_equal(&f->node.ready.mesh_ip, &before));
	assert_int_equal(f->node.collision.moves, 0);
}

static void when_the_first_gateway_goes_the_second_takes_over_without_a_gap(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_config change;

	settle(f);
	/* The second one has the lower slot once the first has left and come back. */
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	announced(f, CAROL, CAROL_AT, SITE, DISCOVERY_REPLY);
	drop_requests(f);
	for (int i = 0; i < 2; i++) {
		unsigned int first = i == 0 ? BOB : CAROL;
		unsigned int second = i == 0 ? CAROL : BOB;

		goodbye(f, first, i == 0 ? BOB_AT : CAROL_AT, 0);
		assert_int_equal(change_of(f, first).flags, WG_PEER_REMOVE);
		change = change_of(f, second);
		assert_int_equal(change.flags, WG_PEER_REPLACE_ALLOWED);
		assert_int_equal(change.n_allowed, 2);
		/* The kernel's route points at the interface and need not change. */
		assert_nothing_written(f);
		announced(f, first, i == 0 ? BOB_AT : CAROL_AT, SITE, DISCOVERY_HELLO);
		assert_int_equal(change_of(f, first).n_allowed, 1);
		assert_nothing_written(f);
	}
}

/* --- who may say what -------------------------------------------------------------------------- */

static void what_comes_through_the_tunnel_does_not_lead_into_it(void **state)
{
	struct fixture *f = *state;
	const struct peer *p;

	settle(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	drop_requests(f);
	announced(f, BOB, "10.77.0.15:52000", NULL, DISCOVERY_HELLO);
	announced(f, BOB, "[fd12:3456:789a:bcde::1]:52000", NULL, DISCOVERY_HELLO);
	assert_nothing_written(f);
	p = peer_at(f, BOB);
	assert_endpoint(&p->endpoint, "192.0.2.15:51820");
	assert_endpoint(&p->control, BOB_AT);
}

static void a_live_tunnel_ends_only_on_the_word_of_its_own_peer(void **state)
{
	struct fixture *f = *state;

	connect_bob(f);
	goodbye(f, BOB, STRANGE_AT, 0);
	assert_nothing_written(f);
	goodbye(f, BOB, BOB_AT, 61);
	goodbye(f, BOB, BOB_AT, -61);
	assert_nothing_written(f);
	goodbye(f, BOB, BOB_AT, 5);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REMOVE);
	goodbye(f, BOB, BOB_AT, 5);
	assert_nothing_written(f);
}

static void a_goodbye_through_the_tunnel_is_the_peers_own_word(void **state)
{
	struct fixture *f = *state;

	connect_bob(f);
	goodbye(f, BOB, "10.77.0.15:52000", 0);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REMOVE);
}

static void a_goodbye_from_before_it_was_last_heard_is_somebody_elses(void **state)
{
	struct fixture *f = *state;
	struct announcement a = { .self = peer_of(BOB), .timestamp = clock_now().unix_s };
	const struct discovery_origin o = { .from = endpoint_of(BOB_AT),
					    .source = DISCOVERY_HELLO };
	struct wg_key key = key_of(BOB);

	node_peers_announced(&f->node, &a, &o);
	node_peers_goodbye(&f->node, &key, a.timestamp - 1, &o.from);
	assert_false(peer_at(f, BOB)->said_goodbye);
	/* Nor does one from elsewhere. */
	node_peers_goodbye(&f->node, &key, a.timestamp,
			   &(struct endpoint) { .ip = ip_of("192.0.2.99") });
	assert_false(peer_at(f, BOB)->said_goodbye);
	node_peers_goodbye(&f->node, &key, a.timestamp, &o.from);
	assert_true(peer_at(f, BOB)->said_goodbye);
}

static void a_goodbye_of_nobody_we_know_is_nothing(void **state)
{
	goodbye(*state, CAROL, CAROL_AT, 0);
	goodbye(*state, SELF, BOB_AT, 0);
	assert_nothing_written(*state);
}

/* --- what WireGuard does not take --------------------------------------------------------------- */

static void a_change_that_was_refused_is_tried_again_after_growing_pauses(void **state)
{
	struct fixture *f = *state;
	struct wg_key key = key_of(BOB);
	struct node_peer *row;
	int64_t pause = 1000;

	settle(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	drop_requests(f);
	row = &f->node.rows[peer_at(f, BOB)->slot];
	for (int i = 0; i < 12; i++) {
		int64_t now_ms = clock_now().mono_ms;

		node_peers_refused(&f->node, &key);
		assert_in_range(row->refused_until_ms - now_ms, pause, pause + 1000);
		node_peers_flush(&f->node);
		assert_nothing_written(f);
		row->refused_until_ms = now_ms;
		peers_mark(f->node.peers, peer_at(f, BOB));
		node_peers_flush(&f->node);
		/* Nobody knows what of it was taken: all of it is written. */
		assert_int_equal(change_of(f, BOB).flags, WG_PEER_HAS_PSK | WG_PEER_HAS_ENDPOINT |
								  WG_PEER_HAS_KEEPALIVE |
								  WG_PEER_REPLACE_ALLOWED);
		pause = pause < 256000 ? 2 * pause : pause;
	}
}

static void a_removal_that_was_refused_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct wg_key key = key_of(BOB);

	connect_bob(f);
	goodbye(f, BOB, BOB_AT, 0);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REMOVE);
	node_peers_refused(&f->node, &key);
	f->node.rows[peer_at(f, BOB)->slot].refused_until_ms = 0;
	node_peers_flush(&f->node);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REMOVE);
	node_peers_flush(&f->node);
	assert_nothing_written(f);
}

static void a_peer_that_was_taken_after_all_has_its_first_pause_again(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, NULL);
	struct wg_key key = key_of(BOB);
	struct node_peer *row;

	connect_bob(f);
	row = &f->node.rows[peer_at(f, BOB)->slot];
	node_peers_refused(&f->node, &key);
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	assert_int_equal(row->n_refused, 1);
	row->refused_until_ms = 0;
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	assert_int_equal(row->n_refused, 0);
	/* Of one that is nobody's any more, nothing is heard. */
	key = key_of(CAROL);
	node_peers_refused(&f->node, &key);
}

/* --- many at once ------------------------------------------------------------------------------- */

/* Peer number @i of many, as it announces itself. */
static void one_of_many(struct fixture *f, unsigned int i)
{
	struct announcement a = { .self = {
					  .key = { .b = { (uint8_t)i, (uint8_t)(i >> 8), 9 } } } };
	struct endpoint from = endpoint_of(BOB_AT);

	a.self.mesh_ip = (struct ip) { AF_INET, { 10, 77, (uint8_t)(100 + (i >> 8)), (uint8_t)i } };
	a.self.mesh_ip6 = ip_of("fd12:3456:789a:bcde::1");
	a.self.mesh_ip6.b[15] = (uint8_t)i;
	a.self.mesh_ip6.b[14] = (uint8_t)(i >> 8);
	(void)str_copy(a.self.endpoint, sizeof(a.self.endpoint), "192.0.2.9:51820");
	node_peers_announced(&f->node, &a,
			     &(struct discovery_origin) {
				     .from = from, .source = DISCOVERY_REPLY, .rtt_us = 0 });
}

/* Messages and changes that came to netadmin. */
static size_t count_batches(struct fixture *f, size_t *changes)
{
	struct fakeadmin_request req;
	size_t before = f->admin.messages;

	for (*changes = 0; fakeadmin_next(&f->admin, &req); ++*changes)
		assert_int_equal(req.op, NETADMIN_PEERS);
	return f->admin.messages - before;
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	node_peers_flush(arg);
}

static void all_that_came_in_one_turn_is_one_message(void **state)
{
	struct fixture *f = *state;
	struct node *n = &f->node;
	size_t changes;

	settle(f);
	n->flush_event = event_new(n->base, -1, 0, on_flush, n);
	for (unsigned int i = 1; i <= 64; i++)
		one_of_many(f, i);
	assert_nothing_written(f);
	loop_drain(n->base);
	assert_int_equal(count_batches(f, &changes), 1);
	assert_int_equal(changes, 64);
	event_free(n->flush_event);
	n->flush_event = NULL;
}

/* The interface was adopted, or made, while all of them were heard. */
static void a_thousand_at_once_are_two_messages(void **state)
{
	struct fixture *f = *state;
	size_t changes;

	for (unsigned int i = 1; i <= 999; i++)
		one_of_many(f, i);
	assert_nothing_written(f);
	settle(f);
	assert_int_equal(count_batches(f, &changes), 2);
	assert_int_equal(changes, 999);
	node_peers_flush(&f->node);
	assert_nothing_written(f);
}

/* A member can invent others, but not their tunnels. */
static void invented_members_do_not_keep_a_newcomer_out(void **state)
{
	struct fixture *f = *state;
	struct wg_key first = { .b = { 1, 0, 9 } };
	struct wg_key second = { .b = { 2, 0, 9 } };
	struct wg_key bob = key_of(BOB);
	struct peers *t = f->node.peers;

	settle(f);
	for (unsigned int i = 1; i <= PEERS_MAX; i++)
		one_of_many(f, i);
	node_peers_flush(&f->node);
	for (struct peer *p = peers_next(t, NULL); p; p = peers_next(t, p))
		p->applied.present = true;
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_int_equal(peers_count(t), PEERS_MAX);
	assert_null(peers_find(t, &bob));
	/* The oldest one has a tunnel, the next one has had the time to make one. */
	peers_find(t, &first)->first_seen_ms -= 600000;
	peers_find(t, &first)->handshake_s = 1;
	peers_find(t, &second)->first_seen_ms -= 300000;
	drop_requests(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_non_null(peer_at(f, BOB));
	assert_non_null(peers_find(t, &first));
	assert_null(peers_find(t, &second));
	assert_int_equal(peers_count(t), PEERS_MAX);
}

static void who_comes_back_after_a_goodbye_is_configured_anew(void **state)
{
	struct fixture *f = *state;

	connect_bob(f);
	goodbye(f, BOB, BOB_AT, 0);
	drop_requests(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_true(change_of(f, BOB).flags & WG_PEER_HAS_PSK);
}

static void a_row_that_changes_hands_forgets_how_often_the_last_one_was_asked(void **state)
{
	struct fixture *f = *state;
	struct node *n = &f->node;

	settle(f);
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct known_peer who = { .key = { .b = { (uint8_t)i, (uint8_t)(i >> 8), 9 } } };
		struct sighting s = sighting_of(&who, METHOD_TRANSITIVE, NULL);

		node_peers_sight(n, &s, false);
		n->rows[i].refresh.n_unanswered = 7;
		n->rows[i].refresh.hello_ms = clock_now().mono_ms;
	}
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	assert_int_equal(n->rows[peer_at(f, BOB)->slot].refresh.n_unanswered, 0);
	/* It has just answered: there is nothing to ask it now. */
	assert_true(n->rows[peer_at(f, BOB)->slot].refresh.met_ms > 0);
}

/* The row of a peer of our kind, which says HELLO, while we know @n_others more. */
static const struct node_peer *said_hello(struct fixture *f, unsigned int n_others)
{
	struct announcement a = { .self = peer_of(BOB), .instance = "0123456789abcdef" };
	struct endpoint sender = endpoint_of(BOB_AT);

	settle(f);
	for (unsigned int i = 0; i < n_others; i++) {
		struct known_peer who = { .key = { .b = { (uint8_t)i, 1, 9 } } };
		struct sighting s = sighting_of(&who, METHOD_TRANSITIVE, NULL);

		node_peers_sight(&f->node, &s, false);
	}
	(void)str_copy(a.self.endpoint, sizeof(a.self.endpoint), "0.0.0.0:51820");
	node_peers_announced(
		&f->node, &a,
		&(struct discovery_origin) { .from = sender, .source = DISCOVERY_HELLO });
	return &f->node.rows[peer_at(f, BOB)->slot];
}

static void among_few_a_hello_is_answered_with_a_reply_and_a_hello(void **state)
{
	assert_int_equal(said_hello(*state, 3)->refresh.n_unanswered, 1);
	assert_true(peer_at(*state, BOB)->replied_ms == INT64_MIN);
}

static void among_many_the_reply_will_do(void **state)
{
	assert_int_equal(said_hello(*state, REFRESH_CROWD)->refresh.n_unanswered, 0);
	assert_true(peer_at(*state, BOB)->replied_ms != INT64_MIN);
}

static void a_tunnel_that_is_lost_is_asked_after_soon(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, NULL);
	struct peer *p;

	connect_bob(f);
	p = peer_at(f, BOB);
	assert_true(f->node.rows[p->slot].is_linked);
	assert_true(p->tunnel_ms > 0);
	report.handshake_s -= PEER_HANDSHAKE_S + 1;
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	assert_true(f->node.rows[p->slot].is_linked);
	p->tunnel_ms -= 120000;
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	assert_false(f->node.rows[p->slot].is_linked);
	assert_true(peers_is_marked(f->node.peers, p));
}

/* --- what is counted and measured --------------------------------------------------------------- */

static void writes_and_passes_are_counted(void **state)
{
	struct fixture *f = *state;
	const struct view_counters *c = &f->node.counters;
	uint64_t noop;

	settle(f);
	noop = c->passes_noop;
	assert_int_equal(c->passes_changed, 0);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	assert_int_equal(c->peer_writes, 1);
	assert_int_equal(c->route_writes, 1);
	assert_int_equal(c->passes_changed, 1);
	node_peers_flush(&f->node);
	assert_int_equal(c->passes_changed, 1);
	assert_int_equal(c->passes_noop, noop + 1);
	assert_int_equal(f->node.reconcile_s.n, c->passes_changed + c->passes_noop);
}

static void sightings_are_counted_by_method(void **state)
{
	struct fixture *f = *state;

	announced(f, BOB, BOB_AT, NULL, DISCOVERY_LAN);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	assert_int_equal(f->node.counters.sightings[1], 1); /* METHOD_LAN */
	assert_int_equal(f->node.counters.sightings[2], 2); /* METHOD_EXCHANGE */
	assert_true(f->node.was_heard);
}

static void an_announcement_of_our_own_key_is_nobody_who_was_heard(void **state)
{
	struct fixture *f = *state;

	f->node.ready.public_key = key_of(SELF);
	announced(f, SELF, BOB_AT, NULL, DISCOVERY_LAN);
	assert_false(f->node.was_heard);
}

static void an_answer_tells_of_clock_round_trip_and_our_own_address(void **state)
{
	struct announcement a = { .self = peer_of(BOB), .timestamp = clock_now().unix_s - 40 };
	struct endpoint sender = endpoint_of(BOB_AT);
	struct fixture *f = *state;
	const struct peer *p;

	a.observed = endpoint_of("203.0.113.1:52000");
	node_peers_announced(&f->node, &a,
			     &(struct discovery_origin) {
				     .from = sender, .source = DISCOVERY_REPLY, .rtt_us = 1500 });
	p = peer_at(f, BOB);
	assert_in_range(-p->skew_s, 40, 42);
	assert_int_equal(p->rtt_us, 1500);
	assert_int_equal(f->node.rtt_s.n, 1);
	assert_int_equal(f->node.ownaddr.n, 1);
	/* Without a measurement the last one stays; and only an answer tells where we are. */
	a.timestamp = clock_now().unix_s;
	sender = endpoint_of(CAROL_AT);
	node_peers_announced(&f->node, &a,
			     &(struct discovery_origin) {
				     .from = sender, .source = DISCOVERY_HELLO, .rtt_us = 0 });
	assert_in_range(p->skew_s + 2, 0, 2);
	assert_int_equal(p->rtt_us, 1500);
	assert_int_equal(f->node.rtt_s.n, 1);
	assert_int_equal(f->node.ownaddr.n, 1);
}

static void observe(struct fixture *f, uint64_t rx, uint64_t tx)
{
	struct wg_peer_state report = report_of(BOB, NULL);

	report.rx_bytes = rx;
	report.tx_bytes = tx;
	node_peers_observed(&f->node, &report);
}

static void rates_are_those_between_two_reports_a_second_apart(void **state)
{
	struct fixture *f = *state;
	struct node_peer *row;
	const struct peer *p;

	connect_bob(f);
	p = peer_at(f, BOB);
	row = &f->node.rows[p->slot];
	row->read_ms = 0;
	observe(f, 1000, 2000);
	assert_int_equal(p->rx_rate, 0);
	/* Too soon for a rate, and the bytes are of this moment all the same. */
	observe(f, 5000, 6000);
	assert_int_equal(p->rx_bytes, 5000);
	assert_int_equal(p->rx_rate, 0);
	row->read_ms -= 10000;
	observe(f, 21000, 42000);
	assert_in_range(p->rx_rate, 1900, 2000);
	assert_in_range(p->tx_rate, 3800, 4000);
	/* Configured anew, it counts from zero. */
	row->read_ms -= 10000;
	observe(f, 10, 43000);
	assert_int_equal(p->rx_rate, 0);
	assert_in_range(p->tx_rate, 50, 100);
}

static void a_greeting_goes_to_those_who_are_there(void **state)
{
	struct fixture *f = *state;
	uint64_t before;

	settle(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	announced(f, CAROL, CAROL_AT, NULL, DISCOVERY_REPLY);
	goodbye(f, CAROL, CAROL_AT, 0);
	before = f->node.counters.hellos_sent;
	node_peers_greet(&f->node);
	assert_int_equal(f->node.counters.hellos_sent, before + 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(before_it_is_known_what_wireguard_has_nothing_is_written),
		T(a_reply_configures_the_peer_at_once_and_its_repetition_does_nothing),
		T(a_route_that_is_given_up_goes),
		T(hearsay_alone_configures_nobody),
		T(a_report_that_agrees_writes_nothing),
		T(a_peer_that_somebody_removed_is_added_again_whole),
		T(a_peer_written_while_the_report_was_under_way_is_not_missed),
		T(what_an_adopted_interface_has_already_is_not_written_again),
		T(strangers_go_only_after_a_while),
		T(a_network_that_two_peers_announce_stays_with_the_first),
		T(a_peer_that_roams_into_its_own_network_loses_that_route),
		T(a_route_that_failed_is_told_of_and_tried_again),
		T(who_has_our_address_and_the_lower_key_makes_us_ask_for_another),
		T(an_address_that_somebody_is_known_to_have_is_not_taken),
		T(a_move_that_failed_changes_nothing),
		T(when_the_first_gateway_goes_the_second_takes_over_without_a_gap),
		T(what_comes_through_the_tunnel_does_not_lead_into_it),
		T(a_live_tunnel_ends_only_on_the_word_of_its_own_peer),
		T(a_goodbye_through_the_tunnel_is_the_peers_own_word),
		T(a_goodbye_from_before_it_was_last_heard_is_somebody_elses),
		T(a_goodbye_of_nobody_we_know_is_nothing),
		T(invented_members_do_not_keep_a_newcomer_out),
		T(who_comes_back_after_a_goodbye_is_configured_anew),
		T(a_row_that_changes_hands_forgets_how_often_the_last_one_was_asked),
		T(among_few_a_hello_is_answered_with_a_reply_and_a_hello),
		T(among_many_the_reply_will_do),
		T(a_tunnel_that_is_lost_is_asked_after_soon),
		T(a_change_that_was_refused_is_tried_again_after_growing_pauses),
		T(a_removal_that_was_refused_is_tried_again),
		T(a_peer_that_was_taken_after_all_has_its_first_pause_again),
		T(all_that_came_in_one_turn_is_one_message),
		T(a_thousand_at_once_are_two_messages),
		T(writes_and_passes_are_counted),
		T(sightings_are_counted_by_method),
		T(an_announcement_of_our_own_key_is_nobody_who_was_heard),
		T(an_answer_tells_of_clock_round_trip_and_our_own_address),
		T(rates_are_those_between_two_reports_a_second_apart),
		T(a_greeting_goes_to_those_who_are_there),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/nodefixture.h"

/* --- from a sighting to WireGuard ------------------------------------------------------------- */

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

/* --- what WireGuard says ---------------------------------------------------------------------- */

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

/* --- who may say what ------------------------------------------------------------------------- */

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

static void who_comes_back_after_a_goodbye_is_configured_anew(void **state)
{
	struct fixture *f = *state;

	connect_bob(f);
	goodbye(f, BOB, BOB_AT, 0);
	drop_requests(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_true(change_of(f, BOB).flags & WG_PEER_HAS_PSK);
}

/* --- what is asked and answered --------------------------------------------------------------- */

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

/* --- what is counted and measured ------------------------------------------------------------- */

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

#define T(test) cmocka_unit_test_setup_teardown(test, nodefixture_make, nodefixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(before_it_is_known_what_wireguard_has_nothing_is_written),
		T(a_reply_configures_the_peer_at_once_and_its_repetition_does_nothing),
		T(hearsay_alone_configures_nobody),
		T(a_report_that_agrees_writes_nothing),
		T(a_peer_that_somebody_removed_is_added_again_whole),
		T(a_peer_written_while_the_report_was_under_way_is_not_missed),
		T(what_an_adopted_interface_has_already_is_not_written_again),
		T(strangers_go_only_after_a_while),
		T(a_tunnel_that_is_lost_is_asked_after_soon),
		T(what_comes_through_the_tunnel_does_not_lead_into_it),
		T(a_live_tunnel_ends_only_on_the_word_of_its_own_peer),
		T(a_goodbye_through_the_tunnel_is_the_peers_own_word),
		T(a_goodbye_from_before_it_was_last_heard_is_somebody_elses),
		T(a_goodbye_of_nobody_we_know_is_nothing),
		T(who_comes_back_after_a_goodbye_is_configured_anew),
		T(a_row_that_changes_hands_forgets_how_often_the_last_one_was_asked),
		T(among_few_a_hello_is_answered_with_a_reply_and_a_hello),
		T(among_many_the_reply_will_do),
		T(a_greeting_goes_to_those_who_are_there),
		T(writes_and_passes_are_counted),
		T(sightings_are_counted_by_method),
		T(an_announcement_of_our_own_key_is_nobody_who_was_heard),
		T(an_answer_tells_of_clock_round_trip_and_our_own_address),
		T(rates_are_those_between_two_reports_a_second_apart),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

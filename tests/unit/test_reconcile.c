/* SPDX-License-Identifier: MIT */
#include "daemon/peers/reconcile.h"
#include "tests/unit/fixtures.h"

#include <string.h>

#define OUR_KEY	  10 /* peers below have lower keys, peers above higher ones */
#define LOWER	  5
#define HIGHER	  15
#define ENDPOINT  "192.0.2.1:51820"
#define OTHER_WAY "198.51.100.7:40000"

static struct reconcile_self self_of(unsigned int n)
{
	struct reconcile_self self = {
		.start_ms = at(0).mono_ms,
		.subnet = prefix_of("10.77.0.0/16"),
		.prefix6 = prefix_of("fd12:3456:789a:bcde::/64"),
	};
	struct wg_key key = key_of(n);

	(void)wg_key_format(self.key_text, &key);
	return self;
}

/* A peer that was first seen and heard at the start, as the table would hold it. */
static struct peer heard_peer(unsigned int n)
{
	static struct prefix routes[ANNOUNCE_ROUTES_MAX];
	static uint8_t verdicts[ANNOUNCE_ROUTES_MAX];
	struct peer p = { .info = peer_of(n), .in_use = true };

	memset(verdicts, ROUTE_UNJUDGED, sizeof(verdicts));
	p.routes = routes;
	p.route_verdict = verdicts;
	(void)wg_key_format(p.key_text, &p.info.key);
	p.endpoint = endpoint_of(ENDPOINT);
	p.methods = METHOD_EXCHANGE;
	p.first_seen_ms = at(0).mono_ms;
	p.heard_ms = at(0).mono_ms;
	p.seen_unix_s = at(0).unix_s;
	p.replied_ms = INT64_MIN;
	return p;
}

static struct peer cached_peer(unsigned int n)
{
	struct peer p = heard_peer(n);

	p.methods = METHOD_CACHE;
	p.heard_ms = INT64_MIN;
	return p;
}

static struct reconcile_want want_of(const struct peer *p, int64_t ms)
{
	struct reconcile_self self = self_of(OUR_KEY);
	struct reconcile_want want;

	reconcile_want(&want, p, &self, at(ms));
	return want;
}

static bool diff_of(struct wg_peer_config *out, const struct peer *p, int64_t ms)
{
	struct reconcile_want want = want_of(p, ms);

	return reconcile_diff(out, p, &want, at(ms));
}

/* Writes what differs, as the node does; tells whether anything did. */
static bool apply(struct peer *p, int64_t ms)
{
	struct reconcile_want want = want_of(p, ms);
	struct wg_peer_config change;
	bool differs = reconcile_diff(&change, p, &want, at(ms));

	if (differs)
		reconcile_applied(p, &want);
	return differs;
}

/* A peer that is configured, with a handshake at the start. */
static struct peer tunnelled_peer(unsigned int n)
{
	struct peer p = heard_peer(n);

	assert_true(apply(&p, RECONCILE_PATIENCE_MS));
	p.handshake_s = at(0).unix_s;
	p.tunnel = endpoint_of(ENDPOINT);
	return p;
}

static void assert_allowed(const struct reconcile_want *want, size_t i, const char *text)
{
	char got[PREFIX_TEXT_SIZE];

	assert_true(i < want->n_allowed);
	assert_string_equal(prefix_format(got, &want->allowed[i]), text);
}

/* --- who begins the handshake ---------------------------------------------------------------- */

static void the_lower_key_begins_once_the_other_end_has_answered(void **state)
{
	struct peer p = heard_peer(HIGHER);
	struct reconcile_want want;

	(void)state;
	p.replied_ms = at(50).mono_ms;
	want = want_of(&p, 50);
	assert_int_equal(want.keepalive_s, 0);
	assert_int_equal(want.again_ms, at(50 + RECONCILE_SETTLE_MS).mono_ms);
	want = want_of(&p, 50 + RECONCILE_SETTLE_MS);
	assert_int_equal(want.keepalive_s, RECONCILE_KEEPALIVE_S);
	assert_true(want.again_ms == INT64_MAX);
}

static void the_higher_key_waits_for_the_other_end_even_after_its_answer(void **state)
{
	struct peer p = heard_peer(LOWER);
	struct reconcile_want want;

	(void)state;
	p.replied_ms = at(50).mono_ms;
	want = want_of(&p, RECONCILE_PATIENCE_MS - 1);
	assert_int_equal(want.keepalive_s, 0);
	assert_int_equal(want.again_ms, at(RECONCILE_PATIENCE_MS).mono_ms);
	want = want_of(&p, RECONCILE_PATIENCE_MS);
	assert_int_equal(want.keepalive_s, RECONCILE_KEEPALIVE_S);
}

static void without_an_answer_the_lower_key_waits_as_long_as_the_higher_one(void **state)
{
	struct peer p = heard_peer(HIGHER);

	(void)state;
	assert_int_equal(want_of(&p, RECONCILE_PATIENCE_MS - 1).keepalive_s, 0);
	assert_int_equal(want_of(&p, RECONCILE_PATIENCE_MS).keepalive_s, RECONCILE_KEEPALIVE_S);
}

static void a_peer_is_configured_while_the_other_end_is_left_to_begin(void **state)
{
	struct peer p = heard_peer(LOWER);
	struct wg_peer_config change;

	(void)state;
	assert_true(diff_of(&change, &p, 0));
	assert_int_equal(change.flags, WG_PEER_HAS_PSK | WG_PEER_HAS_ENDPOINT |
					       WG_PEER_HAS_KEEPALIVE | WG_PEER_REPLACE_ALLOWED);
	assert_int_equal(change.keepalive_s, 0);
	assert_null(change.psk);
	assert_memory_equal(&change.key, &p.info.key, sizeof(change.key));
	assert_endpoint(&change.endpoint, ENDPOINT);
	assert_int_equal(change.n_allowed, 1);
}

static struct reconcile_want held_want(const struct peer *p, int64_t ms)
{
	struct reconcile_self self = self_of(OUR_KEY);
	struct reconcile_want want;

	self.hold_until_ms = at(180000).mono_ms;
	reconcile_want(&want, p, &self, at(ms));
	return want;
}

/* Peers would take what we begin for a replay, but we answer what they begin. */
static void with_a_clock_that_ran_backwards_we_begin_nothing_for_a_while(void **state)
{
	struct peer peers[3];

	(void)state;
	peers[0] = cached_peer(HIGHER);
	peers[1] = heard_peer(HIGHER);
	peers[2] = heard_peer(LOWER);
	peers[1].replied_ms = at(50).mono_ms;
	for (size_t i = 0; i < 3; i++) {
		struct reconcile_want want = held_want(&peers[i], 5000);

		assert_true(want.present);
		assert_int_equal(want.keepalive_s, 0);
		assert_int_equal(want.again_ms, at(180000).mono_ms);
		assert_int_equal(want.n_allowed, 1);
		assert_endpoint(&want.endpoint, ENDPOINT);
		assert_int_equal(held_want(&peers[i], 180000).keepalive_s, RECONCILE_KEEPALIVE_S);
	}
}

static void a_tunnel_that_is_up_does_not_notice_that_the_clock_ran_backwards(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct reconcile_want want = held_want(&p, 5000);
	struct wg_peer_config change;

	(void)state;
	assert_int_equal(want.keepalive_s, RECONCILE_KEEPALIVE_S);
	assert_false(reconcile_diff(&change, &p, &want, at(5000)));
	/* By the clock that is behind, its handshake is in the future. */
	p.handshake_s = at(0).unix_s + 3600;
	want = held_want(&p, 5000);
	assert_false(reconcile_diff(&change, &p, &want, at(5000)));
}

static void our_turn_writes_nothing_but_the_keepalive(void **state)
{
	struct peer p = heard_peer(LOWER);
	struct wg_peer_config change;

	(void)state;
	assert_true(apply(&p, 0));
	assert_true(diff_of(&change, &p, RECONCILE_PATIENCE_MS));
	assert_int_equal(change.flags, WG_PEER_HAS_KEEPALIVE);
	assert_int_equal(change.keepalive_s, RECONCILE_KEEPALIVE_S);
}

static void a_peer_from_the_cache_may_answer_before_it_is_begun_with(void **state)
{
	struct peer low = cached_peer(LOWER);
	struct peer high = cached_peer(HIGHER);

	(void)state;
	assert_true(want_of(&low, 0).present && want_of(&high, 0).present);
	assert_int_equal(want_of(&low, 0).keepalive_s, 0);
	assert_int_equal(want_of(&high, 0).keepalive_s, 0);
	assert_int_equal(want_of(&low, RECONCILE_PATIENCE_MS).keepalive_s, RECONCILE_KEEPALIVE_S);
	assert_int_equal(want_of(&high, RECONCILE_PATIENCE_MS).keepalive_s, RECONCILE_KEEPALIVE_S);
}

static void a_handshake_that_the_other_end_began_makes_it_our_turn_too(void **state)
{
	struct peer p = heard_peer(LOWER);

	(void)state;
	p.handshake_s = at(0).unix_s;
	assert_int_equal(want_of(&p, 1).keepalive_s, RECONCILE_KEEPALIVE_S);
}

static void a_keepalive_once_on_never_goes_off_again(void **state)
{
	struct peer p = heard_peer(HIGHER);

	(void)state;
	assert_true(apply(&p, RECONCILE_PATIENCE_MS));
	assert_int_equal(p.applied.keepalive_s, RECONCILE_KEEPALIVE_S);
	/* A late answer moves the moment of our turn into the future. */
	p.replied_ms = at(5000).mono_ms;
	assert_int_equal(want_of(&p, 5001).keepalive_s, RECONCILE_KEEPALIVE_S);
	assert_false(apply(&p, 5001));
	/* So would a peer that is heard of anew. */
	p.first_seen_ms = at(6000).mono_ms;
	p.replied_ms = INT64_MIN;
	assert_false(apply(&p, 6000));
}

/* --- introductions --------------------------------------------------------------------------- */

/* Brought together with somebody: our turn comes at 2 s, and all is over at 12 s. */
static struct peer introduced_peer(const char *endpoint)
{
	struct peer p = heard_peer(HIGHER);

	p.punch.endpoint = endpoint_of(endpoint);
	p.punch.turn_ms = at(2000).mono_ms;
	p.punch.until_ms = at(12000).mono_ms;
	return p;
}

static void an_introduction_has_its_own_moment_and_endpoint(void **state)
{
	struct peer p = introduced_peer(OTHER_WAY);
	struct reconcile_want want = want_of(&p, 1999);

	(void)state;
	assert_int_equal(want.keepalive_s, 0);
	assert_int_equal(want.again_ms, at(2000).mono_ms);
	assert_endpoint(&want.endpoint, OTHER_WAY);
	want = want_of(&p, 2000);
	assert_int_equal(want.keepalive_s, RECONCILE_KEEPALIVE_S);
	assert_endpoint(&want.endpoint, OTHER_WAY);
	want = want_of(&p, 12000);
	assert_endpoint(&want.endpoint, ENDPOINT);
}

static void an_introduction_without_an_endpoint_keeps_the_usual_one(void **state)
{
	struct peer p = introduced_peer(NULL);
	struct reconcile_want want = want_of(&p, 2000);

	(void)state;
	assert_endpoint(&want.endpoint, ENDPOINT);
}

static void a_stranger_may_knock_and_gets_no_address_for_it(void **state)
{
	struct peer p = introduced_peer(OTHER_WAY);
	struct reconcile_want want;

	(void)state;
	p.heard_ms = INT64_MIN;
	p.methods = METHOD_TRANSITIVE;
	want = want_of(&p, 2000);
	assert_true(want.present);
	assert_int_equal(want.n_allowed, 0);
	assert_false(want_of(&p, 12000).present);
	p.handshake_s = at(3000).unix_s;
	want = want_of(&p, 4000);
	assert_int_equal(want.n_allowed, 1);
}

static void what_a_relay_carries_counts_as_its_own(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct reconcile_want want = want_of(&p, 2000);
	struct wg_peer_config change;
	struct prefix more = prefix_of("10.77.0.99/32");

	(void)state;
	want.relayed_hash = reconcile_allowed_hash(&more, 1);
	assert_true(reconcile_diff(&change, &p, &want, at(2000)));
	assert_int_equal(change.flags, WG_PEER_REPLACE_ALLOWED);
	p.applied.allowed_hash += want.relayed_hash;
	assert_false(reconcile_diff(&change, &p, &want, at(2000)));
}

/* --- who is configured at all ------------------------------------------------------------------ */

static void what_only_others_told_of_is_not_configured(void **state)
{
	struct peer p = cached_peer(HIGHER);

	(void)state;
	p.methods = METHOD_TRANSITIVE;
	assert_false(want_of(&p, 0).present);
	p.methods |= METHOD_EXCHANGE;
	p.heard_ms = at(0).mono_ms;
	assert_true(want_of(&p, 0).present);
}

static void a_peer_without_a_mesh_address_is_not_configured(void **state)
{
	struct peer p = heard_peer(HIGHER);

	(void)state;
	p.info.mesh_ip = (struct ip) { .family = 0 };
	assert_false(want_of(&p, 0).present);
}

static void a_peer_without_an_endpoint_is_configured_and_may_come_to_us(void **state)
{
	struct peer p = heard_peer(HIGHER);
	struct wg_peer_config change;

	(void)state;
	p.endpoint = endpoint_of(NULL);
	assert_true(diff_of(&change, &p, 0));
	assert_int_equal(change.flags & WG_PEER_HAS_ENDPOINT, 0);
	assert_int_equal(change.n_allowed, 1);
}

static void a_silent_peer_goes_after_ten_minutes(void **state)
{
	struct peer p = heard_peer(HIGHER);
	struct wg_peer_config change;

	(void)state;
	assert_true(apply(&p, 0));
	assert_true(want_of(&p, PEER_FORGET_MS - 1).present);
	assert_true(diff_of(&change, &p, PEER_FORGET_MS));
	assert_int_equal(change.flags, WG_PEER_REMOVE);
	assert_memory_equal(&change.key, &p.info.key, sizeof(change.key));
}

static void a_silent_peer_stays_while_its_tunnel_lives(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	int64_t ms = 2 * PEER_FORGET_MS;

	(void)state;
	p.handshake_s = at(ms).unix_s;
	assert_true(want_of(&p, ms).present);
	assert_true(want_of(&p, ms + PEER_HANDSHAKE_S * 1000 - 1000).present);
	assert_false(want_of(&p, ms + PEER_HANDSHAKE_S * 1000).present);
}

static void a_cached_peer_is_tried_for_ten_minutes_of_this_run(void **state)
{
	struct peer p = cached_peer(HIGHER);

	(void)state;
	p.seen_unix_s = at(-86400000).unix_s;
	assert_true(want_of(&p, RECONCILE_CACHED_MS - 1).present);
	assert_false(want_of(&p, RECONCILE_CACHED_MS).present);
}

static void a_goodbye_removes_a_peer_although_its_tunnel_lives(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct wg_peer_config change;

	(void)state;
	p.said_goodbye = true;
	assert_true(diff_of(&change, &p, RECONCILE_PATIENCE_MS));
	assert_int_equal(change.flags, WG_PEER_REMOVE);
}

static void what_is_not_there_is_not_removed_again(void **state)
{
	struct peer p = heard_peer(HIGHER);

	(void)state;
	assert_true(apply(&p, 0));
	assert_true(apply(&p, PEER_FORGET_MS));
	assert_false(p.applied.present);
	assert_int_equal(p.applied.keepalive_s, 0);
	assert_false(apply(&p, PEER_FORGET_MS + 1));
}

/* --- the smallest change ------------------------------------------------------------------------ */

static void when_nothing_differs_nothing_is_written(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct wg_peer_config change;

	(void)state;
	assert_false(diff_of(&change, &p, RECONCILE_PATIENCE_MS));
	assert_int_equal(change.flags, 0);
	assert_false(diff_of(&change, &p, 60000));
}

static void a_new_endpoint_writes_nothing_but_the_endpoint(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct wg_peer_config change;

	(void)state;
	p.endpoint = endpoint_of(OTHER_WAY);
	assert_true(diff_of(&change, &p, 2000));
	assert_int_equal(change.flags, WG_PEER_HAS_ENDPOINT);
	assert_endpoint(&change.endpoint, OTHER_WAY);
	assert_int_equal(change.n_allowed, 0);
	assert_true(apply(&p, 2000));
	assert_false(apply(&p, 2000));
}

static void a_new_route_writes_nothing_but_the_allowed_list(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct wg_peer_config change;

	(void)state;
	p.routes[0] = prefix_of("192.168.10.0/24");
	p.n_routes = 1;
	assert_true(diff_of(&change, &p, 2000));
	assert_int_equal(change.flags, WG_PEER_REPLACE_ALLOWED);
	assert_int_equal(change.n_allowed, 2);
	assert_true(apply(&p, 2000));
	assert_false(apply(&p, 2000));
}

static void a_peer_back_from_removal_gets_everything_again(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct wg_peer_config change;

	(void)state;
	p.said_goodbye = true;
	assert_true(apply(&p, 2000));
	p.said_goodbye = false;
	assert_true(diff_of(&change, &p, 3000));
	assert_int_equal(change.flags, WG_PEER_HAS_PSK | WG_PEER_HAS_ENDPOINT |
					       WG_PEER_HAS_KEEPALIVE | WG_PEER_REPLACE_ALLOWED);
}

/* --- roaming ------------------------------------------------------------------------------------ */

static void an_endpoint_that_roamed_is_left_alone_while_packets_flow(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);

	(void)state;
	p.tunnel = endpoint_of(OTHER_WAY);
	assert_false(apply(&p, PEER_HANDSHAKE_S * 1000 - 1000));
}

static void a_dead_tunnel_gets_our_endpoint_back_once(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct wg_peer_config change;
	int64_t ms = PEER_HANDSHAKE_S * 1000;

	(void)state;
	p.tunnel = endpoint_of(OTHER_WAY);
	assert_true(diff_of(&change, &p, ms));
	assert_int_equal(change.flags, WG_PEER_HAS_ENDPOINT);
	assert_endpoint(&change.endpoint, ENDPOINT);
	assert_true(apply(&p, ms));
	assert_false(apply(&p, ms));
	p.tunnel = endpoint_of(ENDPOINT);
	assert_false(apply(&p, ms + 1000));
}

static void where_wireguard_sends_first_handshakes_is_not_called_roaming(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);

	(void)state;
	p.handshake_s = 0;
	p.tunnel = endpoint_of(OTHER_WAY);
	assert_false(apply(&p, 5000));
}

static void losing_our_idea_of_the_endpoint_does_not_touch_wireguards(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);

	(void)state;
	p.endpoint = endpoint_of(NULL);
	assert_false(apply(&p, 2000));
}

/* --- what is allowed ---------------------------------------------------------------------------- */

static void an_endpoint_inside_the_mesh_is_refused(void **state)
{
	struct peer p = heard_peer(HIGHER);
	struct reconcile_want want;

	(void)state;
	p.endpoint = endpoint_of("10.77.3.4:51820");
	assert_int_equal(want_of(&p, 0).endpoint.ip.family, 0);
	assert_true(want_of(&p, 0).present);
	p.endpoint = endpoint_of("[fd12:3456:789a:bcde::1]:51820");
	assert_int_equal(want_of(&p, 0).endpoint.ip.family, 0);
	p.endpoint = endpoint_of("10.78.3.4:51820");
	want = want_of(&p, 0);
	assert_endpoint(&want.endpoint, "10.78.3.4:51820");
}

static void mesh_addresses_and_routes_are_allowed_without_duplicates(void **state)
{
	struct peer p = heard_peer(HIGHER);
	struct reconcile_want want;

	(void)state;
	p.info.mesh_ip6 = ip_of("fd12:3456:789a:bcde::f");
	p.routes[0] = prefix_of("192.168.10.0/24");
	p.routes[1] = prefix_of("192.168.10.0/24");
	p.routes[2] = prefix_of("0.0.0.0/0");
	p.routes[3] = prefix_of("2001:db8::/32");
	p.n_routes = 4;
	want = want_of(&p, 0);
	assert_int_equal(want.n_allowed, 4);
	assert_allowed(&want, 0, "10.77.0.15/32");
	assert_allowed(&want, 1, "fd12:3456:789a:bcde::f/128");
	assert_allowed(&want, 2, "192.168.10.0/24");
	assert_allowed(&want, 3, "2001:db8::/32");
}

static void as_many_routes_as_can_be_announced_fit(void **state)
{
	struct peer p = heard_peer(HIGHER);

	(void)state;
	p.info.mesh_ip6 = ip_of("fd12:3456:789a:bcde::f");
	for (size_t i = 0; i < ANNOUNCE_ROUTES_MAX; i++) {
		p.routes[i] = prefix_of("192.168.0.0/24");
		p.routes[i].ip.b[2] = (uint8_t)i;
	}
	p.n_routes = ANNOUNCE_ROUTES_MAX;
	assert_int_equal(want_of(&p, 0).n_allowed, ANNOUNCE_ROUTES_MAX + 2);
}

static void who_lost_its_mesh_address_to_a_lower_key_is_not_allowed_it(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);
	struct wg_peer_config change;

	(void)state;
	p.info.mesh_ip6 = ip_of("fd12:3456:789a:bcde::f");
	p.lost_ip = true;
	assert_true(diff_of(&change, &p, 2000));
	assert_int_equal(change.flags, WG_PEER_REPLACE_ALLOWED);
	assert_int_equal(change.n_allowed, 1);
	assert_int_equal(change.allowed[0].ip.family, AF_INET6);
	p.lost_ip6 = true;
	assert_true(diff_of(&change, &p, 2000));
	assert_int_equal(change.n_allowed, 0);
}

static void what_was_refused_never_reaches_wireguard(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);

	(void)state;
	p.n_routes = 2;
	p.routes[0] = prefix_of("192.168.1.0/24");
	p.routes[1] = prefix_of("192.168.2.0/24");
	assert_int_equal(want_of(&p, 0).n_allowed, 3);
	p.route_verdict[0] = ROUTE_FAILED;
	assert_int_equal(want_of(&p, 0).n_allowed, 3);
	for (unsigned int v = ROUTE_TAKEN; v <= ROUTE_NO_ROOM; v++) {
		p.route_verdict[0] = (uint8_t)v;
		assert_int_equal(want_of(&p, 0).n_allowed, 2);
	}
}

static void an_address_of_the_other_family_is_allowed_to_nobody(void **state)
{
	struct peer p = tunnelled_peer(HIGHER);

	(void)state;
	p.info.mesh_ip6 = ip_of("10.77.0.1");
	assert_int_equal(want_of(&p, 0).n_allowed, 1);
	p.info.mesh_ip = ip_of("fd12:3456:789a:bcde::1");
	assert_int_equal(want_of(&p, 0).n_allowed, 0);
}

static void the_hash_of_a_list_ignores_order_and_nothing_else(void **state)
{
	struct prefix a[] = { prefix_of("10.0.0.0/24"), prefix_of("10.0.1.0/24") };
	struct prefix b[] = { prefix_of("10.0.1.0/24"), prefix_of("10.0.0.0/24") };
	struct prefix bits[] = { prefix_of("10.0.0.0/24"), prefix_of("10.0.1.0/25") };
	struct prefix twice[] = { prefix_of("10.0.0.0/24"), prefix_of("10.0.0.0/24") };
	struct prefix v4 = prefix_of("0.0.0.0/32");
	struct prefix v6 = prefix_of("::/32");

	(void)state;
	assert_true(reconcile_allowed_hash(a, 2) == reconcile_allowed_hash(b, 2));
	assert_true(reconcile_allowed_hash(a, 2) != reconcile_allowed_hash(a, 1));
	assert_true(reconcile_allowed_hash(a, 2) != reconcile_allowed_hash(bits, 2));
	assert_true(reconcile_allowed_hash(twice, 2) != reconcile_allowed_hash(twice, 1));
	assert_true(reconcile_allowed_hash(&v4, 1) != reconcile_allowed_hash(&v6, 1));
	assert_true(reconcile_allowed_hash(a, 0) != reconcile_allowed_hash(&v4, 1));
}

static void routes_that_would_take_foreign_traffic_are_not_sane(void **state)
{
	static const char *const bad[] = {
		"0.0.0.0/0",	  "::/0",
		"10.77.0.0/16",	  "10.77.3.0/24",
		"10.77.3.4/32",	  "10.0.0.0/8",
		"fd00::/8",	  "fd12:3456:789a:bcde::/64",
		"127.0.0.0/8",	  "127.0.0.53/32",
		"0.0.0.0/1",	  "128.0.0.0/1",
		"169.254.0.0/16", "169.254.169.254/32",
		"224.0.0.0/4",	  "255.255.255.255/32",
		"0.1.2.0/24",	  "::1/128",
		"fe80::/64",	  "ff02::/16",
		"8000::/1",
	};
	static const char *const good[] = { "192.168.10.0/24", "10.78.0.0/16",
					    "172.16.0.0/12",   "203.0.113.7/32",
					    "2001:db8::/32",   "fd12:3456:789a:bcdf::/64" };
	struct reconcile_self self = self_of(OUR_KEY);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct prefix p = prefix_of(bad[i]);

		if (reconcile_route_is_sane(&p, &self))
			fail_msg("%s passed", bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct prefix p = prefix_of(good[i]);

		if (!reconcile_route_is_sane(&p, &self))
			fail_msg("%s was refused", good[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lower_key_begins_once_the_other_end_has_answered),
		cmocka_unit_test(the_higher_key_waits_for_the_other_end_even_after_its_answer),
		cmocka_unit_test(without_an_answer_the_lower_key_waits_as_long_as_the_higher_one),
		cmocka_unit_test(a_peer_is_configured_while_the_other_end_is_left_to_begin),
		cmocka_unit_test(with_a_clock_that_ran_backwards_we_begin_nothing_for_a_while),
		cmocka_unit_test(a_tunnel_that_is_up_does_not_notice_that_the_clock_ran_backwards),
		cmocka_unit_test(our_turn_writes_nothing_but_the_keepalive),
		cmocka_unit_test(a_peer_from_the_cache_may_answer_before_it_is_begun_with),
		cmocka_unit_test(a_handshake_that_the_other_end_began_makes_it_our_turn_too),
		cmocka_unit_test(a_keepalive_once_on_never_goes_off_again),
		cmocka_unit_test(an_introduction_has_its_own_moment_and_endpoint),
		cmocka_unit_test(an_introduction_without_an_endpoint_keeps_the_usual_one),
		cmocka_unit_test(a_stranger_may_knock_and_gets_no_address_for_it),
		cmocka_unit_test(what_a_relay_carries_counts_as_its_own),
		cmocka_unit_test(what_only_others_told_of_is_not_configured),
		cmocka_unit_test(a_peer_without_a_mesh_address_is_not_configured),
		cmocka_unit_test(a_peer_without_an_endpoint_is_configured_and_may_come_to_us),
		cmocka_unit_test(a_silent_peer_goes_after_ten_minutes),
		cmocka_unit_test(a_silent_peer_stays_while_its_tunnel_lives),
		cmocka_unit_test(a_cached_peer_is_tried_for_ten_minutes_of_this_run),
		cmocka_unit_test(a_goodbye_removes_a_peer_although_its_tunnel_lives),
		cmocka_unit_test(what_is_not_there_is_not_removed_again),
		cmocka_unit_test(when_nothing_differs_nothing_is_written),
		cmocka_unit_test(a_new_endpoint_writes_nothing_but_the_endpoint),
		cmocka_unit_test(a_new_route_writes_nothing_but_the_allowed_list),
		cmocka_unit_test(a_peer_back_from_removal_gets_everything_again),
		cmocka_unit_test(an_endpoint_that_roamed_is_left_alone_while_packets_flow),
		cmocka_unit_test(a_dead_tunnel_gets_our_endpoint_back_once),
		cmocka_unit_test(where_wireguard_sends_first_handshakes_is_not_called_roaming),
		cmocka_unit_test(losing_our_idea_of_the_endpoint_does_not_touch_wireguards),
		cmocka_unit_test(an_endpoint_inside_the_mesh_is_refused),
		cmocka_unit_test(mesh_addresses_and_routes_are_allowed_without_duplicates),
		cmocka_unit_test(as_many_routes_as_can_be_announced_fit),
		cmocka_unit_test(who_lost_its_mesh_address_to_a_lower_key_is_not_allowed_it),
		cmocka_unit_test(what_was_refused_never_reaches_wireguard),
		cmocka_unit_test(an_address_of_the_other_family_is_allowed_to_nobody),
		cmocka_unit_test(the_hash_of_a_list_ignores_order_and_nothing_else),
		cmocka_unit_test(routes_that_would_take_foreign_traffic_are_not_sane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "common/str.h"
#include "tests/unit/fixtures.h"

#include <string.h>

#define SELF	   0
#define MINUTE_MS  60000
#define LAN_AGE_MS 30000

static int make_table(void **state)
{
	struct wg_key self = key_of(SELF);

	*state = peers_new(&self);
	return *state ? 0 : -1;
}

static int free_table(void **state)
{
	peers_free(*state);
	return 0;
}

static enum peer_change change_of(struct peers *t, const struct sighting *s, int64_t ms)
{
	struct peer *p;

	return peers_sight(t, s, at(ms), &p);
}

static void our_own_key_never_enters_the_table(void **state)
{
	struct known_peer self = peer_of(SELF);
	struct sighting s = sighting_of(&self, METHOD_EXCHANGE, NULL);
	struct peer *p = (struct peer *)&s;

	assert_int_equal(peers_sight(*state, &s, at(0), &p), PEER_IGNORED);
	assert_null(p);
	assert_int_equal(peers_count(*state), 0);
}

static void a_first_sighting_makes_a_row_and_the_same_again_changes_nothing(void **state)
{
	struct known_peer who = peer_of(1);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, "192.0.2.1:51820");
	struct peer *p;

	(void)str_copy(who.hostname, sizeof(who.hostname), "node-1");
	assert_int_equal(peers_sight(*state, &s, at(0), &p), PEER_NEW);
	assert_ptr_equal(peers_find(*state, &who.key), p);
	assert_ptr_equal(peers_at(*state, p->slot), p);
	assert_string_equal(p->info.hostname, "node-1");
	assert_string_equal(p->key_text, "BAABBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	assert_int_equal(p->first_seen_ms, at(0).mono_ms);
	assert_endpoint(&p->endpoint, "192.0.2.1:51820");
	assert_int_equal(change_of(*state, &s, 1000), PEER_UNCHANGED);
	assert_int_equal(p->heard_ms, at(1000).mono_ms);
	assert_int_equal(p->seen_unix_s, at(1000).unix_s);
	assert_int_equal(p->first_seen_ms, at(0).mono_ms);
	assert_int_equal(peers_count(*state), 1);
}

static void each_announced_field_that_differs_is_a_change(void **state)
{
	struct known_peer who = peer_of(1);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, "192.0.2.1:51820");
	struct prefix route = prefix_of("192.168.10.0/24");

	assert_int_equal(change_of(*state, &s, 0), PEER_NEW);
	who.mesh_ip = ip_of("10.77.9.9");
	assert_int_equal(change_of(*state, &s, 0), PEER_CHANGED);
	who.mesh_ip6 = ip_of("fd00::9");
	assert_int_equal(change_of(*state, &s, 0), PEER_CHANGED);
	(void)str_copy(who.hostname, sizeof(who.hostname), "other");
	assert_int_equal(change_of(*state, &s, 0), PEER_CHANGED);
	s.endpoint.port = 51821;
	assert_int_equal(change_of(*state, &s, 0), PEER_CHANGED);
	s.routes = &route;
	s.n_routes = 1;
	s.has_routes = true;
	assert_int_equal(change_of(*state, &s, 0), PEER_CHANGED);
	assert_int_equal(change_of(*state, &s, 0), PEER_UNCHANGED);
}

static void an_empty_field_never_overwrites(void **state)
{
	struct known_peer who = peer_of(1);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, "192.0.2.1:51820");
	struct known_peer bare = { .key = who.key };
	struct sighting nothing = sighting_of(&bare, METHOD_EXCHANGE, NULL);
	struct peer *p;

	who.mesh_ip6 = ip_of("fd00::1");
	(void)str_copy(who.hostname, sizeof(who.hostname), "node-1");
	(void)str_copy(who.nat_type, sizeof(who.nat_type), "cone");
	s.control = endpoint_of("192.0.2.1:52000");
	(void)peers_sight(*state, &s, at(0), &p);
	assert_int_equal(change_of(*state, &nothing, 1), PEER_UNCHANGED);
	assert_true(ip_equal(&p->info.mesh_ip, &who.mesh_ip));
	assert_true(ip_equal(&p->info.mesh_ip6, &who.mesh_ip6));
	assert_string_equal(p->info.hostname, "node-1");
	assert_string_equal(p->info.nat_type, "cone");
	assert_endpoint(&p->endpoint, "192.0.2.1:51820");
	assert_endpoint(&p->control, "192.0.2.1:52000");
}

static void only_a_list_of_the_owner_replaces_routes_even_by_none(void **state)
{
	struct known_peer who = peer_of(1);
	struct prefix routes[] = { prefix_of("192.168.10.0/24"), prefix_of("192.168.20.0/24") };
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, NULL);
	struct peer *p;

	s.routes = routes;
	s.n_routes = 2;
	s.has_routes = true;
	(void)peers_sight(*state, &s, at(0), &p);
	assert_int_equal(p->n_routes, 2);
	s.has_routes = false;
	s.n_routes = 0;
	assert_int_equal(change_of(*state, &s, 0), PEER_UNCHANGED);
	assert_int_equal(p->n_routes, 2);
	s.has_routes = true;
	assert_int_equal(change_of(*state, &s, 0), PEER_CHANGED);
	assert_int_equal(p->n_routes, 0);
}

/* --- endpoints ------------------------------------------------------------------------------ */

static void an_endpoint_is_replaced_only_by_one_of_the_same_or_a_higher_rank(void **state)
{
	static const enum peer_method ranks[] = { METHOD_CACHE, METHOD_TRANSITIVE, METHOD_EXCHANGE,
						  METHOD_LAN };
	unsigned int n = 1;

	for (size_t old = 0; old < 4; old++) {
		for (size_t new = 0; new < 4; new ++, n++) {
			struct peer *p = see(*state, n, ranks[old], "192.0.2.1:1", 0);

			(void)see(*state, n, ranks[new], "192.0.2.2:2", 1);
			assert_endpoint(&p->endpoint, new >= old ? "192.0.2.2:2" : "192.0.2.1:1");
		}
	}
}

static void at_equal_rank_ipv6_beats_ipv4_and_otherwise_the_newest_counts(void **state)
{
	struct peer *p = see(*state, 1, METHOD_EXCHANGE, "192.0.2.1:1", 0);

	(void)see(*state, 1, METHOD_EXCHANGE, "192.0.2.2:1", 1);
	assert_endpoint(&p->endpoint, "192.0.2.2:1");
	(void)see(*state, 1, METHOD_EXCHANGE, "[2001:db8::1]:1", 2);
	assert_endpoint(&p->endpoint, "[2001:db8::1]:1");
	(void)see(*state, 1, METHOD_EXCHANGE, "192.0.2.3:1", 3);
	assert_endpoint(&p->endpoint, "[2001:db8::1]:1");
	(void)see(*state, 1, METHOD_EXCHANGE, "[2001:db8::2]:1", 4);
	assert_endpoint(&p->endpoint, "[2001:db8::2]:1");
}

static void a_lan_endpoint_holds_its_rank_for_thirty_seconds(void **state)
{
	struct peer *p = see(*state, 1, METHOD_LAN, "192.168.1.5:51820", 0);

	(void)see(*state, 1, METHOD_EXCHANGE, "203.0.113.9:51820", LAN_AGE_MS);
	assert_endpoint(&p->endpoint, "192.168.1.5:51820");
}

static void a_laptop_that_left_the_lan_is_followed_however_often_it_says_hello(void **state)
{
	struct peer *p = see(*state, 1, METHOD_LAN, "192.168.1.5:51820", 0);

	for (int64_t ms = 10000; ms <= LAN_AGE_MS; ms += 10000)
		(void)see(*state, 1, METHOD_EXCHANGE, "203.0.113.9:51820", ms);
	assert_endpoint(&p->endpoint, "192.168.1.5:51820");
	(void)see(*state, 1, METHOD_EXCHANGE, "203.0.113.9:51820", LAN_AGE_MS + 1);
	assert_endpoint(&p->endpoint, "203.0.113.9:51820");
}

/* Announced at @said_s after the start, from @host; heard at the same moment. */
static struct peer *say(struct peers *t, const char *host, int64_t said_s, int64_t ms)
{
	struct known_peer who = peer_of(1);
	struct sighting s = sighting_of(&who, METHOD_LAN, NULL);
	struct peer *p = NULL;

	s.control = (struct endpoint) { .ip = ip_of(host), .port = 52000 };
	s.endpoint = (struct endpoint) { .ip = ip_of(host), .port = 51820 };
	s.said_s = UNIX_START + said_s;
	(void)peers_sight(t, &s, at(ms), &p);
	return p;
}

static void what_was_captured_and_comes_from_elsewhere_is_no_news(void **state)
{
	struct peer *p = say(*state, "192.168.1.5", 10, 10000);

	(void)say(*state, "192.168.1.66", 10, 10500);
	(void)say(*state, "192.168.1.66", 3, 10600);
	assert_endpoint(&p->endpoint, "192.168.1.5:51820");
	assert_endpoint(&p->control, "192.168.1.5:52000");
	assert_int_equal(p->heard_ms, at(10000).mono_ms);
	/* From its own address it may say the same thing twice: a HELLO is sent again. */
	(void)say(*state, "192.168.1.5", 10, 11000);
	assert_int_equal(p->heard_ms, at(11000).mono_ms);
	/* It moves when it says so. */
	(void)say(*state, "192.168.1.7", 11, 11500);
	assert_endpoint(&p->endpoint, "192.168.1.7:51820");
}

static void who_said_goodbye_may_be_back_with_another_address_within_the_second(void **state)
{
	struct peer *p = say(*state, "192.168.1.5", 10, 10000);

	p->said_goodbye = true;
	(void)say(*state, "192.168.1.66", 9, 10100);
	assert_true(p->said_goodbye);
	(void)say(*state, "192.168.1.7", 10, 10200);
	assert_false(p->said_goodbye);
	assert_endpoint(&p->endpoint, "192.168.1.7:51820");
}

static void a_peer_whose_clock_was_set_back_is_believed_again_after_a_while(void **state)
{
	struct peer *p = say(*state, "192.168.1.5", 500, 0);
	int64_t late_ms = PEER_HANDSHAKE_S * 1000;

	(void)say(*state, "192.168.1.7", 0, late_ms - 1);
	assert_endpoint(&p->endpoint, "192.168.1.5:51820");
	(void)say(*state, "192.168.1.7", 0, late_ms);
	assert_endpoint(&p->endpoint, "192.168.1.7:51820");
}

static void announcements_on_the_lan_keep_the_rank_of_its_endpoint(void **state)
{
	struct peer *p = see(*state, 1, METHOD_LAN, "192.168.1.5:51820", 0);

	for (int64_t ms = 5000; ms <= 60000; ms += 5000)
		(void)see(*state, 1, METHOD_LAN, "192.168.1.5:51820", ms);
	(void)see(*state, 1, METHOD_EXCHANGE, "203.0.113.9:51820", 60001);
	assert_endpoint(&p->endpoint, "192.168.1.5:51820");
}

/* --- what others tell ----------------------------------------------------------------------- */

static void hearsay_never_overrides_what_the_peer_said_of_itself(void **state)
{
	struct known_peer who = peer_of(1);
	struct known_peer lie = peer_of(1);
	struct prefix route = prefix_of("192.168.10.0/24");
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, "192.0.2.1:51820");
	struct sighting hearsay = sighting_of(&lie, METHOD_TRANSITIVE, "198.51.100.66:51820");
	struct peer *p;

	(void)str_copy(who.hostname, sizeof(who.hostname), "true");
	(void)str_copy(lie.hostname, sizeof(lie.hostname), "false");
	lie.mesh_ip = ip_of("10.77.66.66");
	lie.mesh_ip6 = ip_of("fd00::66");
	lie.introducer = true;
	hearsay.routes = &route;
	hearsay.n_routes = 1;
	hearsay.has_routes = true;
	(void)peers_sight(*state, &s, at(0), &p);
	assert_int_equal(change_of(*state, &hearsay, 1), PEER_UNCHANGED);
	assert_true(ip_equal(&p->info.mesh_ip, &who.mesh_ip));
	assert_int_equal(p->info.mesh_ip6.family, 0);
	assert_string_equal(p->info.hostname, "true");
	assert_false(p->info.introducer);
	assert_int_equal(p->n_routes, 0);
	assert_endpoint(&p->endpoint, "192.0.2.1:51820");
}

static void hearsay_makes_a_row_but_verifies_and_refreshes_nothing(void **state)
{
	struct peer *p = see(*state, 1, METHOD_TRANSITIVE, "192.0.2.1:51820", 0);

	assert_false(peer_is_verified(p));
	assert_false(peer_is_active(p, at(0)));
	assert_int_equal(p->seen_unix_s, 0);
	(void)see(*state, 1, METHOD_EXCHANGE, NULL, 1000);
	assert_true(peer_is_verified(p));
	(void)see(*state, 1, METHOD_TRANSITIVE, NULL, 2000);
	assert_int_equal(p->heard_ms, at(1000).mono_ms);
}

static void hearsay_does_not_move_an_endpoint_through_which_packets_flow(void **state)
{
	struct peer *p = see(*state, 1, METHOD_CACHE, "192.168.1.5:51820", 0);

	p->handshake_s = at(0).unix_s;
	(void)see(*state, 1, METHOD_TRANSITIVE, "203.0.113.9:51820", 1000);
	assert_endpoint(&p->endpoint, "192.168.1.5:51820");
	(void)see(*state, 1, METHOD_TRANSITIVE, "203.0.113.9:51820", PEER_HANDSHAKE_S * 1000);
	assert_endpoint(&p->endpoint, "203.0.113.9:51820");
}

static void a_hello_from_elsewhere_does_not_move_it_either_but_a_lan_announcement_does(void **state)
{
	struct peer *p = see(*state, 1, METHOD_EXCHANGE, "192.0.2.1:51820", 0);

	p->handshake_s = at(0).unix_s;
	(void)see(*state, 1, METHOD_EXCHANGE, "203.0.113.9:51820", 1000);
	assert_endpoint(&p->endpoint, "192.0.2.1:51820");
	(void)see(*state, 1, METHOD_LAN, "192.168.1.5:51820", 2000);
	assert_endpoint(&p->endpoint, "192.168.1.5:51820");
}

static void a_peer_that_comes_back_begins_anew(void **state)
{
	struct peer *p = see(*state, 1, METHOD_EXCHANGE, "192.0.2.1:51820", 0);

	p->replied_ms = at(1).mono_ms;
	p->handshake_s = at(2).unix_s;
	(void)see(*state, 1, METHOD_EXCHANGE, NULL, 1000);
	assert_int_equal(p->first_seen_ms, at(0).mono_ms);
	assert_int_equal(p->replied_ms, at(1).mono_ms);
	(void)see(*state, 1, METHOD_EXCHANGE, NULL, 2 * PEER_FORGET_MS);
	assert_int_equal(p->first_seen_ms, at(2 * PEER_FORGET_MS).mono_ms);
	assert_int_equal(p->replied_ms, INT64_MIN);
	assert_int_equal(p->handshake_s, 0);
}

static struct peer *control_told(struct peers *t, enum peer_method method, const char *control,
				 int64_t ms)
{
	struct known_peer who = peer_of(1);
	struct sighting s = sighting_of(&who, method, NULL);
	struct peer *p = NULL;

	s.control = endpoint_of(control);
	(void)peers_sight(t, &s, at(ms), &p);
	return p;
}

static void hearsay_does_not_say_where_a_peer_we_hear_is_asked(void **state)
{
	struct peer *p = control_told(*state, METHOD_TRANSITIVE, "192.0.2.1:52000", 0);

	assert_endpoint(&p->control, "192.0.2.1:52000");
	(void)control_told(*state, METHOD_TRANSITIVE, "192.0.2.2:52000", 1);
	assert_endpoint(&p->control, "192.0.2.2:52000");
	(void)control_told(*state, METHOD_EXCHANGE, "192.0.2.3:40000", 2);
	(void)control_told(*state, METHOD_TRANSITIVE, "192.0.2.3:52000", 3);
	assert_endpoint(&p->control, "192.0.2.3:40000");
	(void)control_told(*state, METHOD_TRANSITIVE, "192.0.2.4:52000", 2 + PEER_ACTIVE_MS);
	assert_endpoint(&p->control, "192.0.2.4:52000");
}

/* --- age ------------------------------------------------------------------------------------ */

static void a_cached_peer_keeps_the_time_it_was_really_seen(void **state)
{
	struct known_peer who = peer_of(1);
	struct sighting s = sighting_of(&who, METHOD_CACHE, "192.0.2.1:51820");
	struct peer *p;

	s.seen_unix_s = UNIX_START - 500;
	(void)peers_sight(*state, &s, at(0), &p);
	assert_int_equal(p->seen_unix_s, UNIX_START - 500);
	assert_false(peer_is_verified(p));
	assert_false(peer_is_active(p, at(0)));
	s.seen_unix_s = UNIX_START - 900;
	(void)peers_sight(*state, &s, at(0), &p);
	assert_int_equal(p->seen_unix_s, UNIX_START - 500);
}

static void a_peer_is_active_for_five_minutes_after_it_was_heard(void **state)
{
	struct peer *p = see(*state, 1, METHOD_EXCHANGE, NULL, 0);

	assert_true(peer_is_active(p, at(PEER_ACTIVE_MS - 1)));
	assert_false(peer_is_active(p, at(PEER_ACTIVE_MS)));
}

static void a_live_tunnel_keeps_a_silent_peer_active(void **state)
{
	struct peer *p = see(*state, 1, METHOD_EXCHANGE, NULL, 0);

	p->handshake_s = at(60 * MINUTE_MS).unix_s;
	assert_true(peer_has_tunnel(p, at(60 * MINUTE_MS)));
	assert_true(peer_is_active(p, at(60 * MINUTE_MS)));
	assert_false(peer_has_tunnel(p, at(60 * MINUTE_MS + PEER_HANDSHAKE_S * 1000)));
	p->handshake_s = 0;
	assert_false(peer_has_tunnel(p, at(0)));
}

static void a_goodbye_ends_activity_and_being_heard_again_is_a_change(void **state)
{
	struct known_peer who = peer_of(1);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, NULL);
	struct peer *p = see(*state, 1, METHOD_EXCHANGE, NULL, 0);

	p->said_goodbye = true;
	p->handshake_s = at(0).unix_s;
	assert_false(peer_is_active(p, at(1)));
	s.method = METHOD_TRANSITIVE;
	assert_int_equal(change_of(*state, &s, 2), PEER_UNCHANGED);
	assert_true(p->said_goodbye);
	s.method = METHOD_EXCHANGE;
	assert_int_equal(change_of(*state, &s, 3), PEER_CHANGED);
	assert_false(p->said_goodbye);
}

static void a_peer_that_speaks_after_ten_minutes_is_back(void **state)
{
	struct known_peer who = peer_of(1);
	struct sighting s = sighting_of(&who, METHOD_LAN, NULL);

	(void)see(*state, 1, METHOD_LAN, NULL, 0);
	assert_int_equal(change_of(*state, &s, PEER_FORGET_MS), PEER_UNCHANGED);
	assert_int_equal(change_of(*state, &s, 2 * PEER_FORGET_MS + 1), PEER_BACK);
}

/* --- two keys, one mesh address ------------------------------------------------------------- */

static struct peer *with_ip(struct peers *t, unsigned int n, const char *ip)
{
	struct known_peer who = peer_of(n);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, NULL);
	struct peer *p = NULL;

	who.mesh_ip = ip_of(ip);
	(void)peers_sight(t, &s, at(0), &p);
	peers_unmark(t, p);
	return p;
}

static void of_two_keys_with_one_address_the_lower_one_keeps_it(void **state)
{
	struct peer *high = with_ip(*state, 5, "10.77.1.1");
	struct peer *low;

	assert_false(high->lost_ip);
	low = with_ip(*state, 2, "10.77.1.1");
	assert_false(low->lost_ip);
	assert_true(high->lost_ip);
	assert_true(peers_is_marked(*state, high));
	assert_true(with_ip(*state, 9, "10.77.1.1")->lost_ip);
	assert_false(low->lost_ip);
	assert_false(with_ip(*state, 7, "10.77.1.2")->lost_ip);
}

static void hearsay_takes_no_address_from_anybody(void **state)
{
	struct peer *high = with_ip(*state, 5, "10.77.1.1");
	struct known_peer who = peer_of(2);
	struct sighting s = sighting_of(&who, METHOD_TRANSITIVE, NULL);
	struct peer *low = NULL;

	who.mesh_ip = ip_of("10.77.1.1");
	(void)peers_sight(*state, &s, at(0), &low);
	assert_true(low->lost_ip);
	assert_false(high->lost_ip);
	/* Once it is heard itself, its key counts. */
	with_ip(*state, 2, "10.77.1.1");
	assert_false(low->lost_ip);
	assert_true(high->lost_ip);
}

static void our_own_address_is_nobodys(void **state)
{
	const struct ip ours = ip_of("10.77.1.1");
	const struct ip other = ip_of("10.77.1.2");
	const struct ip ours6 = ip_of("fd12:3456:789a:bcde::1");
	struct known_peer who = peer_of(3);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, NULL);
	struct peer *p = with_ip(*state, 2, "10.77.1.1");

	peers_claim(*state, &ours, &ours6);
	assert_true(p->lost_ip);
	assert_true(peers_is_marked(*state, p));
	who.mesh_ip6 = ours6;
	(void)peers_sight(*state, &s, at(0), &p);
	assert_false(p->lost_ip);
	assert_true(p->lost_ip6);
	/* We have given way. */
	p = with_ip(*state, 2, "10.77.1.1");
	peers_claim(*state, &other, &ours6);
	assert_false(p->lost_ip);
	assert_true(peers_is_marked(*state, p));
	assert_true(peers_has_ip(*state, &ours));
	assert_false(peers_has_ip(*state, &other));
}

static void ipv6_addresses_are_settled_like_ipv4_ones(void **state)
{
	struct known_peer who = peer_of(5);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, NULL);
	struct peer *high = NULL;
	struct peer *low = NULL;

	who.mesh_ip6 = ip_of("fd12:3456:789a:bcde::1");
	(void)peers_sight(*state, &s, at(0), &high);
	who = peer_of(2);
	who.mesh_ip6 = ip_of("fd12:3456:789a:bcde::1");
	(void)peers_sight(*state, &s, at(0), &low);
	assert_true(high->lost_ip6);
	assert_false(high->lost_ip);
	assert_false(low->lost_ip6);
	peers_remove(*state, low);
	assert_false(high->lost_ip6);
}

static void what_was_found_of_a_network_holds_in_the_next_list(void **state)
{
	struct prefix nets[] = { prefix_of("10.1.0.0/24"), prefix_of("10.2.0.0/24") };
	struct known_peer who = peer_of(5);
	struct sighting s = sighting_of(&who, METHOD_EXCHANGE, NULL);
	struct peer *p = NULL;

	s.routes = nets;
	s.n_routes = 2;
	s.has_routes = true;
	(void)peers_sight(*state, &s, at(0), &p);
	p->route_verdict[0] = ROUTE_UNDERLAY;
	p->route_verdict[1] = ROUTE_ACCEPTED;
	nets[1] = nets[0];
	nets[0] = prefix_of("10.3.0.0/24");
	(void)peers_sight(*state, &s, at(0), &p);
	assert_int_equal(p->route_verdict[0], ROUTE_UNJUDGED);
	assert_int_equal(p->route_verdict[1], ROUTE_UNDERLAY);
}

static void an_address_goes_back_to_the_next_key_when_its_holder_is_removed(void **state)
{
	struct peer *low = with_ip(*state, 2, "10.77.1.1");
	struct peer *mid = with_ip(*state, 5, "10.77.1.1");
	struct peer *high = with_ip(*state, 9, "10.77.1.1");

	peers_unmark(*state, mid);
	peers_unmark(*state, high);
	peers_remove(*state, low);
	assert_false(mid->lost_ip);
	assert_true(peers_is_marked(*state, mid));
	assert_true(high->lost_ip);
	assert_false(peers_is_marked(*state, high));
}

static void an_address_goes_back_when_its_holder_takes_another(void **state)
{
	struct peer *low = with_ip(*state, 2, "10.77.1.1");
	struct peer *high = with_ip(*state, 5, "10.77.1.1");

	peers_unmark(*state, high);
	(void)with_ip(*state, 2, "10.77.1.2");
	assert_false(low->lost_ip);
	assert_false(high->lost_ip);
	assert_true(peers_is_marked(*state, high));
	(void)with_ip(*state, 5, "10.77.1.2");
	assert_true(high->lost_ip);
}

/* --- the table itself ----------------------------------------------------------------------- */

static struct wg_key numbered_key(size_t i)
{
	return (struct wg_key) { .b = { (uint8_t)i, (uint8_t)(i >> 8), 0xaa } };
}

static struct peer *sight_numbered(struct peers *t, size_t i, enum peer_method method, int64_t ms)
{
	struct known_peer who = { .key = numbered_key(i) };
	struct sighting s = sighting_of(&who, method, NULL);
	struct peer *p = NULL;

	(void)peers_sight(t, &s, at(ms), &p);
	return p;
}

static void fill(struct peers *t)
{
	for (size_t i = 1; i <= PEERS_MAX; i++) {
		struct peer *p = sight_numbered(t, i, METHOD_EXCHANGE, (int64_t)i * 1000);

		assert_non_null(p);
		p->applied.present = true;
	}
	assert_int_equal(peers_count(t), PEERS_MAX);
}

static void a_full_table_gives_up_the_oldest_peer_that_is_not_in_wireguard(void **state)
{
	struct wg_key old = numbered_key(500);
	struct wg_key older_but_configured = numbered_key(1);
	struct wg_key younger = numbered_key(700);
	struct peer *p;

	fill(*state);
	peers_find(*state, &old)->applied.present = false;
	peers_find(*state, &younger)->applied.present = false;
	p = sight_numbered(*state, PEERS_MAX + 1, METHOD_EXCHANGE, 0);
	assert_non_null(p);
	assert_int_equal(peers_count(*state), PEERS_MAX);
	assert_null(peers_find(*state, &old));
	assert_non_null(peers_find(*state, &older_but_configured));
	assert_non_null(peers_find(*state, &younger));
	assert_false(p->applied.present);
}

static void who_was_only_told_of_displaces_nobody_who_was_heard(void **state)
{
	struct wg_key silent = numbered_key(500);

	fill(*state);
	peers_find(*state, &silent)->applied.present = false;
	assert_null(sight_numbered(*state, PEERS_MAX + 1, METHOD_TRANSITIVE, 0));
	assert_non_null(peers_find(*state, &silent));
	/* But others who were only told of. */
	peers_remove(*state, peers_find(*state, &silent));
	assert_non_null(sight_numbered(*state, PEERS_MAX + 1, METHOD_TRANSITIVE, 0));
	assert_non_null(sight_numbered(*state, PEERS_MAX + 2, METHOD_TRANSITIVE, 0));
	assert_int_equal(peers_count(*state), PEERS_MAX);
}

static void a_table_full_of_configured_peers_takes_nobody_else(void **state)
{
	fill(*state);
	assert_null(sight_numbered(*state, PEERS_MAX + 1, METHOD_EXCHANGE, 0));
	assert_int_equal(peers_count(*state), PEERS_MAX);
}

/* Keys of one hash bucket: they differ only behind the bytes that choose it. */
static struct wg_key bucket_key(uint8_t i)
{
	return (struct wg_key) { .b = { 42, 1, i } };
}

static void removal_leaves_the_others_of_a_hash_bucket(void **state)
{
	for (uint8_t gone = 1; gone <= 3; gone++) {
		struct peers *t = *state;
		struct wg_key removed = bucket_key(gone);

		for (uint8_t i = 1; i <= 3; i++) {
			struct known_peer who = { .key = bucket_key(i) };
			struct sighting s = sighting_of(&who, METHOD_EXCHANGE, NULL);

			(void)change_of(t, &s, 0);
		}
		peers_remove(t, peers_find(t, &removed));
		for (uint8_t i = 1; i <= 3; i++) {
			struct wg_key key = bucket_key(i);
			const struct peer *p = peers_find(t, &key);

			assert_int_equal(p != NULL, i != gone);
			assert_true(!p || memcmp(&p->info.key, &key, sizeof(key)) == 0);
		}
		assert_int_equal(peers_count(t), 2);
		/* The next round begins with the same order in the bucket. */
		while (peers_count(t) > 0)
			peers_remove(t, peers_next(t, NULL));
	}
}

static void a_removed_slot_is_free_and_its_next_peer_begins_clean(void **state)
{
	struct peer *p = see(*state, 1, METHOD_LAN, "192.0.2.1:1", 0);
	uint16_t slot = p->slot;

	p->handshake_s = 5;
	p->said_goodbye = true;
	p->applied.keepalive_s = 25;
	peers_remove(*state, p);
	assert_null(peers_at(*state, slot));
	p = see(*state, 2, METHOD_TRANSITIVE, NULL, 7);
	assert_int_equal(p->slot, slot);
	assert_int_equal(p->handshake_s, 0);
	assert_false(p->said_goodbye);
	assert_int_equal(p->applied.keepalive_s, 0);
	assert_int_equal(p->endpoint.ip.family, 0);
	assert_int_equal(p->methods, METHOD_TRANSITIVE);
	assert_int_equal(p->first_seen_ms, at(7).mono_ms);
	assert_int_equal(p->replied_ms, INT64_MIN);
	assert_null(peers_at(*state, PEERS_MAX));
}

static void a_walk_survives_the_removal_of_the_row_it_stands_on(void **state)
{
	size_t visited = 0;

	for (unsigned int n = 1; n <= 5; n++)
		(void)see(*state, n, METHOD_LAN, NULL, 0);
	for (struct peer *p = peers_next(*state, NULL); p; p = peers_next(*state, p)) {
		visited++;
		peers_remove(*state, p);
	}
	assert_int_equal(visited, 5);
	assert_int_equal(peers_count(*state), 0);
}

static void a_punched_endpoint_holds_while_packets_flow_and_no_longer(void **state)
{
	struct peers *t = *state;
	struct peer *p = see(t, 5, METHOD_EXCHANGE, "192.0.2.1:51820", 0);

	p->tunnel = endpoint_of("203.0.113.9:41820");
	p->handshake_s = at(1000).unix_s;
	peer_use_tunnel(p, at(1000));
	assert_endpoint(&p->endpoint, "203.0.113.9:41820");
	(void)see(t, 5, METHOD_EXCHANGE, "192.0.2.1:51820", 100000);
	assert_endpoint(&p->endpoint, "203.0.113.9:41820");
	(void)see(t, 5, METHOD_EXCHANGE, "192.0.2.1:51820", 200000);
	assert_endpoint(&p->endpoint, "192.0.2.1:51820");
}

static void a_peer_is_on_the_lan_while_it_is_heard_there(void **state)
{
	struct peers *t = *state;
	const struct peer *p = see(t, 5, METHOD_LAN, "192.0.2.1:51820", 0);

	assert_true(peer_is_on_lan(p, at(30000)));
	assert_false(peer_is_on_lan(p, at(30001)));
	p = see(t, 6, METHOD_EXCHANGE, "192.0.2.2:51820", 0);
	assert_false(peer_is_on_lan(p, at(0)));
}

static void who_is_known_by_its_key_only_is_told_more_of(void **state)
{
	struct peers *t = *state;
	struct known_peer key_only = { .key = key_of(5) };
	struct sighting s = sighting_of(&key_only, METHOD_TRANSITIVE, NULL);
	struct peer *p;

	(void)peers_sight(t, &s, at(0), &p);
	assert_int_equal(p->info.mesh_ip.family, 0);
	assert_int_equal(p->told_ms, at(0).mono_ms);
	p = see(t, 5, METHOD_TRANSITIVE, NULL, 1000);
	assert_int_equal(p->info.mesh_ip.family, AF_INET);
}

static void methods_have_the_names_that_existing_nodes_print(void **state)
{
	(void)state;
	assert_string_equal(peer_method_name(METHOD_LAN), "lan");
	assert_string_equal(peer_method_name(METHOD_EXCHANGE), "dht");
	assert_string_equal(peer_method_name(METHOD_TRANSITIVE), "dht-transitive");
	assert_string_equal(peer_method_name(METHOD_CACHE), "cache");
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_table, free_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(our_own_key_never_enters_the_table),
		T(a_first_sighting_makes_a_row_and_the_same_again_changes_nothing),
		T(each_announced_field_that_differs_is_a_change),
		T(an_empty_field_never_overwrites),
		T(only_a_list_of_the_owner_replaces_routes_even_by_none),
		T(an_endpoint_is_replaced_only_by_one_of_the_same_or_a_higher_rank),
		T(at_equal_rank_ipv6_beats_ipv4_and_otherwise_the_newest_counts),
		T(a_lan_endpoint_holds_its_rank_for_thirty_seconds),
		T(a_laptop_that_left_the_lan_is_followed_however_often_it_says_hello),
		T(what_was_captured_and_comes_from_elsewhere_is_no_news),
		T(who_said_goodbye_may_be_back_with_another_address_within_the_second),
		T(a_peer_whose_clock_was_set_back_is_believed_again_after_a_while),
		T(announcements_on_the_lan_keep_the_rank_of_its_endpoint),
		T(hearsay_never_overrides_what_the_peer_said_of_itself),
		T(hearsay_makes_a_row_but_verifies_and_refreshes_nothing),
		T(hearsay_does_not_move_an_endpoint_through_which_packets_flow),
		T(a_hello_from_elsewhere_does_not_move_it_either_but_a_lan_announcement_does),
		T(a_peer_that_comes_back_begins_anew),
		T(hearsay_does_not_say_where_a_peer_we_hear_is_asked),
		T(a_cached_peer_keeps_the_time_it_was_really_seen),
		T(a_peer_is_active_for_five_minutes_after_it_was_heard),
		T(a_live_tunnel_keeps_a_silent_peer_active),
		T(a_goodbye_ends_activity_and_being_heard_again_is_a_change),
		T(a_peer_that_speaks_after_ten_minutes_is_back),
		T(of_two_keys_with_one_address_the_lower_one_keeps_it),
		T(hearsay_takes_no_address_from_anybody),
		T(our_own_address_is_nobodys),
		T(ipv6_addresses_are_settled_like_ipv4_ones),
		T(what_was_found_of_a_network_holds_in_the_next_list),
		T(an_address_goes_back_to_the_next_key_when_its_holder_is_removed),
		T(an_address_goes_back_when_its_holder_takes_another),
		T(a_full_table_gives_up_the_oldest_peer_that_is_not_in_wireguard),
		T(a_table_full_of_configured_peers_takes_nobody_else),
		T(who_was_only_told_of_displaces_nobody_who_was_heard),
		T(removal_leaves_the_others_of_a_hash_bucket),
		T(a_removed_slot_is_free_and_its_next_peer_begins_clean),
		T(a_walk_survives_the_removal_of_the_row_it_stands_on),
		T(a_punched_endpoint_holds_while_packets_flow_and_no_longer),
		T(a_peer_is_on_the_lan_while_it_is_heard_there),
		T(who_is_known_by_its_key_only_is_told_more_of),
		T(methods_have_the_names_that_existing_nodes_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/nat/relay.h"
#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <string.h>

#define BOB    1
#define CAROL  2
#define ONE    11 /* relays */
#define TWO    12
#define THREE  13
#define SECOND INT64_C(1000)

static char *text_of(char out[static RENDEZVOUS_KEY_SIZE], unsigned int n)
{
	struct wg_key key = key_of(n);

	return wg_key_format(out, &key);
}

static void add(struct relay_pool *pool, unsigned int n)
{
	char text[RENDEZVOUS_KEY_SIZE];

	relay_pool_add(pool, text_of(text, n), (uint16_t)n);
}

static uint16_t choose(const struct relay_pool *pool, unsigned int a, unsigned int b)
{
	char one[RENDEZVOUS_KEY_SIZE];
	char two[RENDEZVOUS_KEY_SIZE];

	return relay_choose(pool, text_of(one, a), text_of(two, b));
}

/* --- the choice -------------------------------------------------------------------------------- */

static void both_ends_choose_the_same_relay_in_whatever_order_they_met_them(void **state)
{
	struct relay_pool here = { 0 };
	struct relay_pool there = { 0 };
	unsigned int used[3] = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		add(&here, ONE + i);
		add(&there, THREE - i);
	}
	assert_memory_equal(&here, &there, sizeof(here));
	for (unsigned int a = 1; a <= 10; a++)
		for (unsigned int b = 1; b <= 10; b++) {
			if (a == b)
				continue;
			assert_int_equal(choose(&here, a, b), choose(&there, b, a));
			used[choose(&here, a, b) - ONE]++;
		}
	/* Ninety pairs: each relay has its share. */
	for (size_t i = 0; i < 3; i++)
		assert_in_range(used[i], 10, 60);
}

static void a_relay_that_goes_moves_only_who_used_it(void **state)
{
	struct relay_pool all = { 0 };
	struct relay_pool less = { 0 };

	(void)state;
	add(&all, ONE);
	add(&all, TWO);
	add(&all, THREE);
	add(&less, ONE);
	add(&less, THREE);
	for (unsigned int b = 2; b <= 10; b++)
		if (choose(&all, 1, b) != TWO)
			assert_int_equal(choose(&less, 1, b), choose(&all, 1, b));
}

static void nobody_relays_to_itself(void **state)
{
	struct relay_pool pool = { 0 };

	(void)state;
	assert_int_equal(choose(&pool, BOB, CAROL), RELAY_NONE);
	add(&pool, CAROL);
	assert_int_equal(choose(&pool, BOB, CAROL), RELAY_NONE);
	add(&pool, ONE);
	assert_int_equal(choose(&pool, BOB, CAROL), ONE);
}

static void an_existing_node_is_no_relay_to_itself_either(void **state)
{
	struct relay_pool pool = { 0 };
	char bob[RENDEZVOUS_KEY_SIZE];
	char carol[RENDEZVOUS_KEY_SIZE];

	(void)state;
	add(&pool, CAROL);
	assert_int_equal(relay_choose_as_existing(&pool, text_of(carol, CAROL), text_of(bob, BOB)),
			 RELAY_NONE);
	add(&pool, ONE);
	assert_int_equal(relay_choose_as_existing(&pool, text_of(carol, CAROL), text_of(bob, BOB)),
			 ONE);
}

static void of_too_many_relays_the_lowest_keys_stay(void **state)
{
	struct relay_pool up = { 0 };
	struct relay_pool down = { 0 };
	char text[RENDEZVOUS_KEY_SIZE];

	(void)state;
	for (int i = 0; i < 2 * RELAY_POOL_MAX; i++) {
		(void)snprintf(text, sizeof(text), "%03d", i);
		relay_pool_add(&up, text, (uint16_t)i);
		(void)snprintf(text, sizeof(text), "%03d", 2 * RELAY_POOL_MAX - 1 - i);
		relay_pool_add(&down, text, (uint16_t)(2 * RELAY_POOL_MAX - 1 - i));
	}
	assert_int_equal(up.n, RELAY_POOL_MAX);
	assert_memory_equal(&up, &down, sizeof(up));
	assert_true(relay_pool_has(&up, RELAY_POOL_MAX - 1));
	assert_false(relay_pool_has(&up, RELAY_POOL_MAX));
}

/* --- direct or relayed ------------------------------------------------------------------------- */

/**
 * struct pair - One end's view of a peer, at a moment
 */
struct pair {
	struct relay_path path;
	struct relay_facts f;
	int64_t again_ms;
};

static struct pair met(void)
{
	return (struct pair) { .f = { .choice = ONE, .is_via_good = true } };
}

/* Decides and takes, as the node does; returns the way. */
static uint16_t way(struct pair *p, int64_t ms)
{
	uint16_t via;

	p->again_ms = INT64_MAX;
	via = relay_decide(&p->path, &p->f, at(ms), &p->again_ms);
	relay_take(&p->path, via, at(ms));
	return via;
}

static void handshake(struct pair *p, int64_t ms)
{
	p->f.has_tunnel = true;
	p->f.handshake_s = at(ms).unix_s;
}

static struct pair relayed(void)
{
	struct pair p = met();

	assert_int_equal(way(&p, 0), RELAY_NONE);
	assert_int_equal(way(&p, RELAY_PATIENCE_MS), ONE);
	return p;
}

static void a_first_handshake_is_waited_for(void **state)
{
	struct pair p = met();

	(void)state;
	assert_int_equal(way(&p, 0), RELAY_NONE);
	assert_int_equal(p.again_ms, at(RELAY_PATIENCE_MS).mono_ms);
	assert_int_equal(way(&p, RELAY_PATIENCE_MS - 1), RELAY_NONE);
	assert_int_equal(way(&p, RELAY_PATIENCE_MS), ONE);
}

static void a_tunnel_is_left_the_moment_it_falls(void **state)
{
	struct pair p = met();

	(void)state;
	handshake(&p, 0);
	assert_int_equal(way(&p, 100), RELAY_NONE);
	assert_int_equal(p.again_ms, INT64_MAX);
	p.f.has_tunnel = false;
	assert_int_equal(way(&p, 200 * SECOND), ONE);
}

static void without_a_relay_the_direct_way_is_tried_for_ever(void **state)
{
	struct pair p = met();

	(void)state;
	p.f.choice = RELAY_NONE;
	assert_int_equal(way(&p, 0), RELAY_NONE);
	assert_int_equal(way(&p, 1000 * SECOND), RELAY_NONE);
	assert_int_equal(p.again_ms, INT64_MAX);
}

static void an_exempt_peer_is_never_relayed_and_comes_back_at_once(void **state)
{
	struct pair p = relayed();

	(void)state;
	p.f.is_exempt = true;
	assert_int_equal(way(&p, 20 * SECOND), RELAY_NONE);
	p.f.is_forced = true;
	assert_int_equal(way(&p, 1000 * SECOND), RELAY_NONE);
}

static void forced_means_relayed_although_a_tunnel_stands(void **state)
{
	struct pair p = met();

	(void)state;
	p.f.is_forced = true;
	handshake(&p, 0);
	assert_int_equal(way(&p, 0), ONE);
	handshake(&p, 10 * SECOND);
	assert_int_equal(way(&p, 1000 * SECOND), ONE);
}

static void both_ends_go_back_in_the_same_second(void **state)
{
	struct pair here = relayed();
	struct pair there = relayed();
	const int64_t back = 45 * SECOND; /* 23 + 20, rounded up */

	(void)state;
	handshake(&here, 23 * SECOND);
	handshake(&there, 23 * SECOND);
	/* One of them learns of the handshake at once, the other one ten seconds later. */
	assert_int_equal(way(&here, 23 * SECOND), ONE);
	assert_int_equal(here.again_ms, at(back).mono_ms);
	assert_int_equal(way(&there, 33 * SECOND), ONE);
	assert_int_equal(there.again_ms, at(back).mono_ms);
	assert_int_equal(way(&here, back - 1), ONE);
	assert_int_equal(way(&there, back - 1), ONE);
	assert_int_equal(way(&here, back), RELAY_NONE);
	assert_int_equal(way(&there, back), RELAY_NONE);
}

static void a_handshake_that_does_not_last_moves_nothing(void **state)
{
	struct pair p = relayed();

	(void)state;
	handshake(&p, 23 * SECOND);
	assert_int_equal(way(&p, 24 * SECOND), ONE);
	p.f.has_tunnel = false;
	assert_int_equal(way(&p, 30 * SECOND), ONE);
	assert_int_equal(way(&p, 100 * SECOND), ONE);
	/* The wait begins anew with the next one. */
	handshake(&p, 101 * SECOND);
	assert_int_equal(way(&p, 102 * SECOND), ONE);
	assert_int_equal(p.again_ms, at(125 * SECOND).mono_ms);
}

static void the_handshake_of_the_tunnel_that_fell_does_not_lead_back(void **state)
{
	struct pair p = met();

	(void)state;
	handshake(&p, 0);
	assert_int_equal(way(&p, 0), RELAY_NONE);
	p.f.has_tunnel = false; /* nothing comes, although it is young */
	assert_int_equal(way(&p, 60 * SECOND), ONE);
	p.f.has_tunnel = true; /* something came, but no handshake */
	assert_int_equal(way(&p, 100 * SECOND), ONE);
	handshake(&p, 100 * SECOND);
	assert_int_equal(way(&p, 120 * SECOND), RELAY_NONE);
}

/* A direct way that stands for a minute and falls, again and again: how long to the next return? */
static void each_relapse_doubles_the_wait(void **state)
{
	static const int64_t want_s[] = { 20, 40, 80, 160, 320, 640, 640 };
	struct pair p = relayed();
	int64_t ms = 100 * SECOND;

	(void)state;
	for (size_t i = 0; i < sizeof(want_s) / sizeof(want_s[0]); i++) {
		ms = (ms / (5 * SECOND) + 1) * 5 * SECOND;
		handshake(&p, ms);
		assert_int_equal(way(&p, ms), ONE);
		assert_int_equal(p.again_ms, at(ms + want_s[i] * SECOND).mono_ms);
		ms += want_s[i] * SECOND;
		assert_int_equal(way(&p, ms), RELAY_NONE);
		p.f.has_tunnel = false;
		ms += 60 * SECOND;
		assert_int_equal(way(&p, ms), ONE);
	}
}

static void a_direct_way_that_stood_for_long_forgives_relapses(void **state)
{
	struct pair p = relayed();

	(void)state;
	handshake(&p, 20 * SECOND);
	assert_int_equal(way(&p, 40 * SECOND), RELAY_NONE);
	p.f.has_tunnel = false;
	assert_int_equal(way(&p, 100 * SECOND), ONE);
	assert_int_equal(p.path.relapses, 1);
	handshake(&p, 200 * SECOND);
	assert_int_equal(way(&p, 240 * SECOND), RELAY_NONE);
	p.f.has_tunnel = false;
	assert_int_equal(way(&p, 240 * SECOND + RELAY_RELAPSE_MS), ONE);
	assert_int_equal(p.path.relapses, 0);
}

static void a_dead_relay_is_left_at_once(void **state)
{
	struct pair p = relayed();

	(void)state;
	p.f.choice = TWO;
	p.f.is_via_good = false;
	assert_int_equal(way(&p, 13 * SECOND), TWO);
	p.f.choice = RELAY_NONE;
	assert_int_equal(way(&p, 14 * SECOND), RELAY_NONE);
}

static void a_better_relay_is_taken_when_the_minute_is_full(void **state)
{
	struct pair p = relayed();

	(void)state;
	p.f.choice = TWO;
	assert_int_equal(way(&p, 13 * SECOND), ONE);
	assert_int_equal(p.again_ms, at(60 * SECOND).mono_ms);
	assert_int_equal(way(&p, 60 * SECOND - 1), ONE);
	assert_int_equal(way(&p, 60 * SECOND), TWO);
}

/* --- who is at the other end ------------------------------------------------------------------- */

static void a_peer_that_answers_nothing_is_mute(void **state)
{
	struct relay_ear ear = { 0 };

	(void)state;
	assert_true(relay_listen(&ear, 1000, 1000, 5));
	assert_true(relay_listen(&ear, 1000, 1000 + RELAY_MUTE_BYTES, 5 + RELAY_MUTE_MS - 1));
	assert_false(relay_listen(&ear, 1000, 1000 + RELAY_MUTE_BYTES, 5 + RELAY_MUTE_MS));
	assert_false(relay_listen(&ear, 1000, 9000, 90000));
	assert_true(relay_listen(&ear, 1032, 9000, 90001));
	assert_true(relay_listen(&ear, 1032, 9000 + RELAY_MUTE_BYTES, 90002));
}

static void an_idle_tunnel_is_not_mute(void **state)
{
	struct relay_ear ear = { 0 };

	(void)state;
	assert_true(relay_listen(&ear, 1000, 1000, 5));
	/* A keepalive each 25 seconds, and one handshake. */
	assert_true(relay_listen(&ear, 1000, 1000 + 4 * 32 + 148, 120000));
}

static void a_tunnel_that_was_made_anew_is_not_mute(void **state)
{
	struct relay_ear ear = { 0 };

	(void)state;
	assert_true(relay_listen(&ear, 0, 50000, 5));
	assert_true(relay_listen(&ear, 0, 148, 60000));
	assert_true(relay_listen(&ear, 0, 300, 60000 + RELAY_MUTE_MS));
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(both_ends_choose_the_same_relay_in_whatever_order_they_met_them),
		T(a_relay_that_goes_moves_only_who_used_it),
		T(nobody_relays_to_itself),
		T(an_existing_node_is_no_relay_to_itself_either),
		T(of_too_many_relays_the_lowest_keys_stay),
		T(a_first_handshake_is_waited_for),
		T(a_tunnel_is_left_the_moment_it_falls),
		T(without_a_relay_the_direct_way_is_tried_for_ever),
		T(an_exempt_peer_is_never_relayed_and_comes_back_at_once),
		T(forced_means_relayed_although_a_tunnel_stands),
		T(both_ends_go_back_in_the_same_second),
		T(a_handshake_that_does_not_last_moves_nothing),
		T(the_handshake_of_the_tunnel_that_fell_does_not_lead_back),
		T(each_relapse_doubles_the_wait),
		T(a_direct_way_that_stood_for_long_forgives_relapses),
		T(a_dead_relay_is_left_at_once),
		T(a_better_relay_is_taken_when_the_minute_is_full),
		T(a_peer_that_answers_nothing_is_mute),
		T(an_idle_tunnel_is_not_mute),
		T(a_tunnel_that_was_made_anew_is_not_mute),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}

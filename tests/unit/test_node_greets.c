/* SPDX-License-Identifier: MIT */
#include "tests/unit/nodefixture.h"

#include <sys/time.h>

#define UNSEEN_MS 70000 /* what WireGuard said so long ago tells nothing of a tunnel */
#define PAUSE_MS  80	/* a timer may be late by so much, and never early */

static uint64_t hellos(const struct fixture *f)
{
	return f->node.counters.hellos_sent;
}

static struct node_peer *row_of(struct fixture *f, unsigned int n)
{
	return &f->node.rows[peer_at(f, n)->slot];
}

static void reconcile(struct fixture *f, unsigned int n)
{
	peers_mark(f->node.peers, peer_at(f, n));
	node_peers_flush(&f->node);
}

/* --- one whose HELLO is due, and whose tunnel may live ---------------------------------------- */

/* Bob's tunnel was seen so long ago that his HELLO is due, and WireGuard was not asked since. */
static void lose_sight_of_bob(struct fixture *f)
{
	int64_t now_ms = clock_now().mono_ms;
	struct node_peer *row = row_of(f, BOB);
	struct peer *bob = peer_at(f, BOB);

	bob->is_ours = true;
	bob->tunnel_ms = now_ms - 2 * REFRESH_RARELY_MS;
	row->is_linked = false;
	row->refresh = (struct refresh) { .hello_ms = now_ms - 2 * REFRESH_RARELY_MS };
	f->node.nat.read_ms = now_ms - UNSEEN_MS;
	reconcile(f, BOB);
}

static bool is_asked_or_greeted(void *arg)
{
	struct fixture *f = arg;

	return f->node.dump_pending || hellos(f) > 0;
}

static void ask_for_bob(struct fixture *f)
{
	struct fakeadmin_request req = { 0 };

	connect_bob(f);
	lose_sight_of_bob(f);
	assert_true(loop_until(f->node.base, is_asked_or_greeted, f));
	assert_true(fakeadmin_next(&f->admin, &req));
	assert_int_equal(req.op, NETADMIN_DUMP);
	assert_int_equal(hellos(f), 0);
}

static void a_hello_waits_until_wireguard_has_said_whether_the_tunnel_lives(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, NULL);

	ask_for_bob(f);
	/* Until the answer is there, nothing else is done about it. */
	reconcile(f, BOB);
	loop_drain(f->node.base);
	assert_int_equal(hellos(f), 0);
	node_peers_observed(&f->node, &report);
	f->node.dump_pending = false;
	node_peers_dumped(&f->node);
	/* It lives: when the wait is over, nothing is due. */
	row_of(f, BOB)->sight_ms = clock_now().mono_ms;
	row_of(f, BOB)->refresh.met_ms = clock_now().mono_ms;
	reconcile(f, BOB);
	loop_drain(f->node.base);
	assert_int_equal(hellos(f), 0);
	assert_nothing_written(f);
}

static bool is_greeted(void *arg)
{
	return hellos(arg) > 0;
}

static void without_an_answer_of_wireguard_the_hello_goes_out_all_the_same(void **state)
{
	struct fixture *f = *state;
	int64_t before_ms = clock_now().mono_ms;

	ask_for_bob(f);
	assert_in_range(row_of(f, BOB)->sight_ms - before_ms, 1000, 2000 + LOOP_PATIENCE_S * 1000);
	/* The wait is over, and there is no second one. */
	row_of(f, BOB)->sight_ms = clock_now().mono_ms;
	reconcile(f, BOB);
	assert_true(loop_until(f->node.base, is_greeted, f));
	assert_int_equal(hellos(f), 1);
	assert_int_equal(row_of(f, BOB)->refresh.n_unanswered, 1);
	assert_int_equal(row_of(f, BOB)->sight_ms, 0);
}

static void a_tunnel_that_was_looked_at_lately_is_not_looked_at_again(void **state)
{
	struct fixture *f = *state;

	connect_bob(f);
	lose_sight_of_bob(f);
	f->node.nat.read_ms = clock_now().mono_ms;
	reconcile(f, BOB);
	assert_true(loop_until(f->node.base, is_asked_or_greeted, f));
	assert_int_equal(hellos(f), 1);
	assert_nothing_written(f);
}

/* --- one that is back ------------------------------------------------------------------------- */

static void one_who_is_back_after_a_goodbye_is_greeted_at_once(void **state)
{
	struct fixture *f = *state;

	connect_bob(f);
	goodbye(f, BOB, BOB_AT, 0);
	assert_int_equal(hellos(f), 0);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_int_equal(hellos(f), 1);
	/* Only once: he has not been away since. */
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_HELLO);
	assert_int_equal(row_of(f, BOB)->refresh.n_unanswered, 0);
	assert_int_equal(hellos(f), 1);
}

static void one_who_is_back_and_has_answered_us_is_not_greeted(void **state)
{
	struct fixture *f = *state;

	connect_bob(f);
	goodbye(f, BOB, BOB_AT, 0);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	assert_int_equal(hellos(f), 0);
	assert_false(peer_at(f, BOB)->said_goodbye);
}

/* --- the peers of the last run ---------------------------------------------------------------- */

static void remember(struct fixture *f, unsigned int i)
{
	struct known_peer who = { .key = { .b = { (uint8_t)i, 0, 9 } } };
	struct sighting s = sighting_of(&who, METHOD_CACHE, NULL);

	who.mesh_ip = (struct ip) { AF_INET, { 10, 77, 100, (uint8_t)i } };
	s.control = endpoint_of(BOB_AT);
	s.control.ip.b[3] = (uint8_t)i;
	s.seen_unix_s = clock_now().unix_s;
	node_peers_sight(&f->node, &s, false);
}

static bool are_all_greeted(void *arg)
{
	return hellos(arg) == 199;
}

static void few_from_the_cache_are_greeted_at_once_and_many_one_after_the_other(void **state)
{
	struct fixture *f = *state;

	settle(f);
	for (unsigned int i = 1; i < REFRESH_CROWD; i++)
		remember(f, i);
	assert_int_equal(hellos(f), REFRESH_CROWD - 1);
	for (unsigned int i = REFRESH_CROWD; i < 200; i++)
		remember(f, i);
	assert_int_equal(hellos(f), REFRESH_CROWD - 1);
	node_peers_flush(&f->node);
	assert_true(loop_until(f->node.base, are_all_greeted, f));
}

/* --- nobody can introduce --------------------------------------------------------------------- */

/* Looks who wants to be introduced; returns how long until the next look, in milliseconds. */
static int64_t look(struct fixture *f)
{
	struct timeval now;
	struct timeval at;

	node_rendezvous_look(&f->node);
	assert_non_null(f->node.offer_timer);
	assert_true(evtimer_pending(f->node.offer_timer, &at));
	(void)gettimeofday(&now, NULL);
	return (at.tv_sec - now.tv_sec) * 1000 + (at.tv_usec - now.tv_usec) / 1000;
}

/* Bob was heard a while ago, and there is no tunnel. */
static void miss_bob(struct fixture *f)
{
	settle(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_REPLY);
	peer_at(f, BOB)->first_seen_ms -= 5000;
	drop_requests(f);
}

static void assert_pause(int64_t ms, int64_t want_ms)
{
	if (ms > want_ms + PAUSE_MS || ms < want_ms - LOOP_PATIENCE_S * 1000)
		fail_msg("a pause of %lld ms instead of %lld", (long long)ms, (long long)want_ms);
}

static void where_nobody_introduces_nobody_is_asked_and_pauses_grow(void **state)
{
	struct fixture *f = *state;
	int64_t now_ms;

	miss_bob(f);
	assert_pause(look(f), 1000);
	now_ms = clock_now().mono_ms;
	assert_in_range(f->node.lull_since_ms, now_ms - 1000LL * LOOP_PATIENCE_S, now_ms);
	f->node.lull_since_ms = now_ms - 16000;
	assert_pause(look(f), 16000);
	assert_true(look(f) > 12000);
	f->node.lull_since_ms = now_ms - 3600000;
	assert_pause(look(f), 32000);
	assert_true(look(f) > 25000);
	assert_int_equal(row_of(f, BOB)->n_offers, 0);
	assert_int_equal(hellos(f), 0);
	assert_nothing_written(f);
}

static void a_new_face_ends_the_lull_and_an_introducer_is_asked(void **state)
{
	struct fixture *f = *state;

	miss_bob(f);
	(void)look(f);
	f->node.lull_since_ms = clock_now().mono_ms - 3600000;
	announced(f, CAROL, CAROL_AT, NULL, DISCOVERY_REPLY);
	assert_int_equal(f->node.lull_since_ms, 0);
	assert_pause(look(f), 1000);
	peer_at(f, CAROL)->info.introducer = true;
	(void)look(f);
	assert_int_equal(f->node.lull_since_ms, 0);
	assert_int_equal(row_of(f, BOB)->n_offers, 1);
	assert_true(row_of(f, CAROL)->asked_ms > 0);
	/* Beside the direct way, not instead of it. */
	assert_int_equal(hellos(f), 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, nodefixture_make, nodefixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_hello_waits_until_wireguard_has_said_whether_the_tunnel_lives),
		T(without_an_answer_of_wireguard_the_hello_goes_out_all_the_same),
		T(a_tunnel_that_was_looked_at_lately_is_not_looked_at_again),
		T(one_who_is_back_after_a_goodbye_is_greeted_at_once),
		T(one_who_is_back_and_has_answered_us_is_not_greeted),
		T(few_from_the_cache_are_greeted_at_once_and_many_one_after_the_other),
		T(where_nobody_introduces_nobody_is_asked_and_pauses_grow),
		T(a_new_face_ends_the_lull_and_an_introducer_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

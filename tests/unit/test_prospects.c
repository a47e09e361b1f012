/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/discovery/prospects.h"
#include "tests/unit/fixtures.h"

#include <stdlib.h>

#define NOW    1000000
#define SECOND 1000
#define MINUTE 60000
#define HOUR   3600000

static const struct prospects_mood usual = { .pause_ms = PROSPECTS_PAUSE_MS };
static const struct prospects_mood alone = { .pause_ms = PROSPECTS_ALONE_MS };
static const struct prospects_mood busy = { PROSPECTS_PAUSE_MS, true };

struct fixture {
	struct prospects *t;
	int64_t now;
};

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->t = prospects_new(42);
	f->now = NOW;
	assert_non_null(f->t);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	prospects_free(f->t);
	free(f);
	return 0;
}

/* Address number @n of 10.0.0.0/8, which are all different hosts. */
static struct endpoint nth(unsigned int n)
{
	return (struct endpoint) {
		.ip = { .family = AF_INET,
			.b = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } },
		.port = 52000,
	};
}

static bool report(struct fixture *f, const struct endpoint *at, unsigned int via,
		   unsigned int teller)
{
	const struct prospect p = {
		.at = *at, .via = via, .teller = (uint16_t)teller, .prefix = 7
	};

	return prospects_report(f->t, &p, f->now);
}

static bool say(struct fixture *f, const char *at, unsigned int via)
{
	struct endpoint e = endpoint_of(at);

	return report(f, &e, via, PROSPECTS_TOLD_BY_NONE);
}

/* Lets @ms pass in steps of 100 ms; returns how many turns there were. */
static size_t turns_in(struct fixture *f, int64_t ms)
{
	struct prospect p;
	size_t total = 0;

	for (int64_t end = f->now + ms; f->now < end; f->now += 100)
		while (prospects_next(f->t, f->now, &usual, &p))
			total++;
	return total;
}

static void assert_turn(struct fixture *f, const char *at)
{
	struct prospect p;

	assert_true(prospects_next(f->t, f->now, &usual, &p));
	assert_endpoint(&p.at, at);
}

static void an_address_gets_its_turn_at_once_and_only_once(void **state)
{
	struct fixture *f = *state;
	struct prospect p;

	assert_int_equal(prospects_due_ms(f->t, f->now), INT64_MAX);
	assert_true(say(f, "192.0.2.1:52000", METHOD_TRANSITIVE));
	assert_true(prospects_next(f->t, f->now, &usual, &p));
	assert_endpoint(&p.at, "192.0.2.1:52000");
	assert_int_equal(p.via, METHOD_TRANSITIVE);
	assert_int_equal(p.prefix, 7);
	assert_int_equal(turns_in(f, HOUR), 0);
	assert_int_equal(prospects_due_ms(f->t, f->now), INT64_MAX);
}

static void what_cannot_be_a_member_is_refused(void **state)
{
	static const char *const bad[] = {
		"0.0.0.0:52000",     "0.1.2.3:52000",	  "127.0.0.1:52000",
		"127.9.9.9:52000",   "169.254.1.1:52000", "224.0.0.251:52000",
		"239.192.1.2:52000", "240.0.0.1:52000",	  "255.255.255.255:52000",
		"[::]:52000",	     "[::1]:52000",	  "[fe80::1]:52000",
		"[ff02::1]:52000",
	};
	struct fixture *f = *state;
	struct endpoint no_port = { .ip = ip_of("192.0.2.1") };
	struct endpoint none = { .port = 52000 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(say(f, bad[i], METHOD_TRANSITIVE));
	assert_false(report(f, &no_port, METHOD_STATIC, PROSPECTS_TOLD_BY_NONE));
	assert_false(report(f, &none, METHOD_STATIC, PROSPECTS_TOLD_BY_NONE));
	assert_int_equal(turns_in(f, SECOND), 0);
}

static void only_a_person_may_name_a_loopback_address(void **state)
{
	struct fixture *f = *state;

	assert_false(say(f, "127.0.0.1:52000", METHOD_DNS));
	assert_false(say(f, "127.0.0.1:52000", METHOD_MAINLINE));
	assert_true(say(f, "127.0.0.1:52000", METHOD_STATIC));
	assert_true(say(f, "[::1]:52000", METHOD_STATIC));
	assert_false(say(f, "169.254.1.1:52000", METHOD_STATIC));
}

static void what_a_person_gave_is_tried_for_ever_with_growing_pauses(void **state)
{
	struct fixture *f = *state;
	int64_t last = f->now;
	int64_t longest = 0;

	assert_true(say(f, "192.0.2.1:52000", METHOD_STATIC));
	assert_turn(f, "192.0.2.1:52000");
	for (int i = 0; i < 20; i++) {
		int64_t due = prospects_due_ms(f->t, f->now);
		int64_t want = i < 7 ? 5000 << i : PROSPECTS_PAUSE_MS;

		assert_in_range(due - last, want * 7 / 8, want * 9 / 8);
		longest = due - last > longest ? due - last : longest;
		f->now = due - 1;
		assert_int_equal(prospects_count(f->t, METHOD_STATIC), 1);
		f->now = last = due;
		assert_turn(f, "192.0.2.1:52000");
	}
	assert_true(longest > PROSPECTS_PAUSE_MS * 8 / 10);
}

static void a_lonely_node_never_waits_longer_than_a_minute(void **state)
{
	struct fixture *f = *state;
	struct prospect p;

	assert_true(say(f, "192.0.2.1:52000", METHOD_DNS));
	for (int i = 0; i < 20; i++) {
		assert_true(prospects_next(f->t, f->now, &alone, &p));
		assert_true(prospects_due_ms(f->t, f->now) - f->now <= PROSPECTS_ALONE_MS * 9 / 8);
		f->now = prospects_due_ms(f->t, f->now);
	}
}

static void pauses_differ_from_node_to_node(void **state)
{
	struct fixture *f = *state;
	struct fixture other = { .t = prospects_new(43), .now = f->now };

	assert_true(say(f, "192.0.2.1:52000", METHOD_STATIC));
	assert_true(say(&other, "192.0.2.1:52000", METHOD_STATIC));
	assert_turn(f, "192.0.2.1:52000");
	assert_turn(&other, "192.0.2.1:52000");
	assert_int_not_equal(prospects_due_ms(f->t, f->now), prospects_due_ms(other.t, f->now));
	prospects_free(other.t);
}

static void a_failure_is_remembered_longer_each_time(void **state)
{
	struct fixture *f = *state;

	assert_true(say(f, "192.0.2.1:52000", METHOD_MAINLINE));
	for (int64_t hold = 5000; hold < HOUR; hold *= 2) {
		assert_turn(f, "192.0.2.1:52000");
		f->now += hold * 7 / 8 - 1;
		assert_false(say(f, "192.0.2.1:52000", METHOD_MAINLINE));
		assert_int_equal(turns_in(f, 100), 0);
		f->now += hold / 4;
		assert_true(say(f, "192.0.2.1:52000", METHOD_MAINLINE));
	}
}

static void an_answer_ends_the_tries_and_clears_the_memory(void **state)
{
	struct fixture *f = *state;
	struct endpoint given = endpoint_of("192.0.2.1:52000");
	struct endpoint told = endpoint_of("192.0.2.2:52000");

	assert_true(report(f, &given, METHOD_STATIC, PROSPECTS_TOLD_BY_NONE));
	assert_true(report(f, &told, METHOD_TRANSITIVE, 3));
	assert_int_equal(turns_in(f, 100), 2);
	prospects_answered(f->t, &given, f->now);
	prospects_answered(f->t, &told, f->now);
	assert_int_equal(prospects_due_ms(f->t, f->now), f->now + PROSPECTS_REST_MS);
	assert_int_equal(prospects_count(f->t, METHOD_TRANSITIVE), 0);
	assert_true(report(f, &told, METHOD_TRANSITIVE, 3));
	prospects_answered(f->t, &(struct endpoint) { .ip = ip_of("192.0.2.9"), .port = 1 },
			   f->now);
}

static void who_is_lost_is_tried_again_soon_if_a_person_named_it(void **state)
{
	struct fixture *f = *state;
	struct endpoint given = endpoint_of("192.0.2.1:52000");

	assert_true(report(f, &given, METHOD_STATIC, PROSPECTS_TOLD_BY_NONE));
	assert_turn(f, "192.0.2.1:52000");
	prospects_answered(f->t, &given, f->now);
	prospects_lost(f->t, &given, f->now);
	assert_int_equal(turns_in(f, 2 * SECOND), 0);
	assert_in_range(turns_in(f, 6 * SECOND), 1, 2);
}

static void a_thousand_addresses_of_an_honest_mesh_are_greeted_within_ten_seconds(void **state)
{
	struct fixture *f = *state;
	struct prospect p;
	size_t total = 0;

	for (unsigned int i = 0; i < 1000; i++) {
		struct endpoint at = nth(i);

		assert_true(report(f, &at, METHOD_TRANSITIVE, i % 20));
	}
	for (int64_t end = f->now + 10500; f->now < end; f->now += 100)
		while (prospects_next(f->t, f->now, &usual, &p)) {
			prospects_answered(f->t, &p.at, f->now);
			total++;
		}
	assert_int_equal(total, 1000);
}

/* New addresses for ever, none of which answers. */
static size_t flood(struct fixture *f, unsigned int via, int64_t ms)
{
	static unsigned int n;
	struct prospect p;
	size_t total = 0;

	for (int64_t end = f->now + ms; f->now < end; f->now += 100) {
		for (unsigned int i = 0; i < 300; i++) {
			struct endpoint at = nth(n++);

			(void)report(f, &at, via, i % 9);
		}
		while (prospects_next(f->t, f->now, &usual, &p))
			total++;
	}
	return total;
}

static void a_hostile_member_makes_us_send_little(void **state)
{
	struct fixture *f = *state;

	assert_in_range(flood(f, METHOD_TRANSITIVE, 20 * SECOND), 900, 1200);
	assert_in_range(flood(f, METHOD_TRANSITIVE, MINUTE), 250, 310);
}

static void a_hostile_dht_makes_us_send_less(void **state)
{
	struct fixture *f = *state;

	assert_in_range(flood(f, METHOD_MAINLINE, MINUTE), 250, 320);
}

static void no_host_is_greeted_often_whatever_the_port(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 120; i++) {
		struct endpoint at = nth(1);

		at.port = (uint16_t)(1000 + i);
		assert_true(report(f, &at, METHOD_TRANSITIVE, i));
	}
	assert_in_range(turns_in(f, 10 * SECOND), 25, 37);
}

static void what_a_person_gave_comes_first_and_even_when_there_is_little_room(void **state)
{
	struct fixture *f = *state;
	struct prospect p;

	for (unsigned int i = 0; i < 50; i++) {
		struct endpoint at = nth(i);

		assert_true(report(f, &at, METHOD_TRANSITIVE, i));
	}
	assert_false(prospects_next(f->t, f->now, &busy, &p));
	assert_true(say(f, "192.0.2.1:52000", METHOD_STATIC));
	assert_true(say(f, "192.0.2.2:52000", METHOD_DNS));
	assert_true(prospects_next(f->t, f->now, &busy, &p));
	assert_true(prospects_next(f->t, f->now, &usual, &p));
	assert_int_equal(p.via & (METHOD_STATIC | METHOD_DNS), p.via);
	assert_true(prospects_next(f->t, f->now, &usual, &p));
	assert_int_equal(p.via, METHOD_TRANSITIVE);
}

static void no_teller_can_fill_the_table(void **state)
{
	struct fixture *f = *state;
	size_t taken = 0;
	struct endpoint other = nth(9999);

	for (unsigned int i = 0; i < PROSPECTS_MAX; i++) {
		struct endpoint at = nth(i);

		taken += report(f, &at, METHOD_TRANSITIVE, 3) ? 1 : 0;
	}
	assert_int_equal(taken, PROSPECTS_SHARE_MAX);
	assert_true(report(f, &other, METHOD_TRANSITIVE, 4));
	/* Its share is free again when its turns are over. */
	(void)turns_in(f, 2 * SECOND);
	other = nth(10000);
	assert_true(report(f, &other, METHOD_TRANSITIVE, 3));
}

static void a_full_table_has_room_for_what_a_person_gives(void **state)
{
	struct fixture *f = *state;
	struct endpoint given = nth(5000);
	struct endpoint found = nth(5001);

	for (unsigned int i = 0; i < PROSPECTS_MAX; i++) {
		struct endpoint at = nth(i);

		assert_true(report(f, &at, METHOD_TRANSITIVE, i));
	}
	assert_false(report(f, &found, METHOD_MAINLINE, PROSPECTS_TOLD_BY_NONE));
	assert_false(report(f, &found, METHOD_TRANSITIVE, 1));
	assert_true(report(f, &given, METHOD_STATIC, PROSPECTS_TOLD_BY_NONE));
	assert_int_equal(prospects_count(f->t, METHOD_STATIC), 1);
	assert_int_equal(prospects_count(f->t, METHOD_TRANSITIVE), PROSPECTS_MAX - 1);
}

static void what_is_only_remembered_makes_room_for_news(void **state)
{
	struct fixture *f = *state;
	struct endpoint found = nth(5001);

	for (unsigned int i = 0; i < PROSPECTS_MAX; i++) {
		struct endpoint at = nth(i);

		assert_true(report(f, &at, METHOD_TRANSITIVE, i));
	}
	assert_int_not_equal(turns_in(f, SECOND), 0);
	assert_true(report(f, &found, METHOD_MAINLINE, PROSPECTS_TOLD_BY_NONE));
}

static void not_even_a_person_may_take_the_whole_table(void **state)
{
	struct fixture *f = *state;
	struct endpoint told = nth(5000);

	for (unsigned int i = 0; i < PROSPECTS_MAX; i++) {
		struct endpoint at = nth(i);

		assert_int_equal(report(f, &at, METHOD_DNS, PROSPECTS_TOLD_BY_NONE),
				 i < PROSPECTS_KEPT_MAX);
	}
	assert_true(report(f, &told, METHOD_TRANSITIVE, 3));
	assert_true(report(f, &told, METHOD_TRANSITIVE, 3));
	assert_false(report(f, &told, METHOD_DNS, PROSPECTS_TOLD_BY_NONE));
}

static void what_a_person_takes_back_is_given_up(void **state)
{
	struct fixture *f = *state;

	assert_true(say(f, "192.0.2.1:52000", METHOD_STATIC));
	assert_true(say(f, "192.0.2.2:52000", METHOD_DNS));
	assert_true(say(f, "192.0.2.3:52000", METHOD_TRANSITIVE));
	prospects_renew(f->t);
	assert_true(say(f, "192.0.2.2:52000", METHOD_DNS));
	prospects_expire(f->t);
	assert_int_equal(prospects_count(f->t, METHOD_STATIC), 0);
	assert_int_equal(prospects_count(f->t, METHOD_DNS), 1);
	assert_int_equal(prospects_count(f->t, METHOD_TRANSITIVE), 1);
	assert_int_equal(turns_in(f, SECOND), 2);
}

static void what_failed_is_worth_a_try_in_another_network(void **state)
{
	struct fixture *f = *state;

	assert_true(say(f, "192.0.2.1:52000", METHOD_STATIC));
	assert_true(say(f, "192.0.2.2:52000", METHOD_TRANSITIVE));
	(void)turns_in(f, HOUR);
	prospects_wake(f->t, f->now);
	assert_true(say(f, "192.0.2.2:52000", METHOD_TRANSITIVE));
	assert_in_range(turns_in(f, 1200), 2, 2);
}

static void an_address_with_two_sources_is_one_and_is_kept(void **state)
{
	struct fixture *f = *state;
	struct prospect p;

	assert_true(say(f, "192.0.2.1:52000", METHOD_MAINLINE));
	assert_true(say(f, "192.0.2.1:52000", METHOD_STATIC));
	assert_true(prospects_next(f->t, f->now, &usual, &p));
	assert_int_equal(p.via, (unsigned int)METHOD_MAINLINE | METHOD_STATIC);
	assert_int_equal(turns_in(f, 100), 0);
	assert_int_equal(turns_in(f, 7 * SECOND), 1);
}

static void what_rests_does_not_wake_anybody(void **state)
{
	struct fixture *f = *state;
	struct endpoint at = endpoint_of("192.0.2.1:52000");

	assert_true(report(f, &at, METHOD_DNS, PROSPECTS_TOLD_BY_NONE));
	assert_turn(f, "192.0.2.1:52000");
	prospects_rest(f->t, &at, f->now + HOUR);
	assert_int_equal(prospects_due_ms(f->t, f->now), f->now + HOUR);
	/* The answer of DNS that names it again changes nothing. */
	assert_true(report(f, &at, METHOD_DNS, PROSPECTS_TOLD_BY_NONE));
	assert_int_equal(turns_in(f, MINUTE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)
		TEST(an_address_gets_its_turn_at_once_and_only_once),
		TEST(what_cannot_be_a_member_is_refused),
		TEST(only_a_person_may_name_a_loopback_address),
		TEST(what_a_person_gave_is_tried_for_ever_with_growing_pauses),
		TEST(a_lonely_node_never_waits_longer_than_a_minute),
		TEST(pauses_differ_from_node_to_node),
		TEST(a_failure_is_remembered_longer_each_time),
		TEST(an_answer_ends_the_tries_and_clears_the_memory),
		TEST(who_is_lost_is_tried_again_soon_if_a_person_named_it),
		TEST(a_thousand_addresses_of_an_honest_mesh_are_greeted_within_ten_seconds),
		TEST(a_hostile_member_makes_us_send_little),
		TEST(a_hostile_dht_makes_us_send_less),
		TEST(no_host_is_greeted_often_whatever_the_port),
		TEST(what_a_person_gave_comes_first_and_even_when_there_is_little_room),
		TEST(no_teller_can_fill_the_table),
		TEST(a_full_table_has_room_for_what_a_person_gives),
		TEST(what_is_only_remembered_makes_room_for_news),
		TEST(not_even_a_person_may_take_the_whole_table),
		TEST(what_a_person_takes_back_is_given_up),
		TEST(what_failed_is_worth_a_try_in_another_network),
		TEST(an_address_with_two_sources_is_one_and_is_kept),
		TEST(what_rests_does_not_wake_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

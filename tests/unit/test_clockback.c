/* SPDX-License-Identifier: MIT */
#include "daemon/node/clockback.h"
#include "tests/unit/test.h"

#define START_S INT64_C(1767225600)

/* So many seconds after the start by the clock that cannot be set, and what the other one shows. */
static struct now after(int64_t s, int64_t shown_s)
{
	return (struct now) { .mono_ms = s * 1000, .unix_s = START_S + shown_s };
}

static void a_clock_that_goes_on_is_right(void **state)
{
	struct clockback c = { 0 };

	(void)state;
	clockback_remember(&c, START_S);
	for (int64_t s = 0; s < 100000; s += 777)
		assert_int_equal(clockback_look(&c, after(s, s)), 0);
	assert_int_equal(c.hold_until_ms, 0);
}

static void without_a_memory_every_clock_is_right(void **state)
{
	struct clockback c = { 0 };

	(void)state;
	clockback_remember(&c, 0);
	clockback_remember(&c, -1);
	assert_int_equal(clockback_look(&c, (struct now) { .mono_ms = 5, .unix_s = 60 }), 0);
	assert_int_equal(clockback_behind(&c, (struct now) { .mono_ms = 5, .unix_s = 60 }), 0);
}

static void a_start_behind_the_last_run_holds_until_the_clock_is_right(void **state)
{
	struct clockback c = { 0 };

	(void)state;
	clockback_remember(&c, START_S + 3600);
	assert_int_equal(clockback_look(&c, after(0, 0)), 3600);
	assert_int_equal(c.hold_until_ms, CLOCKBACK_HOLD_MS);
	assert_int_equal(clockback_behind(&c, after(60, 60)), 3540);
	assert_int_equal(clockback_look(&c, after(60, 3700)), 0);
	assert_int_equal(c.hold_until_ms, 0);
}

static void the_hold_is_not_for_ever_and_its_end_begins_none(void **state)
{
	struct clockback c = { 0 };

	(void)state;
	clockback_remember(&c, START_S + 86400);
	assert_int_equal(clockback_look(&c, after(0, 0)), 86400);
	for (int64_t s = 1; s < 1000; s++) {
		assert_int_equal(clockback_look(&c, after(s, s)), 86400 - s);
		assert_int_equal(c.hold_until_ms, CLOCKBACK_HOLD_MS);
	}
}

static void a_clock_that_is_set_back_while_the_node_runs_is_noticed(void **state)
{
	struct clockback c = { 0 };

	(void)state;
	assert_int_equal(clockback_look(&c, after(0, 0)), 0);
	/* It would show 1000 by now. */
	assert_int_equal(clockback_look(&c, after(1000, 400)), 600);
	assert_int_equal(c.hold_until_ms, 1000 * 1000 + CLOCKBACK_HOLD_MS);
	assert_int_equal(clockback_look(&c, after(1100, 500)), 500);
	/* Once more: peers have taken nothing newer than before, but it is further away. */
	assert_int_equal(clockback_look(&c, after(1200, 100)), 900);
	assert_int_equal(c.hold_until_ms, 1200 * 1000 + CLOCKBACK_HOLD_MS);
	assert_int_equal(clockback_look(&c, after(1300, 1300)), 0);
}

static void steps_that_are_over_at_once_do_not_count(void **state)
{
	struct clockback c = { 0 };

	(void)state;
	assert_int_equal(clockback_look(&c, after(0, 0)), 0);
	assert_int_equal(clockback_look(&c, after(100, 100 - CLOCKBACK_SLACK_S + 1)), 0);
	assert_int_equal(clockback_look(&c, after(200, 200 - 2 * CLOCKBACK_SLACK_S + 1)),
			 CLOCKBACK_SLACK_S);
	assert_int_equal(clockback_look(&c, after(201, 202 - 2 * CLOCKBACK_SLACK_S + 1)), 0);
}

static void a_second_start_remembers_and_one_wrong_moment_is_forgotten(void **state)
{
	struct clockback c = { 0 };

	(void)state;
	assert_int_equal(clockback_stamp(&c, after(0, 7)), START_S + 7);
	clockback_remember(&c, START_S + 3600);
	(void)clockback_look(&c, after(0, 0));
	assert_int_equal(clockback_stamp(&c, after(10, 10)), START_S + 3600);
	assert_int_equal(clockback_stamp(&c, after(10, 3700)), START_S + 3700);
	assert_int_equal(clockback_stamp(&c, after(CLOCKBACK_HOLD_MS / 1000, 180)), START_S + 180);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_goes_on_is_right),
		cmocka_unit_test(without_a_memory_every_clock_is_right),
		cmocka_unit_test(a_start_behind_the_last_run_holds_until_the_clock_is_right),
		cmocka_unit_test(the_hold_is_not_for_ever_and_its_end_begins_none),
		cmocka_unit_test(a_clock_that_is_set_back_while_the_node_runs_is_noticed),
		cmocka_unit_test(steps_that_are_over_at_once_do_not_count),
		cmocka_unit_test(a_second_start_remembers_and_one_wrong_moment_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

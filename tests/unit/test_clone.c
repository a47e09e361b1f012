/* SPDX-License-Identifier: MIT */
#include "daemon/node/clone.h"
#include "tests/unit/test.h"

#include <string.h>

#define A "00000000000000aa"
#define B "00000000000000bb"
#define C "00000000000000cc"

#define START_S 1767225600

static void an_instance_is_16_hexadecimal_digits_or_nothing(void **state)
{
	(void)state;
	assert_true(clone_is_instance(""));
	assert_true(clone_is_instance(A));
	assert_false(clone_is_instance("00000000000000a"));
	assert_false(clone_is_instance("00000000000000aaa"));
	assert_false(clone_is_instance("00000000000000AA"));
	assert_false(clone_is_instance("0000000000\n000aa"));
}

static void instances_that_follow_each_other_are_restarts(void **state)
{
	static const char *const heard[] = { "", A, A, B, B, C, C };
	struct clone_trail t = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
		assert_false(clone_follow(&t, heard[i]));
}

static void instances_that_take_turns_are_a_clone(void **state)
{
	struct clone_trail t = { 0 };

	(void)state;
	assert_false(clone_follow(&t, A));
	assert_false(clone_follow(&t, B));
	assert_true(clone_follow(&t, A));
	assert_false(clone_follow(&t, A));
	assert_true(clone_follow(&t, B));
}

static void a_node_without_instances_counts_as_one_instance(void **state)
{
	struct clone_trail t = { 0 };

	(void)state;
	assert_false(clone_follow(&t, ""));
	assert_false(clone_follow(&t, A));
	assert_true(clone_follow(&t, ""));
}

static void the_alarm_goes_on_with_the_second_fresh_announcement_of_the_own_key(void **state)
{
	struct clone_alarm a = { 0 };

	(void)state;
	assert_false(clone_hear_own_key(&a, START_S + 5, START_S, 5000));
	assert_false(a.is_on);
	assert_true(clone_hear_own_key(&a, START_S + 10, START_S, 10000));
	assert_true(a.is_on);
	assert_false(clone_hear_own_key(&a, START_S + 15, START_S, 15000));
}

static void what_was_said_before_the_start_or_is_repeated_is_no_clone(void **state)
{
	struct clone_alarm a = { 0 };

	(void)state;
	for (int64_t s = START_S - 600; s <= START_S; s += 5)
		assert_false(clone_hear_own_key(&a, s, START_S, 1000));
	for (int i = 0; i < 100; i++)
		assert_false(clone_hear_own_key(&a, START_S + 7, START_S, 1000 + i));
	assert_false(a.is_on);
}

static void the_alarm_goes_off_when_the_clone_is_silent_and_on_again_when_it_is_not(void **state)
{
	struct clone_alarm a = { 0 };

	(void)state;
	assert_false(clone_is_over(&a, 10 * CLONE_FORGET_MS));
	(void)clone_hear_own_key(&a, START_S + 5, START_S, 5000);
	(void)clone_hear_own_key(&a, START_S + 10, START_S, 10000);
	(void)clone_hear_own_key(&a, START_S + 10, START_S, 20000);
	assert_false(clone_is_over(&a, 20000 + CLONE_FORGET_MS - 1));
	assert_true(clone_is_over(&a, 20000 + CLONE_FORGET_MS));
	assert_false(clone_is_over(&a, 20001 + CLONE_FORGET_MS));
	assert_false(clone_hear_own_key(&a, START_S + 95, START_S, 95000));
	assert_true(clone_hear_own_key(&a, START_S + 100, START_S, 100000));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_instance_is_16_hexadecimal_digits_or_nothing),
		cmocka_unit_test(instances_that_follow_each_other_are_restarts),
		cmocka_unit_test(instances_that_take_turns_are_a_clone),
		cmocka_unit_test(a_node_without_instances_counts_as_one_instance),
		cmocka_unit_test(
			the_alarm_goes_on_with_the_second_fresh_announcement_of_the_own_key),
		cmocka_unit_test(what_was_said_before_the_start_or_is_repeated_is_no_clone),
		cmocka_unit_test(
			the_alarm_goes_off_when_the_clone_is_silent_and_on_again_when_it_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

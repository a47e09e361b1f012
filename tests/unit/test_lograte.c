/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/lograte.h"

static const struct lograte_limit limit = { .burst = 3, .every_ms = 1000 };

static unsigned int taken(struct lograte *r, unsigned int tries, uint64_t now_ms)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < tries; i++)
		n += lograte_take(r, &limit, now_ms) ? 1 : 0;
	return n;
}

static void a_burst_passes_and_no_more(void **state)
{
	struct lograte r = { 0 };

	(void)state;
	assert_int_equal(taken(&r, 10, 5), 3);
	assert_int_equal(r.held, 7);
}

static void then_one_passes_in_the_time_given(void **state)
{
	struct lograte r = { 0 };

	(void)state;
	assert_int_equal(taken(&r, 10, 0), 3);
	assert_int_equal(taken(&r, 10, 999), 0);
	assert_int_equal(taken(&r, 10, 1000), 1);
	assert_int_equal(taken(&r, 10, 3000), 2);
}

static void a_bucket_holds_no_more_than_a_burst(void **state)
{
	struct lograte r = { 0 };

	(void)state;
	assert_int_equal(taken(&r, 10, 0), 3);
	assert_int_equal(taken(&r, 10, 1000000), 3);
}

static void time_that_goes_backwards_opens_nothing_and_breaks_nothing(void **state)
{
	struct lograte r = { 0 };

	(void)state;
	assert_int_equal(taken(&r, 10, 5000), 3);
	assert_int_equal(taken(&r, 10, 0), 0);
	assert_int_equal(taken(&r, 10, 6000), 1);
}

static void the_count_of_what_is_held_back_does_not_wrap(void **state)
{
	struct lograte r = { .held = UINT32_MAX - 1 };

	(void)state;
	assert_int_equal(taken(&r, 6, 0), 3);
	assert_true(r.held == UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_and_no_more),
		cmocka_unit_test(then_one_passes_in_the_time_given),
		cmocka_unit_test(a_bucket_holds_no_more_than_a_burst),
		cmocka_unit_test(time_that_goes_backwards_opens_nothing_and_breaks_nothing),
		cmocka_unit_test(the_count_of_what_is_held_back_does_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/view/view.h"
#include "tests/unit/test.h"

static void a_node_is_ready_when_it_runs_and_no_check_failed(void **state)
{
	struct view v = { .phase = VIEW_RUNNING, .n_checks = 2 };

	(void)state;
	assert_true(view_is_ready(&v));
	v.checks[1].mark = VIEW_WARN;
	assert_true(view_is_ready(&v));
	v.checks[1].mark = VIEW_FAIL;
	assert_false(view_is_ready(&v));
	/* What lies behind the last check is none. */
	v.n_checks = 1;
	assert_true(view_is_ready(&v));
	v.phase = VIEW_STARTING;
	assert_false(view_is_ready(&v));
	v.phase = VIEW_STOPPING;
	assert_false(view_is_ready(&v));
}

static void what_is_counted_has_its_documented_name(void **state)
{
	(void)state;
	assert_string_equal(view_fate_name(FATE_ACCEPTED), "accepted");
	assert_string_equal(view_fate_name(FATE_RATE_LIMITED), "rate_limited");
	assert_string_equal(view_fate_name(FATE_NOT_OURS), "not_ours");
	assert_string_equal(view_fate_name(FATE_STALE), "stale");
	assert_string_equal(view_fate_name(FATE_INVALID), "invalid");
	assert_string_equal(view_mark_name(VIEW_PASS), "pass");
	assert_string_equal(view_mark_name(VIEW_WARN), "warn");
	assert_string_equal(view_mark_name(VIEW_FAIL), "fail");
	assert_string_equal(view_nat_name(NAT_UNKNOWN), "unknown");
	assert_string_equal(view_nat_name(NAT_NONE), "none");
	assert_string_equal(view_nat_name(NAT_CONE), "cone");
	assert_string_equal(view_nat_name(NAT_SYMMETRIC), "symmetric");
}

static void an_observation_is_counted_below_the_first_bound_that_holds_it(void **state)
{
	static const double bounds[] = { 1, 2 };
	struct histogram h = { .bounds = bounds, .n_bounds = 2 };

	(void)state;
	histogram_add(&h, -1);
	histogram_add(&h, 1);
	histogram_add(&h, 1.5);
	histogram_add(&h, 2);
	histogram_add(&h, 2.25);
	assert_int_equal(h.counts[0], 2);
	assert_int_equal(h.counts[1], 2);
	assert_int_equal(h.counts[2], 1);
	assert_int_equal(h.n, 5);
	/* A clock that went back took no time. */
	assert_true(h.sum > 6.7 && h.sum < 6.8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_ready_when_it_runs_and_no_check_failed),
		cmocka_unit_test(what_is_counted_has_its_documented_name),
		cmocka_unit_test(an_observation_is_counted_below_the_first_bound_that_holds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

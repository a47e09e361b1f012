/* SPDX-License-Identifier: MIT */
#include "daemon/net/mtu.h"
#include "tests/unit/fixtures.h"

static uint32_t carries(uint32_t bytes, bool via_gateway, const char *to)
{
	const struct mtu_path p = { bytes, via_gateway };
	struct ip ip = ip_of(to);

	return mtu_of_path(&p, &ip);
}

static void a_tunnel_has_what_its_narrowest_way_leaves(void **state)
{
	(void)state;
	assert_int_equal(mtu_inside(1500), 1420);
	assert_int_equal(mtu_inside(1492), 1412);
	assert_int_equal(mtu_inside(9001), 8921);
	assert_int_equal(mtu_inside(65536), 65455);
	assert_int_equal(mtu_inside(UINT32_MAX), MTU_MAX);
}

static void never_less_than_ipv6_needs(void **state)
{
	(void)state;
	assert_int_equal(mtu_inside(1360), 1280);
	assert_int_equal(mtu_inside(1359), 1280);
	assert_int_equal(mtu_inside(576), 1280);
	assert_int_equal(mtu_inside(1), 1280);
}

static void without_any_way_it_is_the_usual_one(void **state)
{
	(void)state;
	assert_int_equal(mtu_inside(0), 1420);
}

static void large_frames_do_not_leave_the_local_network(void **state)
{
	(void)state;
	assert_int_equal(carries(9001, false, "10.0.0.7"), 9001);
	assert_int_equal(carries(9001, true, "10.0.0.7"), 9001);
	assert_int_equal(carries(9001, false, "203.0.113.7"), 9001);
	assert_int_equal(carries(9001, true, "203.0.113.7"), 1500);
	assert_int_equal(carries(1400, true, "203.0.113.7"), 1400);
	assert_int_equal(carries(0, true, "203.0.113.7"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tunnel_has_what_its_narrowest_way_leaves),
		cmocka_unit_test(never_less_than_ipv6_needs),
		cmocka_unit_test(without_any_way_it_is_the_usual_one),
		cmocka_unit_test(large_frames_do_not_leave_the_local_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

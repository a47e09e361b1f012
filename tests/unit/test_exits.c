/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/exits.h"

#include <string.h>

static void codes_rise_and_each_has_a_meaning(void **state)
{
	const struct exits_row *rows;
	size_t n = 0;

	(void)state;
	rows = exits_table(&n);
	assert_true(n > 10);
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || rows[i].code > rows[i - 1].code);
		assert_true(rows[i].code < 128);
		assert_true(strlen(rows[i].meaning) > 0);
		assert_ptr_equal(exits_meaning(rows[i].code), rows[i].meaning);
	}
}

static void the_codes_are_those_that_were_promised(void **state)
{
	(void)state;
	assert_int_equal(EXITS_OK, 0);
	assert_int_equal(EXITS_USAGE, 64);
	assert_int_equal(EXITS_STATE_DAMAGED, 65);
	assert_int_equal(EXITS_NO_WIREGUARD, 69);
	assert_int_equal(EXITS_CANNOT_CREATE, 73);
	assert_int_equal(EXITS_IO, 74);
	assert_int_equal(EXITS_LOCKED, 75);
	assert_int_equal(EXITS_NO_PERMISSION, 77);
	assert_int_equal(EXITS_POLICY, 78);
	assert_int_equal(EXITS_NOT_EXECUTABLE, 126);
	assert_int_equal(EXITS_NOT_FOUND, 127);
}

static void a_code_of_others_has_no_meaning(void **state)
{
	(void)state;
	assert_null(exits_meaning(2));
	assert_null(exits_meaning(137));
	assert_null(exits_meaning(-1));
}

static void what_would_come_back_is_incurable(void **state)
{
	(void)state;
	assert_true(exits_is_incurable(EXITS_USAGE));
	assert_true(exits_is_incurable(EXITS_POLICY));
	assert_false(exits_is_incurable(EXITS_OK));
	assert_false(exits_is_incurable(EXITS_LOCKED));
	assert_false(exits_is_incurable(EXITS_SYSTEM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_rise_and_each_has_a_meaning),
		cmocka_unit_test(the_codes_are_those_that_were_promised),
		cmocka_unit_test(a_code_of_others_has_no_meaning),
		cmocka_unit_test(what_would_come_back_is_incurable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/supervise/sender.h"

#include <limits.h>
#include <sys/prctl.h>
#include <unistd.h>

static void a_process_is_known_by_its_name_on_one_line(void **state)
{
	char out[SENDER_SIZE];
	char before[16];

	(void)state;
	assert_int_equal(prctl(PR_GET_NAME, before), 0);
	assert_int_equal(prctl(PR_SET_NAME, "a b\nc\033"), 0);
	sender_comm(getpid(), out);
	assert_string_equal(out, "a b?c?");
	assert_int_equal(prctl(PR_SET_NAME, before), 0);
}

static void nobody_and_the_dead_have_no_name(void **state)
{
	char out[SENDER_SIZE] = "x";

	(void)state;
	sender_comm(0, out);
	assert_string_equal(out, "");
	out[0] = 'x';
	sender_comm(INT_MAX, out);
	assert_string_equal(out, "");
	sender_comm(-1, out);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_known_by_its_name_on_one_line),
		cmocka_unit_test(nobody_and_the_dead_have_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

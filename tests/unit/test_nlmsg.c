/* SPDX-License-Identifier: MIT */
#include "daemon/net/nlmsg.h"
#include "tests/unit/test.h"

static bool is_whole(uint32_t len, int left)
{
	const struct nlmsghdr nlh = { .nlmsg_len = len };

	return nlmsg_is_whole(&nlh, left);
}

static void a_message_lies_within_what_is_left(void **state)
{
	(void)state;
	assert_true(is_whole(16, 16));
	assert_true(is_whole(17, 20));
	assert_false(is_whole(15, 16));
	assert_false(is_whole(17, 16));
	assert_false(is_whole(16, 15));
}

static void a_length_that_looks_negative_is_too_long(void **state)
{
	(void)state;
	assert_false(is_whole(0xfffffff0, 64));
	assert_false(is_whole(0x80000000, INT32_MAX));
	assert_false(is_whole(16, -4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_lies_within_what_is_left),
		cmocka_unit_test(a_length_that_looks_negative_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/err.h"
#include "common/exits.h"

#include <errno.h>
#include <string.h>

static void keeps_code_and_message(void **state)
{
	struct err e = { .exit_code = 9 };

	(void)state;
	assert_int_equal(err_set(&e, -ENOENT, "open %s", "x"), -ENOENT);
	assert_int_equal(e.code, -ENOENT);
	assert_int_equal(e.exit_code, 0);
	assert_string_equal(e.msg, "open x");
	assert_int_equal(err_exit(&e, EXITS_POLICY, -EPERM, "no"), -EPERM);
	assert_int_equal(e.exit_code, EXITS_POLICY);
}

static void passes_the_code_on_without_a_place_for_the_reason(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EIO, "%d", 1), -EIO);
	assert_int_equal(err_exit(NULL, EXITS_IO, -EIO, "%d", 1), -EIO);
}

static void cuts_a_message_that_is_too_long(void **state)
{
	struct err e;
	char text[1000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&e, -EIO, "%s", text);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
}

static void only_some_codes_are_incurable(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++) {
		bool expected = code == 64 || code == 65 || code == 69 || code == 77 || code == 78;

		assert_int_equal(exits_is_incurable(code), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_code_and_message),
		cmocka_unit_test(passes_the_code_on_without_a_place_for_the_reason),
		cmocka_unit_test(cuts_a_message_that_is_too_long),
		cmocka_unit_test(only_some_codes_are_incurable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

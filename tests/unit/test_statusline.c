/* SPDX-License-Identifier: MIT */
#include "common/statusline.h"
#include "tests/unit/test.h"

#include <string.h>
#include <unistd.h>

static void values_are_found_by_the_whole_key(void **state)
{
	char value[4];

	(void)state;
	assert_true(statusline_value("ab=1\na=2\n", "a", value, sizeof(value)));
	assert_string_equal(value, "2");
	assert_true(statusline_value("a=12345", "a", value, sizeof(value)));
	assert_string_equal(value, "123");
	assert_false(statusline_value("", "a", value, sizeof(value)));
	assert_false(statusline_value("xa=1", "a", value, sizeof(value)));
}

static void lines_come_one_by_one_and_what_is_none_is_passed_over(void **state)
{
	const char *pos = "a=1\n\nnothing\nb==x=\nc=";
	char key[STATUSLINE_KEY_SIZE];
	char value[STATUSLINE_VALUE_SIZE];

	(void)state;
	assert_true(statusline_next(&pos, key, value));
	assert_string_equal(key, "a");
	assert_string_equal(value, "1");
	assert_true(statusline_next(&pos, key, value));
	assert_string_equal(key, "b");
	assert_string_equal(value, "=x=");
	assert_true(statusline_next(&pos, key, value));
	assert_string_equal(key, "c");
	assert_string_equal(value, "");
	assert_false(statusline_next(&pos, key, value));
}

static void what_is_too_long_is_cut(void **state)
{
	char text[2000];
	const char *pos = text;
	char key[STATUSLINE_KEY_SIZE];
	char value[STATUSLINE_VALUE_SIZE];

	(void)state;
	(void)memset(text, 'x', sizeof(text));
	text[500] = '=';
	text[sizeof(text) - 1] = '\0';
	assert_true(statusline_next(&pos, key, value));
	assert_int_equal(strlen(key), STATUSLINE_KEY_SIZE - 1);
	assert_int_equal(strlen(value), STATUSLINE_VALUE_SIZE - 1);
	assert_false(statusline_next(&pos, key, value));
}

static void numbers_and_truth_are_bare_and_prose_is_not(void **state)
{
	(void)state;
	assert_true(statusline_is_bare("boots", "12"));
	assert_true(statusline_is_bare("boots", "0"));
	assert_true(statusline_is_bare("ready", "true"));
	assert_true(statusline_is_bare("ready", "false"));
	assert_false(statusline_is_bare("boots", ""));
	assert_false(statusline_is_bare("boots", "012"));
	assert_false(statusline_is_bare("boots", "-1"));
	assert_false(statusline_is_bare("boots", "1.5"));
	assert_false(statusline_is_bare("boots", "True"));
	assert_false(statusline_is_bare("daemon_status", "12"));
	assert_false(statusline_is_bare("volume_id", "12345678"));
}

static void two_supervisors_in_one_container_have_two_names(void **state)
{
	struct sockaddr_un plain;
	struct sockaddr_un numbered;
	socklen_t plain_len = 0;
	socklen_t numbered_len = 0;

	(void)state;
	assert_int_equal(statusline_address(&plain, &plain_len, 0), 0);
	assert_int_equal(statusline_address(&numbered, &numbered_len, getpid()), 0);
	assert_int_equal(plain.sun_path[0], 0);
	assert_true(numbered_len > plain_len);
	assert_memory_equal(plain.sun_path, numbered.sun_path,
			    plain_len - offsetof(struct sockaddr_un, sun_path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_by_the_whole_key),
		cmocka_unit_test(lines_come_one_by_one_and_what_is_none_is_passed_over),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(numbers_and_truth_are_bare_and_prose_is_not),
		cmocka_unit_test(two_supervisors_in_one_container_have_two_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

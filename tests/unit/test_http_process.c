/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/http/process.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIELDS_3_TO_21 " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18"

static void this_process_is_looked_at(void **state)
{
	struct process_facts before;
	struct process_facts after;
	int fds[2];

	(void)state;
	process_look(&before);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	process_look(&after);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(after.open_fds, before.open_fds + 2);
	assert_true(before.max_fds >= before.open_fds);
	assert_true(before.resident_bytes > 100000);
	assert_true(before.virtual_bytes >= before.resident_bytes);
	assert_true(before.cpu_s >= 0 && after.cpu_s >= before.cpu_s);
	assert_true(before.start_unix_s <= (double)time(NULL) + 1);
	assert_true(before.start_unix_s > (double)time(NULL) - 3600);
}

static void the_start_is_found_whatever_the_program_is_called(void **state)
{
	static const char *const names[] = { "(wgmesh)", "(a b)", "() 1 2 3)", "(" };
	uint64_t ticks;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char text[200] = "7 ";

		(void)strncat(text, names[i], 20);
		(void)strncat(text, FIELDS_3_TO_21 " 123456 99\n", 100);
		ticks = 0;
		assert_int_equal(process_parse_stat(text, &ticks),
				 strchr(names[i], ')') ? 0 : -EINVAL);
		assert_int_equal(ticks, strchr(names[i], ')') ? 123456 : 0);
	}
}

static void another_form_is_refused(void **state)
{
	static const char *const texts[] = { "",
					     "7 (a)",
					     "7 (a) S 1 2",
					     "7 (a)" FIELDS_3_TO_21,
					     "7 (a)" FIELDS_3_TO_21 " x 9",
					     "7 (a)" FIELDS_3_TO_21 " -5 9",
					     "7 (a)" FIELDS_3_TO_21 " 12" };
	uint64_t ticks;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(process_parse_stat(texts[i], &ticks), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_process_is_looked_at),
		cmocka_unit_test(the_start_is_found_whatever_the_program_is_called),
		cmocka_unit_test(another_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

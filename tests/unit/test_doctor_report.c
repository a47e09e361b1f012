/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/exits.h"
#include "daemon/doctor/report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct report r;

static int setup(void **state)
{
	(void)state;
	r = (struct report) { 0 };
	return 0;
}

/* What is printed, in a buffer that the next call reuses. */
static const char *print(size_t width)
{
	static char text[8192];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	if (width == SIZE_MAX)
		report_print_json(out, &r);
	else
		report_print(out, &r, width);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void an_empty_report_passes(void **state)
{
	(void)state;
	assert_int_equal(report_worst(&r), REPORT_PASS);
	assert_int_equal(report_exit_code(&r), EXITS_OK);
	report_cure(&r, "nothing to cure");
	assert_string_equal(print(0), "\nworst: pass\n");
}

static void warnings_and_what_was_skipped_are_no_failure(void **state)
{
	(void)state;
	report_say(&r, REPORT_SKIP, "peers", "not asked");
	assert_int_equal(report_worst(&r), REPORT_PASS);
	report_say(&r, REPORT_WARN, "clock", "%d s behind", 7);
	report_say(&r, REPORT_SKIP, "tun", "not needed");
	assert_int_equal(report_worst(&r), REPORT_WARN);
	assert_int_equal(report_exit_code(&r), EXITS_OK);
}

static void the_exit_code_is_the_one_that_join_would_end_with(void **state)
{
	(void)state;
	report_fail(&r, EXITS_FAILURE, "secret", "another one");
	assert_int_equal(report_exit_code(&r), EXITS_FAILURE);
	report_fail(&r, EXITS_NO_PERMISSION, "capabilities", "missing");
	report_fail(&r, EXITS_NO_WIREGUARD, "wireguard", "missing");
	assert_int_equal(report_exit_code(&r), EXITS_NO_PERMISSION);
	assert_int_equal(report_worst(&r), REPORT_FAIL);
}

static void a_line_holds_the_finding_and_its_cure(void **state)
{
	(void)state;
	report_say(&r, REPORT_PASS, "version", "1");
	report_fail(&r, EXITS_NO_WIREGUARD, "tun", "it is %s", "gone");
	report_cure(&r, "give %s", "it");
	assert_string_equal(print(0), "pass  version      1\n"
				      "fail  tun          it is gone -> give it\n"
				      "\n"
				      "worst: fail, exit code 69\n");
	report_cure(&r, "and nothing else");
	assert_string_equal(r.lines[1].cure, "give it");
}

static void on_a_terminal_lines_are_broken_between_words(void **state)
{
	(void)state;
	report_say(&r, REPORT_WARN, "clock", "one two three four five six seven");
	report_cure(&r, "averyveryverylongwordthatfitsnowhere end");
	assert_string_equal(print(46), "warn  clock        one two three four five six\n"
				       "                   seven ->\n"
				       "                   averyveryverylongwordthatfitsnowhere\n"
				       "                   end\n"
				       "\n"
				       "worst: warn\n");
	/* Narrower than that, and breaking does not help. */
	assert_non_null(strstr(print(30), "one two three four five six seven -> a"));
}

static void nothing_that_others_wrote_commands_a_terminal(void **state)
{
	(void)state;
	report_say(&r, REPORT_WARN, "peers", "%s", "\x1b[2Jnode\x7f \xff\n");
	report_cure(&r, "%s", "\a ~");
	assert_string_equal(r.lines[0].text, "?[2Jnode? ??");
	assert_string_equal(r.lines[0].cure, "? ~");
	assert_non_null(strstr(print(SIZE_MAX), "?[2Jnode? ??"));
}

static void programs_get_the_same_as_json(void **state)
{
	json_t *root;
	const char *name = NULL;
	const char *result = NULL;
	const char *text = NULL;
	const char *cure = NULL;
	const char *worst = NULL;
	int code = 0;

	(void)state;
	report_fail(&r, EXITS_IO, "storage", "\"full\"");
	report_cure(&r, "make room");
	root = json_loads(print(SIZE_MAX), 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_unpack(root, "{s:[{s:s, s:s, s:s, s:s!}!], s:s, s:i!}", "checks",
				     "name", &name, "result", &result, "text", &text, "cure", &cure,
				     "worst", &worst, "exit_code", &code),
			 0);
	assert_string_equal(name, "storage");
	assert_string_equal(result, "fail");
	assert_string_equal(text, "\"full\"");
	assert_string_equal(cure, "make room");
	assert_string_equal(worst, "fail");
	assert_int_equal(code, EXITS_IO);
	json_decref(root);
}

static void what_finds_no_room_is_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < REPORT_MAX; i++)
		report_say(&r, REPORT_PASS, "x", "%zu", i);
	report_cure(&r, "the last");
	report_fail(&r, EXITS_IO, "y", "one too many");
	report_cure(&r, "of nobody");
	assert_int_equal(r.n, REPORT_MAX);
	assert_string_equal(r.lines[REPORT_MAX - 1].cure, "the last");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_report_passes, setup),
		cmocka_unit_test_setup(warnings_and_what_was_skipped_are_no_failure, setup),
		cmocka_unit_test_setup(the_exit_code_is_the_one_that_join_would_end_with, setup),
		cmocka_unit_test_setup(a_line_holds_the_finding_and_its_cure, setup),
		cmocka_unit_test_setup(on_a_terminal_lines_are_broken_between_words, setup),
		cmocka_unit_test_setup(nothing_that_others_wrote_commands_a_terminal, setup),
		cmocka_unit_test_setup(programs_get_the_same_as_json, setup),
		cmocka_unit_test_setup(what_finds_no_room_is_left_out, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/process/signame.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>

static const char *name_of(int sig)
{
	static char buf[SIGNAME_SIZE];

	return signame_of(sig, buf);
}

static void signals_have_the_names_that_kill_prints(void **state)
{
	(void)state;
	assert_string_equal(name_of(SIGTERM), "SIGTERM");
	assert_string_equal(name_of(1), "SIGHUP");
	assert_string_equal(name_of(31), "SIGSYS");
	assert_string_equal(name_of(34), "SIGRTMIN");
	assert_string_equal(name_of(37), "SIGRTMIN+3");
	assert_string_equal(name_of(49), "SIGRTMIN+15");
	assert_string_equal(name_of(50), "SIGRTMAX-14");
	assert_string_equal(name_of(63), "SIGRTMAX-1");
	assert_string_equal(name_of(64), "SIGRTMAX");
}

static void numbers_without_a_name_are_told_too(void **state)
{
	(void)state;
	assert_string_equal(name_of(32), "SIG32");
	assert_string_equal(name_of(33), "SIG33");
	assert_string_equal(name_of(0), "SIG?");
	assert_string_equal(name_of(-1), "SIG?");
	assert_string_equal(name_of(65), "SIG?");
	assert_string_equal(name_of(INT_MIN), "SIG?");
	assert_string_equal(name_of(INT_MAX), "SIG?");
}

static void every_name_leads_back_to_its_number(void **state)
{
	(void)state;
	for (int sig = 1; sig <= SIGNAME_MAX; sig++) {
		assert_int_equal(signame_parse(name_of(sig)), sig);
		assert_int_equal(signame_parse(name_of(sig) + 3), sig);
	}
}

struct spelling {
	const char *text;
	int sig;
};

static void names_and_numbers_are_taken_in_every_usual_spelling(void **state)
{
	static const struct spelling table[] = {
		{ "TERM", SIGTERM }, { "SIGTERM", SIGTERM },
		{ "term", SIGTERM }, { "sigTerm", SIGTERM },
		{ "15", SIGTERM },   { "SIG15", SIGTERM },
		{ "RTMIN", 34 },     { "SIGRTMIN", 34 },
		{ "RTMIN+0", 34 },   { "RTMIN+3", 37 },
		{ "rtmin+30", 64 },  { "RTMAX", 64 },
		{ "RTMAX-1", 63 },   { "SIGRTMAX-30", 34 },
		{ "64", 64 },	     { "0", 0 },
		{ "CLD", SIGCHLD },  { "IOT", SIGABRT },
		{ "POLL", SIGIO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (signame_parse(table[i].text) != table[i].sig)
			fail_msg("%s is %d", table[i].text, signame_parse(table[i].text));
}

static void anything_else_is_no_signal(void **state)
{
	static const char *const wrong[] = { "",
					     "SIG",
					     "SIG0",
					     "65",
					     "-1",
					     "+9",
					     " 9",
					     "9 ",
					     "TERM ",
					     "TERMX",
					     "SIGSIGTERM",
					     "RTMIN-1",
					     "RTMIN+31",
					     "RTMAX+1",
					     "RTMAX-31",
					     "RTMIN+",
					     "RTMIN+x",
					     "RTM",
					     "99999999999999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (signame_parse(wrong[i]) != -EINVAL)
			fail_msg("\"%s\" is %d", wrong[i], signame_parse(wrong[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_have_the_names_that_kill_prints),
		cmocka_unit_test(numbers_without_a_name_are_told_too),
		cmocka_unit_test(every_name_leads_back_to_its_number),
		cmocka_unit_test(names_and_numbers_are_taken_in_every_usual_spelling),
		cmocka_unit_test(anything_else_is_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

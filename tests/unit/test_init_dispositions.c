/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/process/dispositions.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static const char whole[] = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t8000000201001201\n"
			    "SigCgt:\t0000000000000000\n";

static void finds_the_ignored_signals(void **state)
{
	uint64_t ignored = 0;

	(void)state;
	assert_int_equal(dispositions_find_ignored(&ignored, whole), 0);
	assert_int_equal(ignored, 0x8000000201001201);
}

static void a_text_that_is_cut_tells_nothing(void **state)
{
	char text[sizeof(whole)];
	size_t end = (size_t)(strstr(whole, "SigCgt") - whole);

	(void)state;
	for (size_t len = 0; len < end; len++) {
		uint64_t ignored = 7;

		memcpy(text, whole, len);
		text[len] = '\0';
		assert_int_equal(dispositions_find_ignored(&ignored, text), -EINVAL);
		assert_int_equal(ignored, 7);
	}
}

static void a_name_cannot_pretend(void **state)
{
	uint64_t ignored = 0;

	(void)state;
	/* The kernel writes a line break in a name as "\n", two characters. */
	assert_int_equal(
		dispositions_find_ignored(&ignored, "Name:\t\\nSigIgn:\t0000000000000000\n"),
		-EINVAL);
	assert_int_equal(dispositions_find_ignored(&ignored, "\nSigIgn:\t00000000000000zz\n"),
			 -EINVAL);
}

static void what_was_ignored_is_default_afterwards(void **state)
{
	static const int some[] = { SIGHUP, SIGCHLD, SIGUSR1, SIGTSTP };
	struct sigaction now;

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		assert_true(signal(some[i], SIG_IGN) != SIG_ERR);
	assert_true(signal(SIGRTMAX, SIG_IGN) != SIG_ERR);
	dispositions_reset();
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		assert_int_equal(sigaction(some[i], NULL, &now), 0);
		assert_true(now.sa_handler == SIG_DFL);
	}
	assert_int_equal(sigaction(SIGRTMAX, NULL, &now), 0);
	assert_true(now.sa_handler == SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_ignored_signals),
		cmocka_unit_test(a_text_that_is_cut_tells_nothing),
		cmocka_unit_test(a_name_cannot_pretend),
		cmocka_unit_test(what_was_ignored_is_default_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

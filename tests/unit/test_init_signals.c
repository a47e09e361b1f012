/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/process/mask.h"
#include "init/supervise/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void three_signals_stop(void **state)
{
	(void)state;
	for (int sig = 1; sig <= 64; sig++) {
		bool is_stop = sig == SIGTERM || sig == SIGINT || sig == SIGQUIT;

		assert_int_equal(signals_classify(sig) == SIGNAL_STOP, is_stop);
	}
}

static void hup_reloads_and_chld_reaps(void **state)
{
	(void)state;
	assert_int_equal(signals_classify(SIGHUP), SIGNAL_RELOAD);
	assert_int_equal(signals_classify(SIGCHLD), SIGNAL_CHILD);
}

static void job_control_of_the_terminal_is_ignored_but_tstp_is_not(void **state)
{
	(void)state;
	assert_int_equal(signals_classify(SIGTTIN), SIGNAL_IGNORE);
	assert_int_equal(signals_classify(SIGTTOU), SIGNAL_IGNORE);
	assert_int_equal(signals_classify(SIGTSTP), SIGNAL_FORWARD);
}

static void everything_else_is_forwarded(void **state)
{
	static const int some[] = { SIGUSR1, SIGUSR2, SIGWINCH, SIGPWR, SIGCONT, SIGALRM,
				    SIGSEGV, 32,      33,	34,	64 };

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		assert_int_equal(signals_classify(some[i]), SIGNAL_FORWARD);
}

static void a_rewrite_is_by_name_or_number_and_zero_drops(void **state)
{
	struct signals_plan plan;

	(void)state;
	assert_int_equal(signals_plan_parse(&plan, "USR1:HUP,SIGWINCH:0,12:RTMIN+1", NULL), 0);
	assert_int_equal(plan.to[SIGUSR1], SIGHUP);
	assert_int_equal(plan.to[SIGWINCH], 0);
	assert_int_equal(plan.to[SIGUSR2], 35);
	assert_int_equal(plan.to[SIGTERM], SIGTERM);
	assert_int_equal(signals_plan_classify(&plan, SIGWINCH), SIGNAL_IGNORE);
	assert_int_equal(signals_plan_classify(&plan, SIGUSR1), SIGNAL_FORWARD);
	assert_int_equal(signals_plan_classify(&plan, SIGCHLD), SIGNAL_CHILD);
	assert_int_equal(signals_plan_parse(&plan, NULL, NULL), 0);
	assert_int_equal(plan.to[SIGUSR1], SIGUSR1);
}

static void a_stop_stays_a_stop_whatever_it_is_passed_on_as(void **state)
{
	struct signals_plan plan;

	(void)state;
	assert_int_equal(signals_plan_parse(&plan, "TERM:WINCH,USR1:QUIT,INT:0,TTIN:USR2", NULL),
			 0);
	assert_int_equal(signals_plan_classify(&plan, SIGTERM), SIGNAL_STOP);
	assert_int_equal(signals_plan_classify(&plan, SIGUSR1), SIGNAL_STOP);
	assert_int_equal(signals_plan_classify(&plan, SIGINT), SIGNAL_IGNORE);
	assert_int_equal(signals_plan_classify(&plan, SIGTTIN), SIGNAL_FORWARD);
}

static void a_rewrite_that_makes_no_sense_is_refused(void **state)
{
	static const char *const bad[] = { "TERM",	"TERM:",	 ":TERM",
					   "TERM:XYZ",	"FOO:TERM",	 "0:TERM",
					   "KILL:TERM", "CHLD:USR1",	 "STOP:0",
					   "TERM:65",	"TERM:QUIT:INT", "TERM:QUIT,,INT:0",
					   "TERM;QUIT" };
	struct signals_plan plan;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(signals_plan_parse(&plan, bad[i], &e), -EINVAL);
	assert_non_null(strstr(e.msg, "TERM;QUIT"));
}

static void all_64_signals_can_be_blocked_and_a_stop_is_taken_once(void **state)
{
	uint64_t before = 0;
	uint64_t now = 0;

	(void)state;
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &before, sizeof(before));
	mask_block_all();
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, sizeof(now));
	assert_true(now == (UINT64_MAX & ~(UINT64_C(1) << (SIGKILL - 1)) &
			    ~(UINT64_C(1) << (SIGSTOP - 1))));
	assert_int_equal(mask_take_stop(), 0);
	(void)raise(SIGUSR1);
	(void)raise(SIGTERM);
	assert_int_equal(mask_take_stop(), SIGTERM);
	assert_int_equal(mask_take_stop(), 0);
	(void)signal(SIGUSR1, SIG_IGN);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_signals_stop),
		cmocka_unit_test(hup_reloads_and_chld_reaps),
		cmocka_unit_test(job_control_of_the_terminal_is_ignored_but_tstp_is_not),
		cmocka_unit_test(everything_else_is_forwarded),
		cmocka_unit_test(a_rewrite_is_by_name_or_number_and_zero_drops),
		cmocka_unit_test(a_stop_stays_a_stop_whatever_it_is_passed_on_as),
		cmocka_unit_test(a_rewrite_that_makes_no_sense_is_refused),
		cmocka_unit_test(all_64_signals_can_be_blocked_and_a_stop_is_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/defs.h"
#include "init/supervise/supervise.h"

#include <signal.h>
#include <string.h>

#define TIMEOUT_MS  8000
#define WATCHDOG_MS 3000
#define START_MS    5000

struct sim {
	struct supervise m;
	uint64_t now_ms;
	struct supervise_step last;
};

static void start(struct sim *s, enum restart_policy restart, bool hold, bool has_hook)
{
	const struct supervise_policy p = { .restart = restart,
					    .hold = hold,
					    .has_hook = has_hook,
					    .is_stop_ok = true,
					    .stop_timeout_ms = TIMEOUT_MS,
					    .watchdog_ms = WATCHDOG_MS };

	memset(s, 0, sizeof(*s));
	s->now_ms = 1000;
	supervise_init(&s->m, &p);
}

static unsigned int feed(struct sim *s, enum supervise_event_type type, int code_or_signal)
{
	struct supervise_event ev = { .type = type, .now_ms = s->now_ms };

	if (type == SUPERVISE_STOP)
		ev.signal = code_or_signal;
	else
		ev.code = code_or_signal;
	if (type == SUPERVISE_EXITED && code_or_signal > 128)
		ev.signal = code_or_signal - 128;
	s->last = supervise_step(&s->m, &ev);
	return s->last.actions;
}

/* Runs an end without hook to its exit, as when no process is left. */
static void expect_exit(struct sim *s, int code)
{
	assert_int_equal(s->m.state, SUPERVISE_SWEEPING);
	assert_true(feed(s, SUPERVISE_CHILDLESS, 0) & SUPERVISE_DO_EXIT);
	assert_int_equal(s->m.state, SUPERVISE_DONE);
	assert_int_equal(s->m.exit_code, code);
}

/* How PID 1 ends when the daemon ends by itself, with these policies. */
struct ending {
	enum restart_policy restart;
	int code;
	int exit_code; /* -1: it is started again */
};

static void an_end_is_final_or_not_as_the_policy_says(void **state)
{
	static const struct ending endings[] = {
		{ RESTART_NEVER, 0, 0 },	 { RESTART_NEVER, 1, 1 },
		{ RESTART_NEVER, 139, 139 },	 { RESTART_ON_FAILURE, 0, 0 },
		{ RESTART_ON_FAILURE, 1, -1 },	 { RESTART_ON_FAILURE, 137, -1 },
		{ RESTART_ON_FAILURE, 143, -1 }, { RESTART_ON_FAILURE, 75, -1 },
		{ RESTART_ON_FAILURE, 64, 64 },	 { RESTART_ON_FAILURE, 65, 65 },
		{ RESTART_ON_FAILURE, 69, 69 },	 { RESTART_ON_FAILURE, 77, 77 },
		{ RESTART_ON_FAILURE, 78, 78 },	 { RESTART_ALWAYS, 0, -1 },
		{ RESTART_ALWAYS, 78, 78 },	 { RESTART_ON_FAILURE, 193, -1 },
		{ RESTART_ON_FAILURE, 206, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		struct sim s;

		start(&s, endings[i].restart, false, false);
		assert_int_equal(feed(&s, SUPERVISE_START, 0), SUPERVISE_DO_SPAWN);
		s.now_ms += 50;
		(void)feed(&s, SUPERVISE_EXITED, endings[i].code);
		if (endings[i].exit_code < 0)
			assert_int_equal(s.m.state, SUPERVISE_BACKOFF);
		else
			expect_exit(&s, endings[i].exit_code);
	}
}

static void a_program_that_cannot_be_executed_is_not_tried_again(void **state)
{
	struct supervise_event ev = { .type = SUPERVISE_EXITED, .code = 127, .is_final = true };
	struct sim s;

	(void)state;
	start(&s, RESTART_ALWAYS, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	ev.now_ms = s.now_ms;
	(void)supervise_step(&s.m, &ev);
	expect_exit(&s, 127);
}

static void the_backoff_doubles_from_100_ms_to_30_s(void **state)
{
	static const uint64_t base_ms[] = { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600 };
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	for (size_t i = 0; i < ARRAY_LEN(base_ms); i++) {
		struct supervise_event ev = { .type = SUPERVISE_EXITED,
					      .code = 1,
					      .now_ms = s.now_ms,
					      .random = UINT32_MAX - (uint32_t)i };
		struct supervise_step step = supervise_step(&s.m, &ev);
		uint64_t delay_ms = step.timer_ms - s.now_ms;

		assert_int_equal(step.actions, SUPERVISE_DO_ARM);
		assert_true(delay_ms >= base_ms[i] && delay_ms <= base_ms[i] * 5 / 4);
		assert_true(delay_ms <= 30000);
		s.now_ms = step.timer_ms;
		assert_int_equal(feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_DO_SPAWN);
	}
	assert_int_equal(s.m.restarts, ARRAY_LEN(base_ms));
}

static void ten_failures_in_a_row_end_with_the_daemons_code(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	for (int i = 1; i < SUPERVISE_LOOP_FAILURES; i++) {
		(void)feed(&s, SUPERVISE_EXITED, 3);
		assert_int_equal(s.m.state, SUPERVISE_BACKOFF);
		(void)feed(&s, SUPERVISE_TIMER, 0);
	}
	(void)feed(&s, SUPERVISE_EXITED, 3);
	expect_exit(&s, 3);
}

static void a_loop_of_successes_is_not_a_success(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ALWAYS, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	for (int i = 1; i < SUPERVISE_LOOP_FAILURES; i++) {
		(void)feed(&s, SUPERVISE_EXITED, 0);
		(void)feed(&s, SUPERVISE_TIMER, 0);
	}
	(void)feed(&s, SUPERVISE_EXITED, 0);
	expect_exit(&s, 1);
}

static void a_healthy_minute_forgives_everything(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	for (int i = 0; i < 3 * SUPERVISE_LOOP_FAILURES; i++) {
		s.now_ms += i % 5 == 4 ? 60000 : 59999;
		(void)feed(&s, SUPERVISE_EXITED, 1);
		assert_int_equal(s.m.state, SUPERVISE_BACKOFF);
		assert_true(s.m.failures <= 5);
		(void)feed(&s, SUPERVISE_TIMER, 0);
	}
}

static void hold_stays_until_a_stop_signal_and_then_tells_the_code(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, true, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_EXITED, 78);
	assert_int_equal(s.m.state, SUPERVISE_HOLDING);
	assert_int_equal(feed(&s, SUPERVISE_CHILDLESS, 0), 0);
	assert_int_equal(s.m.state, SUPERVISE_HOLDING);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	expect_exit(&s, 78);
}

static void a_held_loop_of_successes_is_no_success_either(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ALWAYS, true, false);
	(void)feed(&s, SUPERVISE_START, 0);
	for (int i = 0; i < SUPERVISE_LOOP_FAILURES; i++) {
		(void)feed(&s, SUPERVISE_EXITED, 0);
		(void)feed(&s, SUPERVISE_TIMER, 0);
	}
	assert_int_equal(s.m.state, SUPERVISE_HOLDING);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	expect_exit(&s, 1);
}

/* What the daemon does when it is told to stop, and what PID 1 says then. */
static void an_orderly_stop_is_a_success(void **state)
{
	static const struct {
		int signal;
		int code;
		int exit_code;
	} stops[] = { { SIGTERM, 0, 0 },     { SIGTERM, 143, 0 },   { SIGINT, 130, 0 },
		      { SIGINT, 143, 0 },    { SIGQUIT, 131, 0 },   { SIGTERM, 5, 5 },
		      { SIGTERM, 139, 139 }, { SIGTERM, 130, 130 }, { SIGTERM, 137, 137 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
		struct sim s;

		start(&s, RESTART_ALWAYS, false, false);
		(void)feed(&s, SUPERVISE_START, 0);
		assert_int_equal(feed(&s, SUPERVISE_STOP, stops[i].signal),
				 SUPERVISE_DO_FORWARD | SUPERVISE_DO_ARM);
		assert_int_equal(s.last.signal, stops[i].signal);
		assert_int_equal(s.last.timer_ms, s.now_ms + TIMEOUT_MS);
		(void)feed(&s, SUPERVISE_EXITED, stops[i].code);
		expect_exit(&s, stops[i].exit_code);
	}
}

static void without_stop_ok_the_signal_is_the_code(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	s.m.policy.is_stop_ok = false;
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	(void)feed(&s, SUPERVISE_EXITED, 143);
	expect_exit(&s, 143);
}

static void control_c_at_the_daemons_terminal_is_a_stop(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ALWAYS, false, false);
	s.m.policy.is_on_terminal = true;
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_EXITED, 128 + SIGINT);
	expect_exit(&s, 128 + SIGINT);
}

static void the_end_takes_the_network_down_then_sweeps(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, true);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	assert_int_equal(feed(&s, SUPERVISE_EXITED, 0), SUPERVISE_DO_HOOK | SUPERVISE_DO_ARM);
	assert_int_equal(s.last.timer_ms, s.now_ms + 2000);
	assert_int_equal(feed(&s, SUPERVISE_CHILDLESS, 0), 0);
	assert_int_equal(feed(&s, SUPERVISE_HOOK_DONE, 0),
			 SUPERVISE_DO_TERM_ALL | SUPERVISE_DO_ARM);
	expect_exit(&s, 0);
}

static void a_crash_touches_nothing_but_the_daemon(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, true);
	(void)feed(&s, SUPERVISE_START, 0);
	assert_int_equal(feed(&s, SUPERVISE_EXITED, 139), SUPERVISE_DO_ARM);
	assert_int_equal(feed(&s, SUPERVISE_CHILDLESS, 0), 0);
	assert_int_equal(feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_DO_SPAWN);
}

static void a_daemon_that_does_not_stop_is_killed_after_the_timeout(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, true);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	s.now_ms += TIMEOUT_MS;
	assert_int_equal(feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_DO_KILL_DAEMON | SUPERVISE_DO_ARM);
	assert_true(feed(&s, SUPERVISE_EXITED, 137) & SUPERVISE_DO_HOOK);
	assert_int_equal(s.last.timer_ms, s.now_ms + 1000);
	assert_int_equal(feed(&s, SUPERVISE_HOOK_DONE, 0),
			 SUPERVISE_DO_KILL_ALL | SUPERVISE_DO_ARM);
	assert_true(feed(&s, SUPERVISE_CHILDLESS, 0) & SUPERVISE_DO_EXIT);
	assert_int_equal(s.m.exit_code, 137);
	assert_true(s.m.is_forced);
}

static void a_second_stop_signal_cuts_the_wait_short(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	assert_int_equal(feed(&s, SUPERVISE_STOP, SIGINT),
			 SUPERVISE_DO_KILL_DAEMON | SUPERVISE_DO_ARM);
	(void)feed(&s, SUPERVISE_EXITED, 137);
	assert_int_equal(s.m.state, SUPERVISE_PURGING);
}

static void a_daemon_that_cannot_even_be_killed_is_left(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	(void)feed(&s, SUPERVISE_TIMER, 0);
	(void)feed(&s, SUPERVISE_TIMER, 0);
	assert_int_equal(s.m.state, SUPERVISE_PURGING);
	assert_true(feed(&s, SUPERVISE_TIMER, 0) & SUPERVISE_DO_EXIT);
	assert_int_equal(s.m.exit_code, 137);
}

static void leftovers_that_ignore_term_are_killed_at_the_deadline(void **state)
{
	struct sim s;
	uint64_t deadline_ms;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	deadline_ms = s.last.timer_ms;
	s.now_ms += 500;
	assert_int_equal(feed(&s, SUPERVISE_EXITED, 0), SUPERVISE_DO_TERM_ALL | SUPERVISE_DO_ARM);
	assert_int_equal(s.last.timer_ms, deadline_ms);
	s.now_ms = deadline_ms;
	assert_true(feed(&s, SUPERVISE_TIMER, 0) & SUPERVISE_DO_KILL_ALL);
	assert_true(feed(&s, SUPERVISE_CHILDLESS, 0) & SUPERVISE_DO_EXIT);
	assert_int_equal(s.m.exit_code, 0);
}

static void a_hook_that_hangs_is_killed(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_NEVER, false, true);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_EXITED, 4);
	s.now_ms += 2000;
	assert_true(feed(&s, SUPERVISE_TIMER, 0) & SUPERVISE_DO_KILL_HOOK);
	expect_exit(&s, 4);
}

static void a_stop_between_two_starts_tells_the_last_code(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_EXITED, 9);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	expect_exit(&s, 9);
}

static void a_program_that_is_run_once_may_start_as_long_as_it_never_did(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_NEVER, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	assert_false(supervise_may_start(&s.m));
	(void)feed(&s, SUPERVISE_SPAWN_FAILED, 0);
	assert_true(supervise_may_start(&s.m));
	(void)feed(&s, SUPERVISE_TIMER, 0);
	assert_false(supervise_may_start(&s.m));
}

static void a_failed_fork_is_tried_for_ever(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_NEVER, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(feed(&s, SUPERVISE_SPAWN_FAILED, 0), SUPERVISE_DO_ARM);
		assert_true(s.last.timer_ms - s.now_ms <= 30000);
		assert_int_equal(feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_DO_SPAWN);
	}
	assert_int_equal(s.m.failures, 0);
}

static void without_the_right_to_start_anything_the_last_code_is_the_end(void **state)
{
	struct supervise_event ev = { .type = SUPERVISE_SPAWN_FAILED, .is_final = true };
	struct sim s;

	(void)state;
	start(&s, RESTART_ALWAYS, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_EXITED, 9);
	(void)feed(&s, SUPERVISE_TIMER, 0);
	(void)supervise_step(&s.m, &ev);
	expect_exit(&s, 9);
}

static void failures_of_earlier_containers_count_until_a_healthy_minute(void **state)
{
	const struct supervise_policy p = { .past_failures = 9, .stop_timeout_ms = TIMEOUT_MS };
	struct sim s = { .now_ms = 1000 };

	(void)state;
	supervise_init(&s.m, &p);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_EXITED, 3);
	expect_exit(&s, 3);

	supervise_init(&s.m, &p);
	(void)feed(&s, SUPERVISE_START, 0);
	s.now_ms += 60000;
	(void)feed(&s, SUPERVISE_EXITED, 3);
	assert_int_equal(s.m.state, SUPERVISE_BACKOFF);
}

static unsigned int say(struct sim *s, unsigned int notice, uint64_t ms)
{
	struct supervise_event ev = { .type = SUPERVISE_NOTIFIED,
				      .now_ms = s->now_ms,
				      .notice = notice,
				      .watchdog_ms = ms,
				      .extend_ms = ms };

	s->last = supervise_step(&s->m, &ev);
	return s->last.actions;
}

static void start_expecting_ready(struct sim *s)
{
	start(s, RESTART_ON_FAILURE, false, false);
	s->m.policy.expects_ready = true;
	s->m.policy.start_timeout_ms = START_MS;
	assert_int_equal(feed(s, SUPERVISE_START, 0), SUPERVISE_DO_SPAWN | SUPERVISE_DO_ARM);
	assert_int_equal(s->last.timer_ms, s->now_ms + START_MS);
}

static void a_daemon_that_speaks_is_healthy_once_it_is_ready(void **state)
{
	struct sim s;

	(void)state;
	start_expecting_ready(&s);
	assert_false(supervise_is_healthy(&s.m));
	assert_int_equal(say(&s, SUPERVISE_SAYS_READY, 0), SUPERVISE_DO_DISARM);
	assert_true(supervise_is_healthy(&s.m));
	(void)say(&s, SUPERVISE_SAYS_RELOADING, 0);
	assert_true(s.m.is_reloading && supervise_is_healthy(&s.m));
	(void)say(&s, SUPERVISE_SAYS_READY, 0);
	assert_false(s.m.is_reloading);
	(void)say(&s, SUPERVISE_SAYS_STOPPING, 0);
	assert_false(supervise_is_healthy(&s.m));
}

static void expect_killed(struct sim *s, unsigned int actions, enum supervise_kill why)
{
	assert_int_equal(actions, SUPERVISE_DO_KILL_DAEMON | SUPERVISE_DO_DISARM);
	assert_int_equal(s->m.state, SUPERVISE_HUNG);
	assert_int_equal(s->m.killed, why);
	(void)feed(s, SUPERVISE_EXITED, 137);
	assert_int_equal(s->m.state, SUPERVISE_BACKOFF);
	assert_int_equal(s->m.killed, why);
	(void)feed(s, SUPERVISE_TIMER, 0);
	assert_int_equal(s->m.killed, SUPERVISE_KILLED_NOT);
}

static void a_daemon_that_never_gets_ready_is_killed_unless_it_asks_for_time(void **state)
{
	struct sim s;

	(void)state;
	start_expecting_ready(&s);
	s.now_ms += START_MS - 1;
	assert_int_equal(say(&s, SUPERVISE_SAYS_EXTEND, 2000), SUPERVISE_DO_ARM);
	assert_int_equal(s.last.timer_ms, s.now_ms + 2000);
	s.now_ms += 1999;
	assert_int_equal(feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_DO_ARM);
	s.now_ms += 1;
	expect_killed(&s, feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_KILLED_UNREADY);
}

static void a_shorter_extension_takes_no_time_away(void **state)
{
	struct sim s;

	(void)state;
	start_expecting_ready(&s);
	(void)say(&s, SUPERVISE_SAYS_EXTEND, 1);
	assert_int_equal(s.last.timer_ms, s.now_ms + START_MS);
}

static void silence_kills_only_after_the_first_beat(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	assert_int_equal(feed(&s, SUPERVISE_START, 0), SUPERVISE_DO_SPAWN);
	s.now_ms += 1000000;
	assert_int_equal(say(&s, SUPERVISE_SAYS_BEAT, 0), SUPERVISE_DO_ARM);
	assert_int_equal(s.last.timer_ms, s.now_ms + WATCHDOG_MS);
	s.now_ms += WATCHDOG_MS - 1;
	(void)say(&s, SUPERVISE_SAYS_BEAT, 0);
	assert_int_equal(s.last.timer_ms, s.now_ms + WATCHDOG_MS);
	s.now_ms += WATCHDOG_MS;
	expect_killed(&s, feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_KILLED_SILENT);
}

static void a_pause_of_the_container_is_no_silence_of_the_daemon(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)say(&s, SUPERVISE_SAYS_BEAT, 0);
	s.now_ms += 10 * WATCHDOG_MS;
	assert_int_equal(feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_DO_ARM);
	assert_int_equal(s.last.timer_ms, s.now_ms + WATCHDOG_MS);
	s.now_ms += WATCHDOG_MS;
	expect_killed(&s, feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_KILLED_SILENT);
}

static void the_daemon_may_change_or_end_its_watchdog(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	assert_int_equal(say(&s, SUPERVISE_SAYS_WATCHDOG, 500), SUPERVISE_DO_DISARM);
	(void)say(&s, SUPERVISE_SAYS_BEAT, 0);
	assert_int_equal(s.last.timer_ms, s.now_ms + 500);
	assert_int_equal(say(&s, SUPERVISE_SAYS_WATCHDOG, 0), SUPERVISE_DO_DISARM);
}

static void a_daemon_may_ask_for_its_own_restart(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	expect_killed(&s, say(&s, SUPERVISE_SAYS_TRIGGER, 0), SUPERVISE_KILLED_TRIGGER);
}

static void a_daemon_that_says_goodbye_and_stays_is_killed(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)say(&s, SUPERVISE_SAYS_BEAT, 0);
	(void)say(&s, SUPERVISE_SAYS_STOPPING, 0);
	assert_int_equal(s.last.timer_ms, s.now_ms + TIMEOUT_MS);
	s.now_ms += TIMEOUT_MS;
	expect_killed(&s, feed(&s, SUPERVISE_TIMER, 0), SUPERVISE_KILLED_LINGERING);
}

static void a_stopping_daemon_may_ask_for_more_time(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	assert_int_equal(say(&s, SUPERVISE_SAYS_BEAT, 0), 0);
	assert_int_equal(say(&s, SUPERVISE_SAYS_EXTEND, 20000), SUPERVISE_DO_ARM);
	assert_int_equal(s.last.timer_ms, s.now_ms + 20000);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	assert_int_equal(s.m.state, SUPERVISE_KILLING);
	assert_int_equal(s.m.killed, SUPERVISE_KILLED_STOP);
}

static void a_stop_while_a_hung_daemon_dies_is_a_stop(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ON_FAILURE, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)say(&s, SUPERVISE_SAYS_TRIGGER, 0);
	assert_true(feed(&s, SUPERVISE_STOP, SIGTERM) & SUPERVISE_DO_KILL_DAEMON);
	(void)feed(&s, SUPERVISE_EXITED, 137);
	assert_int_equal(s.m.state, SUPERVISE_PURGING);
	assert_int_equal(s.m.exit_code, 137);
}

static void every_state_survives_every_event(void **state)
{
	(void)state;
	for (int from = 0; from < SUPERVISE_STATE_COUNT; from++) {
		for (int type = 0; type < SUPERVISE_EVENT_COUNT; type++) {
			struct sim s;

			start(&s, RESTART_ON_FAILURE, false, true);
			s.m.state = (enum supervise_state)from;
			(void)feed(&s, (enum supervise_event_type)type, SIGTERM);
			assert_true((int)s.m.state < SUPERVISE_STATE_COUNT);
			assert_non_null(supervise_state_name(s.m.state));
			if (from == SUPERVISE_DONE)
				assert_int_equal(s.last.actions, 0);
		}
	}
}

/* Whatever the daemon makes of the stop, the container ends with the code of the loss. */
static void a_lost_right_to_run_stops_the_daemon_within_a_second_and_is_the_end(void **state)
{
	static const int codes[] = { 0, 1, 143 };
	struct sim s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		start(&s, RESTART_ALWAYS, true, true);
		(void)feed(&s, SUPERVISE_START, 0);
		assert_true(feed(&s, SUPERVISE_REVOKED, 75) & SUPERVISE_DO_FORWARD);
		assert_int_equal(s.m.state, SUPERVISE_STOPPING);
		assert_in_range(s.last.timer_ms, s.now_ms, s.now_ms + 1000);
		assert_true(feed(&s, SUPERVISE_EXITED, codes[i]) & SUPERVISE_DO_HOOK);
		(void)feed(&s, SUPERVISE_HOOK_DONE, 0);
		expect_exit(&s, 75);
	}
}

static void a_daemon_that_does_not_heed_the_loss_is_killed(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ALWAYS, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_REVOKED, 75);
	s.now_ms = s.last.timer_ms;
	assert_true(feed(&s, SUPERVISE_TIMER, 0) & SUPERVISE_DO_KILL_DAEMON);
	(void)feed(&s, SUPERVISE_EXITED, 137);
	(void)feed(&s, SUPERVISE_CHILDLESS, 0);
	assert_int_equal(s.m.state, SUPERVISE_DONE);
	assert_int_equal(s.m.exit_code, 75);
}

static void a_loss_while_it_stops_already_leaves_no_more_time(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ALWAYS, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_STOP, SIGTERM);
	assert_true(feed(&s, SUPERVISE_REVOKED, 75) & SUPERVISE_DO_KILL_DAEMON);
	assert_int_equal(s.m.state, SUPERVISE_KILLING);
}

static void after_a_loss_between_two_starts_there_is_no_other_start(void **state)
{
	struct sim s;

	(void)state;
	start(&s, RESTART_ALWAYS, false, false);
	(void)feed(&s, SUPERVISE_START, 0);
	(void)feed(&s, SUPERVISE_EXITED, 1);
	assert_int_equal(s.m.state, SUPERVISE_BACKOFF);
	(void)feed(&s, SUPERVISE_REVOKED, 75);
	assert_false(feed(&s, SUPERVISE_TIMER, 0) & SUPERVISE_DO_SPAWN);
	(void)feed(&s, SUPERVISE_CHILDLESS, 0);
	assert_int_equal(s.m.exit_code, 75);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_is_final_or_not_as_the_policy_says),
		cmocka_unit_test(a_program_that_cannot_be_executed_is_not_tried_again),
		cmocka_unit_test(the_backoff_doubles_from_100_ms_to_30_s),
		cmocka_unit_test(ten_failures_in_a_row_end_with_the_daemons_code),
		cmocka_unit_test(a_loop_of_successes_is_not_a_success),
		cmocka_unit_test(a_healthy_minute_forgives_everything),
		cmocka_unit_test(hold_stays_until_a_stop_signal_and_then_tells_the_code),
		cmocka_unit_test(a_held_loop_of_successes_is_no_success_either),
		cmocka_unit_test(an_orderly_stop_is_a_success),
		cmocka_unit_test(the_end_takes_the_network_down_then_sweeps),
		cmocka_unit_test(a_crash_touches_nothing_but_the_daemon),
		cmocka_unit_test(a_daemon_that_does_not_stop_is_killed_after_the_timeout),
		cmocka_unit_test(a_second_stop_signal_cuts_the_wait_short),
		cmocka_unit_test(a_daemon_that_cannot_even_be_killed_is_left),
		cmocka_unit_test(leftovers_that_ignore_term_are_killed_at_the_deadline),
		cmocka_unit_test(a_hook_that_hangs_is_killed),
		cmocka_unit_test(a_stop_between_two_starts_tells_the_last_code),
		cmocka_unit_test(a_program_that_is_run_once_may_start_as_long_as_it_never_did),
		cmocka_unit_test(a_failed_fork_is_tried_for_ever),
		cmocka_unit_test(without_stop_ok_the_signal_is_the_code),
		cmocka_unit_test(control_c_at_the_daemons_terminal_is_a_stop),
		cmocka_unit_test(without_the_right_to_start_anything_the_last_code_is_the_end),
		cmocka_unit_test(failures_of_earlier_containers_count_until_a_healthy_minute),
		cmocka_unit_test(a_daemon_that_speaks_is_healthy_once_it_is_ready),
		cmocka_unit_test(a_daemon_that_never_gets_ready_is_killed_unless_it_asks_for_time),
		cmocka_unit_test(a_shorter_extension_takes_no_time_away),
		cmocka_unit_test(silence_kills_only_after_the_first_beat),
		cmocka_unit_test(a_pause_of_the_container_is_no_silence_of_the_daemon),
		cmocka_unit_test(the_daemon_may_change_or_end_its_watchdog),
		cmocka_unit_test(a_daemon_may_ask_for_its_own_restart),
		cmocka_unit_test(a_daemon_that_says_goodbye_and_stays_is_killed),
		cmocka_unit_test(a_stopping_daemon_may_ask_for_more_time),
		cmocka_unit_test(a_stop_while_a_hung_daemon_dies_is_a_stop),
		cmocka_unit_test(every_state_survives_every_event),
		cmocka_unit_test(
			a_lost_right_to_run_stops_the_daemon_within_a_second_and_is_the_end),
		cmocka_unit_test(a_daemon_that_does_not_heed_the_loss_is_killed),
		cmocka_unit_test(a_loss_while_it_stops_already_leaves_no_more_time),
		cmocka_unit_test(after_a_loss_between_two_starts_there_is_no_other_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/supervise/cause.h"

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MIB (1024UL * 1024)

struct row {
	struct cause_facts f;
	const char *word;
	const char *sentence;
};

static void compare(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cause_facts f = rows[i].f;
		char out[CAUSE_SIZE];

		f.program = f.program ? f.program : "wgmesh";
		if (f.signal)
			f.code = 128 + f.signal;
		cause_sentence(&f, out);
		if (strcmp(out, rows[i].sentence) != 0)
			fail_msg("row %zu:\n is   %s\n want %s", i, out, rows[i].sentence);
		assert_string_equal(cause_word(&f), rows[i].word);
	}
}

#define COMPARE(rows) compare(rows, sizeof(rows) / sizeof((rows)[0]))

static void exit_codes_are_told_with_their_meaning_and_the_last_line(void **state)
{
	static const struct row rows[] = {
		{ { .code = 69,
		    .is_wgmesh = true,
		    .run_ms = 204,
		    .last_line = "cannot create wg0: Operation not supported" },
		  "exit",
		  "wgmesh ended with code 69 (no WireGuard) after 0.2 s; its last line: cannot "
		  "create wg0: Operation not supported" },
		{ { .code = 69, .program = "nginx", .run_ms = 12000 },
		  "exit",
		  "nginx ended with code 69 after 12 s" },
		{ { .code = 65, .is_wgmesh = true, .run_ms = 50, .last_line = "" },
		  "exit",
		  "wgmesh ended with code 65 (state damaged, nothing to restore it from) after "
		  "50 ms" },
		{ { .code = 127,
		    .program = "run.sh",
		    .run_ms = 3000,
		    .last_line = "foo: not found" },
		  "exit",
		  "run.sh ended with code 127 (a program was not found) after 3 s; its last line: "
		  "foo: not found" },
		{ { .code = 139, .program = "sh", .run_ms = 1999 },
		  "exit",
		  "sh ended with code 139 (128 + 11: SIGSEGV) after 1.9 s" },
		{ { .code = 1, .run_ms = 600000, .oom_kills = 2, .oom_limit = 64 * MIB },
		  "exit",
		  "wgmesh ended with code 1 after 10 min; meanwhile 2 of the container's processes "
		  "were killed for lack of memory (limit 64 MiB)" },
		{ { .code = 255, .run_ms = 7200000 },
		  "exit",
		  "wgmesh ended with code 255 after 2 h" },
		{ { .code = 0, .run_ms = 0, .last_line = "bye" },
		  "ok",
		  "wgmesh ended with code 0 after 0 s, without being told to" },
	};

	(void)state;
	COMPARE(rows);
}

static void a_kill_is_told_from_a_lack_of_memory(void **state)
{
	static const struct row rows[] = {
		{ { .signal = SIGKILL,
		    .run_ms = 3140,
		    .oom_known = true,
		    .oom_kills = 1,
		    .oom_by_limit = true,
		    .oom_limit = 64 * MIB,
		    .last_line = "growing" },
		  "oom",
		  "wgmesh was killed by signal 9 (Killed) after 3.1 s: the container ran out of "
		  "memory (limit 64 MiB), raise the limit; its last line: growing" },
		{ { .signal = SIGKILL,
		    .run_ms = 3140,
		    .oom_known = true,
		    .oom_kills = 1,
		    .oom_limit = 2048 * MIB },
		  "oom",
		  "wgmesh was killed by signal 9 (Killed) after 3.1 s: the pod or the machine ran "
		  "out of memory, not this container (limit 2 GiB)" },
		{ { .signal = SIGKILL, .run_ms = 3140, .oom_known = true, .oom_kills = 1 },
		  "oom",
		  "wgmesh was killed by signal 9 (Killed) after 3.1 s: the machine ran out of "
		  "memory, not this container" },
		{ { .code = 137,
		    .program = "run.sh",
		    .run_ms = 61000,
		    .oom_known = true,
		    .oom_kills = 1,
		    .oom_by_limit = true,
		    .oom_limit = 100000000 },
		  "oom",
		  "run.sh ended with code 137 (128 + 9: SIGKILL) after 61 s: the container ran out "
		  "of memory (limit 95 MiB), raise the limit" },
		{ { .signal = SIGKILL, .run_ms = 12000, .oom_known = true },
		  "killed",
		  "wgmesh was killed by signal 9 (Killed) after 12 s by a process outside its "
		  "control, not for lack of memory" },
		{ { .signal = SIGKILL, .run_ms = 12000 },
		  "killed",
		  "wgmesh was killed by signal 9 (Killed) after 12 s by a process outside its "
		  "control, or for lack of memory: the container's memory cgroup cannot be read" },
	};

	(void)state;
	COMPARE(rows);
}

static void a_crash_is_to_be_reported(void **state)
{
	static const struct row rows[] = {
		{ { .signal = SIGSEGV, .run_ms = 90061000, .last_line = "reading config" },
		  "crash",
		  "wgmesh crashed by signal 11 (Segmentation fault) after 25 h: an error in the "
		  "program, report it; its last line: reading config" },
		{ { .signal = SIGABRT, .run_ms = 200000 },
		  "crash",
		  "wgmesh crashed by signal 6 (Aborted) after 3 min: an error in the program, "
		  "report it" },
		{ { .signal = SIGILL, .run_ms = 10 },
		  "crash",
		  "wgmesh crashed by signal 4 (Illegal instruction) after 10 ms: an error in the "
		  "program, or it was built for another processor" },
		{ { .signal = SIGSYS, .run_ms = 200 },
		  "seccomp",
		  "wgmesh was killed by signal 31 (Bad system call) after 0.2 s: a seccomp profile "
		  "forbids a system call that it needs" },
	};

	(void)state;
	COMPARE(rows);
}

static void other_signals_are_told_with_what_they_mean(void **state)
{
	static const struct row rows[] = {
		{ { .signal = SIGTERM, .run_ms = 1000 },
		  "signal",
		  "wgmesh was killed by signal 15 (Terminated) after 1 s: another process sent "
		  "that, no stop was asked for" },
		{ { .signal = SIGHUP, .run_ms = 1000 },
		  "signal",
		  "wgmesh was killed by signal 1 (Hangup) after 1 s: the program has no handler "
		  "for that" },
		{ { .signal = SIGPIPE, .run_ms = 259200000 },
		  "signal",
		  "wgmesh was killed by signal 13 (Broken pipe) after 3 days: it wrote to a pipe or "
		  "socket that nobody reads any more" },
		{ { .signal = 37, .run_ms = 1000 },
		  "signal",
		  "wgmesh was killed by signal 37 (SIGRTMIN+3) after 1 s: the program has no "
		  "handler for that" },
	};

	(void)state;
	COMPARE(rows);
}

static void pid_1_says_what_it_did_itself(void **state)
{
	static const struct row rows[] = {
		{ { .signal = SIGKILL,
		    .run_ms = 61000,
		    .killed_by_us = CAUSE_WATCHDOG,
		    .patience_ms = 60000 },
		  "watchdog",
		  "wgmesh was killed after 61 s: no watchdog beat for 60 s, so it hung" },
		{ { .signal = SIGABRT,
		    .run_ms = 61000,
		    .killed_by_us = CAUSE_WATCHDOG,
		    .status = "3 peers",
		    .last_line = "handshake" },
		  "watchdog",
		  "wgmesh was killed after 61 s: no watchdog beat, so it hung; its last status: 3 "
		  "peers; its last line: handshake" },
		{ { .signal = SIGKILL,
		    .run_ms = 90000,
		    .killed_by_us = CAUSE_START_TIMEOUT,
		    .patience_ms = 90000,
		    .status = "waiting for peers" },
		  "start-timeout",
		  "wgmesh was killed after 90 s: it did not report to be ready within 90 s; its "
		  "last status: waiting for peers" },
		{ { .signal = SIGKILL,
		    .run_ms = 5000,
		    .killed_by_us = CAUSE_TRIGGER,
		    .patience_ms = 60000 },
		  "trigger",
		  "wgmesh was killed after 5 s: it reported a fault of its own (WATCHDOG=trigger)" },
		{ { .code = 127,
		    .program = "foo",
		    .killed_by_us = CAUSE_EXEC,
		    .why = "run /bin/foo: No such file or directory" },
		  "exec",
		  "foo could not be started: run /bin/foo: No such file or directory" },
		{ { .code = 126, .killed_by_us = CAUSE_EXEC },
		  "exec",
		  "wgmesh could not be started" },
		{ { .code = 0,
		    .run_ms = 5000,
		    .killed_by_us = CAUSE_REVOKED,
		    .why = "another one has it",
		    .last_line = "goodbye" },
		  "revoked",
		  "wgmesh was stopped after 5 s: another one has it" },
	};

	(void)state;
	COMPARE(rows);
}

static void a_stop_is_told_with_who_asked_for_it(void **state)
{
	static const struct row rows[] = {
		{ { .code = 0, .stop_signal = SIGTERM, .last_line = "goodbye" },
		  "stopped",
		  "stopped by SIGTERM from outside the container (docker stop, kubelet): wgmesh "
		  "ended with code 0" },
		{ { .signal = SIGTERM, .stop_signal = SIGTERM, .last_line = "x" },
		  "stopped",
		  "stopped by SIGTERM from outside the container (docker stop, kubelet): wgmesh was "
		  "ended by it" },
		{ { .code = 143, .stop_signal = SIGTERM, .stop_pid = 17, .stop_comm = "s\nh" },
		  "stopped",
		  "stopped by SIGTERM from process 17 (s?h): wgmesh ended with code 143" },
		{ { .code = 1, .stop_signal = SIGTERM, .stop_pid = 17, .last_line = "cannot save" },
		  "stopped",
		  "stopped by SIGTERM from process 17: wgmesh ended with code 1; its last line: "
		  "cannot save" },
		{ { .signal = SIGSEGV, .stop_signal = SIGINT, .is_terminal = true },
		  "stopped",
		  "stopped by SIGINT from the terminal (^C): wgmesh crashed by signal 11 "
		  "(Segmentation fault)" },
		{ { .code = 0, .stop_signal = SIGQUIT, .is_terminal = true },
		  "stopped",
		  "stopped by SIGQUIT from the terminal (^\\): wgmesh ended with code 0" },
		{ { .signal = SIGKILL,
		    .stop_signal = SIGTERM,
		    .killed_by_us = CAUSE_STOP_TIMEOUT,
		    .patience_ms = 8000,
		    .last_line = "flushing" },
		  "stop-timeout",
		  "stopped by SIGTERM from outside the container (docker stop, kubelet): wgmesh did "
		  "not end within 8 s and was killed; its last line: flushing" },
		{ { .signal = SIGKILL, .killed_by_us = CAUSE_STOP_TIMEOUT },
		  "stop-timeout",
		  "wgmesh did not end and was killed" },
	};

	(void)state;
	COMPARE(rows);
}

static void of_a_line_of_json_only_the_message_is_quoted(void **state)
{
	static const struct row rows[] = {
		{ { .code = 1,
		    .last_line = "{\"time\":\"2026-01-01T00:00:00.000Z\",\"level\":\"error\","
				 "\"component\":\"wg\",\"msg\":\"cannot create \\\"wg0\\\"\","
				 "\"k\":\"v\"}" },
		  "exit",
		  "wgmesh ended with code 1 after 0 s; its last line: cannot create \"wg0\"" },
		{ { .code = 1, .last_line = "{\"msg\":\"cut of" },
		  "exit",
		  "wgmesh ended with code 1 after 0 s; its last line: cut of" },
		{ { .code = 1, .last_line = "{\"msg\":\"ends in \\" },
		  "exit",
		  "wgmesh ended with code 1 after 0 s; its last line: ends in \\" },
		{ { .code = 1, .last_line = "{\"msg\":\"\"}" },
		  "exit",
		  "wgmesh ended with code 1 after 0 s; its last line: {\"msg\":\"\"}" },
		{ { .code = 1, .last_line = "{\"message\":5}" },
		  "exit",
		  "wgmesh ended with code 1 after 0 s; its last line: {\"message\":5}" },
		{ { .code = 1, .last_line = "text with \"msg\":\"inside\"" },
		  "exit",
		  "wgmesh ended with code 1 after 0 s; its last line: text with \"msg\":\"inside\"" },
	};

	(void)state;
	COMPARE(rows);
}

static void what_does_not_fit_is_cut_between_characters(void **state)
{
	char euros[300] = "";
	char name[200];
	char out[CAUSE_SIZE];
	struct cause_facts f = { .program = name, .code = 1, .last_line = euros };

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i + 3 < sizeof(euros); i += 3)
		memcpy(euros + i, "\xe2\x82\xac", 3);
	for (size_t len = 1; len < 8; len++) {
		name[sizeof(name) - 1 - len] = '\0';
		f.signal = len % 2 ? SIGKILL : 0;
		cause_sentence(&f, out);
		assert_true(strlen(out) < CAUSE_SIZE);
		assert_non_null(strstr(out, "nnn..."));
		assert_non_null(strstr(out, "\xe2\x82\xac"));
		assert_null(strstr(out, "\x82."));
		assert_null(strstr(out, "\xe2."));
	}
}

/* Every combination of facts gives one line that fits, and a word that a history takes. */
static void all_facts_give_one_sentence_and_one_word(void **state)
{
	static const char wild[] = "\x01\xff{\"msg\":\"\n\\";
	char out[CAUSE_SIZE];

	(void)state;
	for (int i = 0; i < 2 * 2 * 2 * 6 * 70; i++) {
		struct cause_facts f = { .program = i % 2 ? wild : "",
					 .is_wgmesh = i % 2,
					 .stop_signal = i / 2 % 2 ? SIGTERM : 0,
					 .oom_kills = (uint64_t)(i / 4 % 2),
					 .killed_by_us = (enum cause_ours)(i / 8 % 6),
					 .signal = i / 48 % 70,
					 .code = i % 300,
					 .run_ms = UINT64_MAX,
					 .patience_ms = UINT64_MAX,
					 .oom_limit = UINT64_MAX,
					 .oom_by_limit = i % 2,
					 .why = wild,
					 .stop_pid = INT_MAX,
					 .stop_comm = wild,
					 .status = wild,
					 .last_line = wild };

		memset(out, 'x', sizeof(out));
		cause_sentence(&f, out);
		assert_non_null(memchr(out, '\0', sizeof(out)));
		for (const char *p = out; *p; p++)
			assert_true((unsigned char)*p >= 0x20);
		assert_true(strlen(cause_word(&f)) < CAUSE_WORD_SIZE);
		for (const char *p = cause_word(&f); *p; p++)
			assert_true(islower((unsigned char)*p) || *p == '-');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes_are_told_with_their_meaning_and_the_last_line),
		cmocka_unit_test(a_kill_is_told_from_a_lack_of_memory),
		cmocka_unit_test(a_crash_is_to_be_reported),
		cmocka_unit_test(other_signals_are_told_with_what_they_mean),
		cmocka_unit_test(pid_1_says_what_it_did_itself),
		cmocka_unit_test(a_stop_is_told_with_who_asked_for_it),
		cmocka_unit_test(of_a_line_of_json_only_the_message_is_quoted),
		cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
		cmocka_unit_test(all_facts_give_one_sentence_and_one_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/exits.h"
#include "init/process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SH(script) ((char *[]) { sh, option, (char[]) { script }, NULL })

static char sh[] = "/bin/sh";
static char option[] = "-c";
static struct spawn_errors errors;

static struct spawn_program program(char *const *argv)
{
	static char *const empty[] = { NULL };

	return (struct spawn_program) { .argv = argv,
					.envp = empty,
					.stderr_fd = -1,
					.error_fd = errors.write_fd,
					.parent = getpid() };
}

static int exit_code(pid_t pid)
{
	int status = 0;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static pid_t start(char *const *argv)
{
	struct spawn_program p = program(argv);

	return spawn_program(&p);
}

static void a_program_runs_and_reports_nothing(void **state)
{
	pid_t pid = start(SH("exit 7"));

	(void)state;
	assert_int_equal(exit_code(pid), 7);
	assert_int_equal(spawn_errors_take(&errors, pid, NULL), 0);
}

static void a_program_that_is_not_there_says_so(void **state)
{
	char name[] = "/nonexistent/program";
	struct err e = { 0 };
	pid_t pid = start((char *[]) { name, NULL });

	(void)state;
	assert_int_equal(exit_code(pid), EXITS_NOT_FOUND);
	assert_int_equal(spawn_errors_take(&errors, pid, &e), -ENOENT);
	assert_int_equal(e.exit_code, EXITS_NOT_FOUND);
	assert_non_null(strstr(e.msg, name));
	assert_int_equal(spawn_errors_take(&errors, pid, &e), 0);
}

static void what_is_no_program_is_not_executable(void **state)
{
	char name[] = "/etc";
	pid_t pid = start((char *[]) { name, NULL });

	(void)state;
	assert_int_equal(exit_code(pid), EXITS_NOT_EXECUTABLE);
	assert_int_equal(spawn_errors_take(&errors, pid, NULL), -EACCES);
}

static void reports_of_several_children_are_not_mixed_up(void **state)
{
	char missing[] = "/nonexistent/program";
	char directory[] = "/etc";
	pid_t first = start((char *[]) { missing, NULL });
	pid_t second = start((char *[]) { directory, NULL });
	pid_t third = start(SH("exit 0"));

	(void)state;
	(void)exit_code(first);
	(void)exit_code(second);
	(void)exit_code(third);
	assert_int_equal(spawn_errors_take(&errors, third, NULL), 0);
	assert_int_equal(spawn_errors_take(&errors, second, NULL), -EACCES);
	assert_int_equal(spawn_errors_take(&errors, first, NULL), -ENOENT);
}

static void a_child_ends_even_when_nobody_reads_its_report(void **state)
{
	char missing[] = "/nonexistent/program";

	(void)state;
	while (write(errors.write_fd, "x", 1) == 1)
		;
	assert_int_equal(exit_code(start((char *[]) { missing, NULL })), EXITS_NOT_FOUND);
}

static void standard_error_can_be_another_descriptor(void **state)
{
	struct spawn_program p = program(SH("echo oops >&2"));
	char text[16] = "";
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	p.stderr_fd = fds[1];
	(void)exit_code(spawn_program(&p));
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], text, sizeof(text) - 1), 5);
	assert_string_equal(text, "oops\n");
	(void)close(fds[0]);
}

static void descriptors_above_2_stay_but_for_the_one_handed_over(void **state)
{
	struct spawn_program p =
		program(SH("[ -e /proc/self/fd/100 ] && [ ! -e /proc/self/fd/101 ]"));

	(void)state;
	assert_int_equal(dup2(STDIN_FILENO, 100), 100);
	assert_int_equal(dup2(STDIN_FILENO, 101), 101);
	p.hand_over = 100;
	assert_int_equal(exit_code(spawn_program(&p)), 0);
	(void)close(100);
	(void)close(101);
}

static void a_program_leads_a_group_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(exit_code(start(SH("read -r s </proc/$$/stat; set -- $s; [ $5 = $$ ]"))),
			 0);
}

/* In a child: starts a program that writes its number and sleeps, and dies. */
static int start_and_leave(void *arg)
{
	pid_t pid = start(SH("exec sleep 1000"));
	const int *fd = arg;

	return pid > 0 && write(*fd, &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1;
}

static void a_program_does_not_outlive_an_init_that_is_not_pid_1(void **state)
{
	int fds[2];
	pid_t pid = 0;
	pid_t starter;
	int code;

	(void)state;
	/* So that the orphan is ours to wait for. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	starter = spawn_function(start_and_leave, &fds[1]);
	assert_int_equal(exit_code(starter), 0);
	assert_int_equal(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	/* Killed, or gone on its own because it saw in time that nobody is there. */
	code = exit_code(pid);
	assert_true(code == 128 + SIGKILL || code == EXITS_SYSTEM);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static int open_errors(void **state)
{
	(void)state;
	return spawn_errors_open(&errors, NULL);
}

static int close_errors(void **state)
{
	(void)state;
	spawn_errors_close(&errors);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_errors, close_errors)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_program_runs_and_reports_nothing),
		TEST(a_program_that_is_not_there_says_so),
		TEST(what_is_no_program_is_not_executable),
		TEST(reports_of_several_children_are_not_mixed_up),
		TEST(a_child_ends_even_when_nobody_reads_its_report),
		TEST(standard_error_can_be_another_descriptor),
		TEST(descriptors_above_2_stay_but_for_the_one_handed_over),
		TEST(a_program_leads_a_group_of_its_own),
		TEST(a_program_does_not_outlive_an_init_that_is_not_pid_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

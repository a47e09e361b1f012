/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/clock.h"
#include "daemon/doctor/inchild.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct found {
	int number;
	char bulk[200000]; /* more than a pipe holds */
};

static struct found found;

static void count(void *out, const void *arg)
{
	struct found *f = out;

	f->number = *(const int *)arg + 1;
	memset(f->bulk, 'x', sizeof(f->bulk));
}

static void hang(void *out, const void *arg)
{
	(void)out;
	(void)arg;
	(void)poll(NULL, 0, -1);
}

static void crash(void *out, const void *arg)
{
	(void)out;
	(void)arg;
	(void)raise(SIGKILL);
}

static void what_a_child_finds_comes_back_whole(void **state)
{
	const int one = 1;
	struct inchild c;

	(void)state;
	inchild_start(&c, count, &one, sizeof(found));
	assert_true(inchild_wait(&c, clock_now().mono_ms + 10000));
	assert_int_equal(inchild_take(&c, &found), 0);
	assert_int_equal(found.number, 2);
	assert_int_equal(found.bulk[sizeof(found.bulk) - 1], 'x');
}

static void speak_to_nobody(void *out, const void *arg)
{
	int ends[2];

	(void)arg;
	if (pipe(ends) == 0 && close(ends[0]) == 0)
		*(int *)out = write(ends[1], "x", 1) < 0 ? errno : 0;
}

static void whoever_hangs_up_on_a_child_does_not_end_it(void **state)
{
	struct inchild c;
	int error = 0;

	(void)state;
	inchild_start(&c, speak_to_nobody, NULL, sizeof(error));
	assert_true(inchild_wait(&c, clock_now().mono_ms + 10000));
	assert_int_equal(inchild_take(&c, &error), 0);
	assert_int_equal(error, EPIPE);
}

static void several_run_at_once(void **state)
{
	struct inchild c[4];
	const int one = 1;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		inchild_start(&c[i], i % 2 ? hang : count, &one, sizeof(found));
	for (size_t i = 0; i < 4; i += 2) {
		assert_true(inchild_wait(&c[i], clock_now().mono_ms + 10000));
		assert_int_equal(inchild_take(&c[i], &found), 0);
		assert_int_equal(inchild_take(&c[i + 1], &found), -ETIMEDOUT);
	}
}

static void a_child_that_hangs_is_killed_and_leaves_nothing(void **state)
{
	struct inchild c;
	pid_t pid;

	(void)state;
	found.number = 7;
	inchild_start(&c, hang, NULL, sizeof(found));
	assert_false(inchild_wait(&c, clock_now().mono_ms));
	pid = c.pid;
	assert_int_equal(inchild_take(&c, &found), -ETIMEDOUT);
	assert_int_equal(found.number, 7);
	/* Gone, or a zombie that nobody has looked at. */
	(void)waitpid(pid, NULL, 0);
	assert_int_equal(kill(pid, 0), -1);
}

static void a_child_that_crashes_is_told_from_one_that_hangs(void **state)
{
	struct inchild c;

	(void)state;
	inchild_start(&c, crash, NULL, sizeof(found));
	assert_true(inchild_wait(&c, clock_now().mono_ms + 10000));
	assert_int_equal(inchild_take(&c, &found), -ECHILD);
}

static void what_was_taken_is_gone(void **state)
{
	struct inchild c;

	(void)state;
	inchild_start(&c, hang, NULL, sizeof(found));
	assert_int_equal(inchild_take(&c, &found), -ETIMEDOUT);
	assert_true(inchild_wait(&c, clock_now().mono_ms + 10000));
	assert_int_equal(inchild_take(&c, &found), -ECHILD);
}

/* The kernel forgets then that the child wants to end with its parent. */
static void hang_as_another_user(void *out, const void *arg)
{
	const int *ready = arg;

	(void)out;
	if (setegid(65534) == 0 && seteuid(65534) == 0)
		inchild_die_with_parent();
	(void)!write(*ready, "x", 1);
	/* Longer than the test waits; but not for ever, should it fail. */
	(void)poll(NULL, 0, 20000);
}

static void a_child_that_changed_its_user_ends_with_its_parent_too(void **state)
{
	struct pollfd end;
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct inchild c;

		inchild_start(&c, hang_as_another_user, &ready[1], sizeof(found));
		(void)poll(NULL, 0, -1);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* Nobody is left who could write. */
	end = (struct pollfd) { .fd = ready[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	(void)close(ready[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_child_finds_comes_back_whole),
		cmocka_unit_test(whoever_hangs_up_on_a_child_does_not_end_it),
		cmocka_unit_test(several_run_at_once),
		cmocka_unit_test(a_child_that_hangs_is_killed_and_leaves_nothing),
		cmocka_unit_test(a_child_that_crashes_is_told_from_one_that_hangs),
		cmocka_unit_test(what_was_taken_is_gone),
		cmocka_unit_test(a_child_that_changed_its_user_ends_with_its_parent_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

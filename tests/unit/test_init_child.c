/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/process/child.h"
#include "init/process/mask.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void answer(void *data)
{
	int *n = data;

	*n += 1;
}

static void sleep_on(void *data)
{
	(void)data;
	(void)pause();
}

struct work {
	uint64_t steps;
	uint64_t goal;
};

/* Takes a step every 20 ms, and then none any more. */
static void work(void *data)
{
	struct work *w = data;
	const struct timespec pause_20ms = { .tv_nsec = 20 * 1000 * 1000 };

	while (w->steps < w->goal) {
		(void)nanosleep(&pause_20ms, NULL);
		__atomic_store_n(&w->steps, w->steps + 1, __ATOMIC_RELAXED);
	}
}

static void stall(void *data)
{
	work(data);
	(void)pause();
}

/* Return: 0, or the number of the claim that is not true */
static int wait_in_every_way(void)
{
	int n = 41;
	int r;

	if (child_run(answer, &n, sizeof(n), CHILD_NO_LIMIT) != 0 || n != 42)
		return 1;
	if (child_run(answer, &n, sizeof(n), 10000) != 0 || n != 43)
		return 2;
	if (child_run(sleep_on, &n, sizeof(n), 20) != -ETIMEDOUT)
		return 3;
	(void)raise(SIGTERM);
	r = child_run(sleep_on, &n, sizeof(n), CHILD_NO_LIMIT);
	return r == -EINTR && mask_take_stop() == SIGTERM ? 0 : 4;
}

/* As under an engine that is older than the call. */
static int forbid_pidfd(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_pidfd_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0;
}

static void expect_all_ways(bool is_forbidden)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)alarm(20);
		mask_block_all();
		_exit(is_forbidden && forbid_pidfd() ? 9 : wait_in_every_way());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_child_is_waited_for_until_its_end_its_limit_or_a_stop(void **state)
{
	(void)state;
	expect_all_ways(false);
}

static int wait_for_work(void)
{
	struct work w = { .goal = 20 };

	/* All of it takes twice the limit, but no step does. */
	if (child_run_active(work, &w, sizeof(w), 200, &w.steps) != 0 || w.steps != 20)
		return 1;
	w = (struct work) { .goal = 2 };
	return child_run_active(stall, &w, sizeof(w), 200, &w.steps) == -ETIMEDOUT ? 0 : 2;
}

static void a_child_that_goes_on_has_all_the_time_it_needs(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		(void)alarm(20);
		mask_block_all();
		_exit(wait_for_work());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_kernel_without_descriptors_for_processes_will_do(void **state)
{
	(void)state;
	expect_all_ways(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_is_waited_for_until_its_end_its_limit_or_a_stop),
		cmocka_unit_test(a_child_that_goes_on_has_all_the_time_it_needs),
		cmocka_unit_test(a_kernel_without_descriptors_for_processes_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

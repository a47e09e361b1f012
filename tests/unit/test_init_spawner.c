/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/process/mask.h"
#include "init/process/spawn.h"
#include "init/process/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum job { JOB_EXIT, JOB_FAIL, JOB_DESCRIPTORS, JOB_CRASH, JOB_SLEEP, JOB_FUNCTION, JOB_HANG };

struct payload {
	double aligned;
	int code;
};

struct shop {
	struct spawn_errors errors;
	int kept_fd;
	int other_fd;
};

static struct shop shop;
static struct spawner spawner;

static pid_t start_sh(const char *text)
{
	char sh[] = "/bin/sh";
	char option[] = "-c";
	char script[200];
	char *argv[] = { sh, option, script, NULL };
	char *envp[] = { NULL };
	struct spawn_program p = {
		.argv = argv, .envp = envp, .stderr_fd = -1, .error_fd = shop.errors.write_fd
	};

	(void)snprintf(script, sizeof(script), "%s", text);
	return spawn_program(&p);
}

static pid_t start_exit(const struct payload *payload)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "exit %d", payload->code);
	return start_sh(text);
}

/* Does the process that starts programs have the descriptors that it should have? */
static pid_t look_at_descriptors(const struct shop *s)
{
	bool is_good = fcntl(s->kept_fd, F_GETFD) >= 0 && fcntl(s->other_fd, F_GETFD) < 0;

	return start_sh(is_good ? "exit 0" : "exit 1");
}

static int answer(void *arg)
{
	const int *code = arg;

	return *code;
}

static pid_t start_function(const struct payload *payload)
{
	int code = payload->code;

	return spawn_function(answer, &code);
}

static pid_t start(void *arg, unsigned int job, const void *payload)
{
	switch ((enum job)job) {
	case JOB_EXIT:
		return start_exit(payload);
	case JOB_FAIL:
		return -EAGAIN;
	case JOB_DESCRIPTORS:
		return look_at_descriptors(arg);
	case JOB_CRASH:
		_exit(9);
	case JOB_SLEEP:
		return start_sh("exec sleep 1000");
	case JOB_FUNCTION:
		return start_function(payload);
	case JOB_HANG:
		(void)pause();
		break;
	}
	return -EINVAL;
}

static pid_t start_code(int code)
{
	const struct payload payload = { .code = code };

	return spawner_start(&spawner, JOB_EXIT, &payload, sizeof(payload), NULL);
}

/* As PID 1 would see it: only a child of ours can be waited for. */
static int exit_code(pid_t pid)
{
	int status = 0;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void before_it_is_detached_the_caller_starts_programs(void **state)
{
	(void)state;
	assert_int_equal(exit_code(start_code(3)), 3);
	assert_int_equal(spawner.pid, 0);
	assert_int_equal(spawner_start(&spawner, JOB_FAIL, NULL, 0, NULL), -EAGAIN);
}

static void what_the_spawner_starts_are_children_of_its_parent(void **state)
{
	(void)state;
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(exit_code(start_code(40 + i)), 40 + i);
	spawner_close(&spawner);
	assert_int_equal(exit_code(spawner.pid), 0);
}

static void functions_run_in_children_of_its_parent_too(void **state)
{
	const struct payload payload = { .code = 12 };

	(void)state;
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	assert_int_equal(
		exit_code(spawner_start(&spawner, JOB_FUNCTION, &payload, sizeof(payload), NULL)),
		12);
}

static void programs_have_a_group_of_their_own_when_their_number_is_known(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	pid = spawner_start(&spawner, JOB_SLEEP, NULL, 0, NULL);
	assert_int_equal(getpgid(pid), pid);
	assert_int_equal(kill(-pid, SIGKILL), 0);
	assert_int_equal(exit_code(pid), 128 + SIGKILL);
}

static void a_failed_fork_has_its_reason_and_the_next_one_may_work(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	assert_int_equal(spawner_start(&spawner, JOB_FAIL, NULL, 0, &e), -EAGAIN);
	assert_true(e.msg[0] != '\0');
	assert_int_equal(exit_code(start_code(5)), 5);
}

static void it_keeps_no_descriptor_that_it_does_not_need(void **state)
{
	(void)state;
	spawner_keep(&spawner, shop.kept_fd);
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	assert_int_equal(exit_code(spawner_start(&spawner, JOB_DESCRIPTORS, NULL, 0, NULL)), 0);
	/* And nothing of it is lost here. */
	assert_true(fcntl(shop.other_fd, F_GETFD) >= 0);
}

/* Whoever has no process to spare for the spawner names them anew at every try. */
static void a_descriptor_that_is_named_again_takes_no_room(void **state)
{
	(void)state;
	for (int i = 0; i <= SPAWNER_KEEP_MAX; i++)
		spawner_keep(&spawner, shop.kept_fd);
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	assert_int_equal(exit_code(spawner_start(&spawner, JOB_DESCRIPTORS, NULL, 0, NULL)), 0);
}

static void it_has_a_name_and_blocks_every_signal_that_its_parent_did(void **state)
{
	char path[40];
	char name[32] = "";
	int fd;

	(void)state;
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	/* An answer means that it has settled in. */
	assert_int_equal(exit_code(start_code(0)), 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", spawner.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && read(fd, name, sizeof(name) - 1) > 0);
	(void)close(fd);
	assert_string_equal(name, "wgmesh-spawner\n");
	assert_int_equal(kill(spawner.pid, SIGTERM), 0);
	assert_int_equal(exit_code(start_code(0)), 0);
}

static void once_it_is_gone_it_is_gone_for_good(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	assert_int_equal(spawner_start(&spawner, JOB_CRASH, NULL, 0, &e), -EPIPE);
	assert_non_null(strstr(e.msg, "restart the container"));
	(void)exit_code(spawner.pid);
	spawner.pid = 0;
	assert_int_equal(start_code(0), -EPIPE);
}

static void too_much_for_a_program_is_refused(void **state)
{
	char much[SPAWNER_PAYLOAD_MAX + 1] = "";

	(void)state;
	assert_int_equal(spawner_start(&spawner, JOB_EXIT, much, sizeof(much), NULL), -EMSGSIZE);
}

/* A kernel that does not know it, for PID 1 of a namespace. */
static int forbid_siblings(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_PARENT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0);
}

/* Return: 0, or the number of the claim that is not true */
static int detach_as_pid_1(bool is_forbidden)
{
	int r;

	if (getpid() != 1 || (is_forbidden && forbid_siblings() < 0))
		return 1;
	r = spawner_detach(&spawner, NULL);
	if (!is_forbidden)
		return r == 0 && spawner.is_detached && spawner.pid > 0 ? 0 : 2;
	return r == -ENOSYS && !spawner.is_detached && spawner.pid == 0 ? 0 : 3;
}

/* Return: the number that the claims about a PID 1 of a namespace came to */
static int ask_pid_1(bool is_forbidden)
{
	int status = 0;
	pid_t pid = unshare(CLONE_NEWPID) == 0 ? fork() : -1;

	if (pid == 0)
		_exit(detach_as_pid_1(is_forbidden));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 4;
	return WEXITSTATUS(status);
}

static void a_pid_1_detaches_only_where_siblings_can_be_made(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	for (int is_forbidden = 0; is_forbidden <= 1; is_forbidden++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(ask_pid_1(is_forbidden));
		assert_int_equal(exit_code(pid), 0);
	}
}

static void one_that_does_not_answer_is_killed(void **state)
{
	const struct timeval patience = { .tv_usec = 20000 };

	(void)state;
	assert_int_equal(spawner_detach(&spawner, NULL), 0);
	/* Five seconds would be long for a test. */
	assert_int_equal(
		setsockopt(spawner.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(spawner_start(&spawner, JOB_HANG, NULL, 0, NULL), -EPIPE);
	assert_int_equal(exit_code(spawner.pid), 128 + SIGKILL);
	spawner.pid = 0;
	assert_int_equal(start_code(0), -EPIPE);
}

static int open_shop(void **state)
{
	(void)state;
	mask_block_all();
	shop.kept_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	shop.other_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	spawner_init(&spawner, start, &shop);
	if (spawn_errors_open(&shop.errors, NULL) < 0)
		return -1;
	spawner_keep(&spawner, shop.errors.write_fd);
	return shop.kept_fd >= 0 && shop.other_fd >= 0 ? 0 : -1;
}

/* The spawner ends at the end of its line, or is reaped already. */
static int close_shop(void **state)
{
	(void)state;
	spawner_close(&spawner);
	if (spawner.pid > 0)
		(void)waitpid(spawner.pid, NULL, 0);
	spawn_errors_close(&shop.errors);
	(void)close(shop.kept_fd);
	(void)close(shop.other_fd);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_shop, close_shop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(before_it_is_detached_the_caller_starts_programs),
		TEST(what_the_spawner_starts_are_children_of_its_parent),
		TEST(functions_run_in_children_of_its_parent_too),
		TEST(programs_have_a_group_of_their_own_when_their_number_is_known),
		TEST(a_failed_fork_has_its_reason_and_the_next_one_may_work),
		TEST(it_keeps_no_descriptor_that_it_does_not_need),
		TEST(a_descriptor_that_is_named_again_takes_no_room),
		TEST(it_has_a_name_and_blocks_every_signal_that_its_parent_did),
		TEST(once_it_is_gone_it_is_gone_for_good),
		TEST(one_that_does_not_answer_is_killed),
		TEST(a_pid_1_detaches_only_where_siblings_can_be_made),
		TEST(too_much_for_a_program_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/exits.h"
#include "init/process/user.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(n, claim)           \
	do {                      \
		if (!(claim))     \
			return n; \
	} while (0)

static int choose(struct config *c, const char *user, struct err *e)
{
	char argument[40];
	char name[] = "true";
	char *argv[] = { argument, name, NULL };

	memset(c, 0, sizeof(*c));
	settings_init(&c->settings);
	(void)snprintf(argument, sizeof(argument), "--user=%s", user ? user : "65532");
	if (user && settings_read_args(&c->settings, SCOPE_INIT, 2, argv, NULL) < 0)
		return -EINVAL;
	return user_choose(c, e);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		(void)close(fd);
	return is_good ? 0 : -1;
}

static int write_map(pid_t pid, const char *name, const char *map)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return write_text(path, map);
}

/* A range can only be mapped from outside: by a child that stays there until we are inside. */
static int enter_namespace(const char *map)
{
	pid_t self = getpid();
	int status = -1;
	int fds[2];
	char byte;
	pid_t mapper;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	mapper = fork();
	if (mapper == 0)
		_exit(read(fds[0], &byte, 1) == 1 && write_map(self, "uid_map", map) == 0 &&
				      write_map(self, "gid_map", map) == 0
			      ? 0
			      : 1);
	if (unshare(CLONE_NEWUSER) < 0 || write(fds[1], "x", 1) != 1)
		return -1;
	(void)close(fds[0]);
	(void)close(fds[1]);
	return waitpid(mapper, &status, 0) == mapper && status == 0 ? 0 : -1;
}

/* A namespace is for good, so each test enters it in a child. */
static void in_child(int (*run)(void))
{
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int alone(void)
{
	struct config c;
	struct err e = { 0 };
	char why[200];

	CHECK(1, enter_namespace("0 0 1") == 0);
	CHECK(2, choose(&c, NULL, &e) == 0);
	CHECK(3, c.confine && c.is_user_unmapped && !c.may_change_user);
	CHECK(4, c.uid == 0 && c.gid == 0 && c.wanted_uid == 65532);
	user_explain_unmapped(c.wanted_uid, c.wanted_gid, why, sizeof(why));
	CHECK(5, strstr(why, "uid 65532 does not exist") && strstr(why, "has only: 0)"));
	return 0;
}

static int alone_and_told_otherwise(void)
{
	struct config c;
	struct err e = { 0 };

	CHECK(1, enter_namespace("0 0 1") == 0);
	CHECK(2, choose(&c, "12:34", &e) == -EINVAL && e.exit_code == EXITS_NO_PERMISSION);
	CHECK(3, strstr(e.msg, "uid 12 does not exist") && strstr(e.msg, "/proc/self/uid_map"));
	CHECK(4, choose(&c, "0:7", &e) < 0 && strstr(e.msg, "gid 7 does not exist"));
	CHECK(5, choose(&c, "0:0", &e) == 0 && !c.may_change_user && c.uid == 0);
	return 0;
}

static int with_the_usual_range(void)
{
	struct config c;

	CHECK(1, enter_namespace("0 0 65536") == 0);
	CHECK(2, choose(&c, NULL, NULL) == 0);
	CHECK(3, c.may_change_user && !c.is_user_unmapped && c.uid == 65532);
	CHECK(4, choose(&c, "65536", NULL) < 0);
	return 0;
}

static void a_user_that_is_not_mapped_cannot_be_had(void **state)
{
	(void)state;
	in_child(alone);
	in_child(alone_and_told_otherwise);
}

static void a_user_that_is_mapped_can_be_had(void **state)
{
	(void)state;
	in_child(with_the_usual_range);
}

static void a_plain_program_keeps_its_user_unless_told(void **state)
{
	struct config c = { .is_plain = true };

	(void)state;
	settings_init(&c.settings);
	assert_int_equal(user_choose(&c, NULL), 0);
	assert_false(c.confine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_that_is_not_mapped_cannot_be_had),
		cmocka_unit_test(a_user_that_is_mapped_can_be_had),
		cmocka_unit_test(a_plain_program_keeps_its_user_unless_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

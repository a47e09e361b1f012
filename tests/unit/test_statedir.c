/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/log.h"
#include "daemon/state/statedir.h"
#include "daemon/state/statelease.h"
#include "tests/unit/tempdir.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void a_directory_is_made_for_its_owner_alone(void **state)
{
	const struct tempdir *d = *state;
	char path[96];
	struct err e = { 0 };
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/new", d->path);
	assert_int_equal(statedir_open(path, false, &e), -ENOENT);
	assert_int_equal(e.exit_code, EXITS_IO);
	fd = statedir_open(path, true, &e);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/no/where", d->path);
	assert_int_equal(statedir_open(path, true, &e), -ENOENT);
	assert_int_equal(e.exit_code, EXITS_CANNOT_CREATE);
	tempdir_write(d, "file", "");
	(void)snprintf(path, sizeof(path), "%s/file", d->path);
	assert_int_equal(statedir_open(path, true, &e), -ENOTDIR);
}

static void a_lock_keeps_everybody_else_out_until_it_is_closed(void **state)
{
	const struct tempdir *d = *state;
	char holder[HOLDER_TEXT_SIZE];
	char host[80] = "";
	char mine[128];
	int first;
	int second;

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(mine, sizeof(mine), "%s, process %d, since 2", host, getpid());
	assert_false(statedir_holder(holder, d->fd, STATEDIR_DAEMON_LOCK));
	assert_int_equal(statedir_lock(&first, d->fd, STATEDIR_DAEMON_LOCK, 0, NULL), 0);
	assert_int_equal(statedir_lock(&second, d->fd, STATEDIR_DAEMON_LOCK, 30, NULL), -EAGAIN);
	assert_int_equal(second, -1);
	assert_true(statedir_holder(holder, d->fd, STATEDIR_DAEMON_LOCK));
	assert_memory_equal(holder, mine, strlen(mine));
	assert_false(statedir_holder(holder, d->fd, STATEDIR_INIT_LOCK));
	(void)close(first);
	assert_false(statedir_holder(holder, d->fd, STATEDIR_DAEMON_LOCK));
	assert_int_equal(statedir_lock(&second, d->fd, STATEDIR_DAEMON_LOCK, 0, NULL), 0);
	(void)close(second);
}

static void what_wgmesh_init_writes_of_a_holder_is_understood(void **state)
{
	const struct tempdir *d = *state;
	char holder[HOLDER_TEXT_SIZE];
	int fd;

	assert_int_equal(statedir_lock(&fd, d->fd, STATEDIR_INIT_LOCK, 0, NULL), 0);
	tempdir_write(
		d, STATEDIR_INIT_LOCK,
		"host=node-1\npid=1\ncontainer=0123456789abcdef\nsince=2026-01-01T00:00:00Z\n");
	assert_true(statedir_holder(holder, d->fd, STATEDIR_INIT_LOCK));
	assert_string_equal(holder, "node-1 (container 0123456789ab), process 1, since "
				    "2026-01-01T00:00:00Z");
	tempdir_write(d, STATEDIR_INIT_LOCK, "\nhost\n=\nnonsense");
	assert_true(statedir_holder(holder, d->fd, STATEDIR_INIT_LOCK));
	assert_string_equal(holder, "an unknown host, process ?, since an unknown time");
	tempdir_write(d, STATEDIR_INIT_LOCK, "host=a\x1b[31mb\npid=1\nsince=x\n");
	assert_true(statedir_holder(holder, d->fd, STATEDIR_INIT_LOCK));
	assert_string_equal(holder, "a?[31mb, process 1, since x");
	(void)close(fd);
}

static void what_is_no_plain_file_is_never_taken_for_a_lock(void **state)
{
	const struct tempdir *d = *state;
	char holder[HOLDER_TEXT_SIZE];
	int fd;

	tempdir_write(d, "elsewhere", "text");
	assert_int_equal(symlinkat("elsewhere", d->fd, STATEDIR_INIT_LOCK), 0);
	assert_int_equal(statedir_lock(&fd, d->fd, STATEDIR_INIT_LOCK, 0, NULL), -ELOOP);
	assert_false(statedir_holder(holder, d->fd, STATEDIR_INIT_LOCK));
	assert_int_equal(mkfifoat(d->fd, STATEDIR_DAEMON_LOCK, 0600), 0);
	assert_int_equal(statedir_lock(&fd, d->fd, STATEDIR_DAEMON_LOCK, 0, NULL), -EINVAL);
	assert_string_equal(tempdir_read(d, "elsewhere"), "text");
}

static void a_lock_with_a_second_name_is_taken_and_not_written_to(void **state)
{
	const struct tempdir *d = *state;
	int fd;

	tempdir_write(d, "elsewhere", "text");
	assert_int_equal(linkat(d->fd, "elsewhere", d->fd, STATEDIR_DAEMON_LOCK, 0), 0);
	assert_int_equal(statedir_lock(&fd, d->fd, STATEDIR_DAEMON_LOCK, 0, NULL), 0);
	assert_string_equal(tempdir_read(d, "elsewhere"), "text");
	(void)close(fd);
}

static uid_t owner_of(const struct tempdir *d, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_uid;
}

static void files_go_to_the_owner_of_the_directory_unless_they_have_another_name(void **state)
{
	const struct tempdir *d = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fchown(d->fd, 1234, 1234), 0);
	tempdir_write(d, "mine", "");
	tempdir_write(d, "linked", "");
	assert_int_equal(linkat(d->fd, "linked", d->fd, "second", 0), 0);
	assert_int_equal(symlinkat("mine", d->fd, "link"), 0);
	tempdir_write(d, "theirs", "");
	assert_int_equal(fchownat(d->fd, "theirs", 77, 77, 0), 0);
	statedir_give(d->fd, d->fd, "link");
	assert_int_equal(owner_of(d, "mine"), 0);
	statedir_give(d->fd, d->fd, "mine");
	statedir_give(d->fd, d->fd, "linked");
	statedir_give(d->fd, d->fd, "theirs");
	statedir_give(d->fd, d->fd, "missing");
	assert_int_equal(owner_of(d, "mine"), 1234);
	assert_int_equal(owner_of(d, "linked"), 0);
	assert_int_equal(owner_of(d, "theirs"), 77);
	assert_int_equal(owner_of(d, "link"), 0);
	assert_int_equal(fchown(d->fd, 0, 0), 0);
}

#define LEASE "version=1\nstate=%s\nholder=x\nbeat=%08u\nhost=node-2\npid=1\n"

static void write_lease(const struct tempdir *d, const char *name, const char *word, unsigned int n)
{
	char text[128];

	(void)snprintf(text, sizeof(text), LEASE, word, n);
	tempdir_write(d, name, text);
}

static void a_lease_that_nobody_has_is_none(void **state)
{
	const struct tempdir *d = *state;
	char holder[HOLDER_TEXT_SIZE];

	assert_int_equal(statelease_watch(holder, d->fd, 0), STATELEASE_NONE);
	write_lease(d, ".wgmesh.lease.9", "held", 1);
	write_lease(d, ".wgmesh.lease.10", "free", 1);
	write_lease(d, ".wgmesh.lease.x", "held", 1);
	assert_int_equal(statelease_watch(holder, d->fd, 0), STATELEASE_NONE);
}

static void a_holder_that_gives_no_sign_of_life_is_silent(void **state)
{
	const struct tempdir *d = *state;
	char holder[HOLDER_TEXT_SIZE];

	write_lease(d, ".wgmesh.lease.3", "held", 1);
	assert_int_equal(statelease_watch(holder, d->fd, 1), STATELEASE_SILENT);
	assert_non_null(strstr(holder, "node-2"));
}

__attribute__((noreturn)) static void beat_for_ever(const struct tempdir *d)
{
	unsigned int n = 0;

	for (;;)
		write_lease(d, ".wgmesh.lease.3", "held", ++n);
}

static void a_holder_that_beats_is_live(void **state)
{
	const struct tempdir *d = *state;
	char holder[HOLDER_TEXT_SIZE];
	pid_t pid;
	int r;

	write_lease(d, ".wgmesh.lease.3", "held", 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		beat_for_ever(d);
	r = statelease_watch(holder, d->fd, 10000);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(r, STATELEASE_LIVE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_directory_is_made_for_its_owner_alone),
		TEST(a_lock_keeps_everybody_else_out_until_it_is_closed),
		TEST(what_wgmesh_init_writes_of_a_holder_is_understood),
		TEST(what_is_no_plain_file_is_never_taken_for_a_lock),
		TEST(a_lock_with_a_second_name_is_taken_and_not_written_to),
		TEST(a_lease_that_nobody_has_is_none),
		TEST(a_holder_that_gives_no_sign_of_life_is_silent),
		TEST(a_holder_that_beats_is_live),
		TEST(files_go_to_the_owner_of_the_directory_unless_they_have_another_name),
	};

	if (log_init("test", LOG_FORMAT_TEXT, "error") < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

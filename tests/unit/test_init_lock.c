/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/exits.h"
#include "init/lock/lock.h"
#include "init/state/names.h"

#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void prepare(struct boot *b, const struct tempdir *d, char **program)
{
	boot_init(b);
	b->current = PHASE_LOCK;
	b->config.state_dir = d->path;
	b->config.program = program;
	b->state_fd = d->fd;
	b->fs_type = EXT4_SUPER_MAGIC;
}

static void the_first_one_gets_the_lock_and_the_second_does_not(void **state)
{
	struct tempdir *d = *state;
	int first = -1;
	int second = -1;

	assert_int_equal(lock_try(d->fd, 0, &first, NULL), 1);
	assert_int_equal(lock_try(d->fd, 0, &second, NULL), 0);
	(void)close(second);
	(void)close(first);
	assert_int_equal(lock_try(d->fd, 0, &first, NULL), 1);
	(void)close(first);
}

static void a_lock_file_that_is_a_link_is_refused(void **state)
{
	struct tempdir *d = *state;
	struct err e = { 0 };
	int fd = -1;

	assert_int_equal(symlinkat("victim", d->fd, NAMES_LOCK), 0);
	assert_int_equal(lock_try(d->fd, 0, &fd, &e), -ELOOP);
	assert_int_equal(e.exit_code, EXITS_CANNOT_CREATE);
	assert_false(tempdir_has(d, "victim"));
}

static void the_holder_is_named_in_the_file(void **state)
{
	struct tempdir *d = *state;
	struct holder h;
	struct boot b;
	struct err e = { 0 };
	char host[80] = "";

	prepare(&b, d, NULL);
	assert_int_equal(lock_acquire(&b, &e), OUTCOME_OK);
	(void)gethostname(host, sizeof(host) - 1);
	assert_true(lock_is_held(d->fd, &h));
	assert_string_equal(h.host, host);
	assert_int_equal(strtol(h.pid, NULL, 10), getpid());
	assert_int_equal(strlen(h.since), strlen("2026-01-01T00:00:00Z"));
	(void)close(b.dir_lock_fd);
	(void)close(b.lock_fd);
	assert_false(lock_is_held(d->fd, &h));
}

static void who_waits_in_vain_is_told_who_holds_it(void **state)
{
	struct tempdir *d = *state;
	char *program[] = { NULL };
	struct boot b;
	struct err e = { 0 };
	int fd = -1;

	assert_int_equal(lock_try(d->fd, 0, &fd, NULL), 1);
	assert_int_equal(io_write_full(fd, "host=elsewhere\npid=1\ncontainer=\nsince=then\n", 43),
			 0);
	prepare(&b, d, program);
	b.config.settings.v[SETTING_LOCK_TIMEOUT].number = 20;
	assert_true(lock_acquire(&b, &e) < 0);
	assert_int_equal(e.exit_code, EXITS_LOCKED);
	assert_non_null(strstr(e.msg, "elsewhere"));
	assert_non_null(strstr(e.msg, "since then"));
	assert_int_equal(b.lock_fd, -1);
	(void)close(fd);
}

/* Does somebody wait for a lock on this file? "1: -> OFDLCK ... 08:01:INODE 0 EOF" */
static bool is_waited_for(int fd)
{
	char line[256];
	char inode[32];
	struct stat st;
	bool found = false;
	FILE *f = fopen("/proc/locks", "re");

	assert_int_equal(fstat(fd, &st), 0);
	(void)snprintf(inode, sizeof(inode), ":%llu ", (unsigned long long)st.st_ino);
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "-> OFDLCK") && strstr(line, inode);
	if (f)
		(void)fclose(f);
	return found;
}

/* Holds the lock until somebody waits for it, and gives it up by ending. */
static void hold(const struct tempdir *d, int ready)
{
	int dirfd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int lock = -1;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (lock_try(dirfd, 0, &lock, NULL) != 1 || io_write_full(ready, "x", 1) < 0)
		_exit(1);
	while (!is_waited_for(lock))
		(void)sched_yield();
	_exit(0);
}

static void who_waits_gets_the_lock_when_it_becomes_free(void **state)
{
	struct tempdir *d = *state;
	char *program[] = { NULL };
	struct boot b;
	struct err e = { 0 };
	int ready[2];
	int other = -1;
	char c = 0;
	pid_t holder;

	assert_int_equal(pipe(ready), 0);
	holder = fork();
	if (holder == 0)
		hold(d, ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(lock_try(d->fd, 0, &other, NULL), 0);
	(void)close(other);
	prepare(&b, d, program);
	b.config.settings.v[SETTING_LOCK_TIMEOUT].number = 30000;
	assert_int_equal(lock_acquire(&b, &e), OUTCOME_OK);
	assert_int_equal(lock_try(d->fd, 0, &other, NULL), 0);
	(void)close(other);
	(void)close(b.dir_lock_fd);
	(void)close(b.lock_fd);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* Holds the lock; once somebody waits, exchanges the file for another one, and holds that one. */
static void hold_and_exchange(const struct tempdir *d, int ready)
{
	int dirfd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int first = -1;
	int second = -1;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (lock_try(dirfd, 0, &first, NULL) != 1 || io_write_full(ready, "x", 1) < 0)
		_exit(1);
	while (!is_waited_for(first))
		(void)sched_yield();
	if (unlinkat(dirfd, NAMES_LOCK, 0) < 0 || lock_try(dirfd, 0, &second, NULL) != 1)
		_exit(1);
	(void)close(first);
	while (!is_waited_for(second))
		(void)sched_yield();
	_exit(0);
}

static void a_lock_on_a_file_that_was_exchanged_meanwhile_is_worth_nothing(void **state)
{
	struct tempdir *d = *state;
	char *program[] = { NULL };
	struct boot b;
	struct err e = { 0 };
	struct stat ours;
	struct stat named;
	int ready[2];
	int status = -1;
	char c = 0;
	pid_t holder;

	assert_int_equal(pipe(ready), 0);
	holder = fork();
	if (holder == 0)
		hold_and_exchange(d, ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	prepare(&b, d, program);
	b.config.settings.v[SETTING_LOCK_TIMEOUT].number = 30000;
	assert_int_equal(lock_acquire(&b, &e), OUTCOME_OK);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(status, 0);
	assert_int_equal(fstat(b.lock_fd, &ours), 0);
	assert_int_equal(fstatat(d->fd, NAMES_LOCK, &named, 0), 0);
	assert_int_equal(ours.st_ino, named.st_ino);
	(void)close(b.dir_lock_fd);
	(void)close(b.lock_fd);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void a_lock_file_that_was_removed_does_not_free_the_directory(void **state)
{
	struct tempdir *d = *state;
	char *program[] = { NULL };
	struct boot first;
	struct boot second;
	struct err e = { 0 };

	prepare(&first, d, program);
	assert_int_equal(lock_acquire(&first, &e), OUTCOME_OK);
	assert_int_equal(unlinkat(d->fd, NAMES_LOCK, 0), 0);
	prepare(&second, d, program);
	second.config.settings.v[SETTING_LOCK_TIMEOUT].number = 20;
	assert_true(lock_acquire(&second, &e) < 0);
	assert_int_equal(e.exit_code, EXITS_LOCKED);
	assert_non_null(strstr(e.msg, NAMES_LOCK " was removed"));
	assert_int_equal(second.lock_fd, -1);
	/* Who waited in vain was killed, and may not be dead yet. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	(void)close(first.dir_lock_fd);
	(void)close(first.lock_fd);
	prepare(&second, d, program);
	assert_int_equal(lock_acquire(&second, &e), OUTCOME_OK);
	(void)close(second.dir_lock_fd);
	(void)close(second.lock_fd);
}

static void reads_a_holder_that_is_cut_anywhere(void **state)
{
	static const char text[] = "host=a\npid=7\ncontainer=c\nsince=then\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char *cut = strndup(text, n);
		struct holder h;

		holder_parse(cut, &h);
		assert_true(strlen(h.host) <= 1 && strlen(h.since) <= 4);
		free(cut);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_one_gets_the_lock_and_the_second_does_not),
		TEST(a_lock_file_that_is_a_link_is_refused),
		TEST(the_holder_is_named_in_the_file),
		TEST(who_waits_in_vain_is_told_who_holds_it),
		TEST(who_waits_gets_the_lock_when_it_becomes_free),
		TEST(a_lock_on_a_file_that_was_exchanged_meanwhile_is_worth_nothing),
		TEST(a_lock_file_that_was_removed_does_not_free_the_directory),
		TEST(reads_a_holder_that_is_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/exits.h"
#include "init/process/child.h"
#include "init/state/names.h"
#include "init/volume/writability.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_dir(struct probe *p, const char *base, const char *rest)
{
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->dir, sizeof(p->dir), "%s%s", base, rest);
}

static void a_writable_directory_passes_and_is_left_clean(void **state)
{
	struct tempdir *d = *state;
	struct probe p;

	set_dir(&p, d->path, "");
	writability_probe(&p);
	assert_int_equal(p.error, 0);
	assert_true(p.free_bytes > 0);
	assert_false(tempdir_has(d, NAMES_PROBE));
	assert_false(tempdir_has(d, NAMES_PROBE ".renamed"));
}

/* The directory's times change with every entry that is made in it, even for a moment. */
static void a_dry_test_leaves_the_directory_as_it_is(void **state)
{
	struct tempdir *d = *state;
	struct stat before;
	struct stat after;
	struct probe p;

	tempdir_write(d, NAMES_PROBE, "old");
	assert_int_equal(fstat(d->fd, &before), 0);
	set_dir(&p, d->path, "");
	p.is_dry = true;
	writability_probe(&p);
	assert_int_equal(p.error, 0);
	assert_true(p.free_bytes > 0);
	assert_int_equal(fstat(d->fd, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_true(tempdir_has(d, NAMES_PROBE));
}

static void a_dry_test_of_a_missing_directory_says_so(void **state)
{
	struct tempdir *d = *state;
	struct probe p;

	set_dir(&p, d->path, "/a");
	p.is_dry = true;
	writability_probe(&p);
	assert_int_equal(p.error, -ENOENT);
	assert_false(tempdir_has(d, "a"));
}

static void a_dry_test_without_unnamed_files_looks_at_the_rights(void **state)
{
	struct probe p;

	(void)state;
	set_dir(&p, "/proc/self", "");
	p.is_dry = true;
	writability_probe(&p);
	/* procfs knows no such files, and root may do anything there as far as rights go. */
	assert_false(p.was_written);
}

static void what_a_killed_probe_left_is_no_obstacle(void **state)
{
	struct tempdir *d = *state;
	struct probe p;

	tempdir_write(d, NAMES_PROBE, "old");
	tempdir_write(d, NAMES_PROBE ".renamed", "old");
	set_dir(&p, d->path, "");
	writability_probe(&p);
	assert_int_equal(p.error, 0);
	assert_false(tempdir_has(d, NAMES_PROBE));
}

static void probe_often(void *data)
{
	struct probe *p = data;

	for (int i = 0; i < 50 && p->error == 0; i++)
		writability_probe(p);
}

static void run_probes(void *data)
{
	struct probe *both = data;
	pid_t pid = fork();
	int status = 0;

	probe_often(&both[pid == 0 ? 0 : 1]);
	if (pid == 0)
		_exit(both[0].error == 0 ? 0 : 1);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		both[0].error = -EIO;
}

static void two_that_start_at_once_do_not_take_each_other_for_failing_storage(void **state)
{
	struct tempdir *d = *state;
	struct probe both[2];

	set_dir(&both[0], d->path, "");
	set_dir(&both[1], d->path, "");
	assert_int_equal(child_run(run_probes, both, sizeof(both), CHILD_NO_LIMIT), 0);
	assert_int_equal(both[0].error, 0);
	assert_int_equal(both[1].error, 0);
}

static void a_missing_directory_is_made_private(void **state)
{
	struct tempdir *d = *state;
	struct probe p;
	struct stat st;

	set_dir(&p, d->path, "/a/b");
	writability_probe(&p);
	assert_int_equal(p.error, -ENOENT);
	p.create = true;
	writability_probe(&p);
	assert_int_equal(p.error, 0);
	assert_int_equal(fstatat(d->fd, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_file_in_place_of_the_directory_is_reported(void **state)
{
	struct tempdir *d = *state;
	struct err e = { 0 };
	struct probe p;

	tempdir_write(d, "file", "");
	set_dir(&p, d->path, "/file");
	writability_probe(&p);
	assert_int_equal(p.error, -ENOTDIR);
	assert_true(writability_judge(&p, &e) < 0);
	assert_int_equal(e.exit_code, EXITS_CANNOT_CREATE);
}

static void each_failure_has_its_exit_code(void **state)
{
	static const struct {
		int error;
		int exit_code;
	} table[] = {
		{ -EROFS, EXITS_CANNOT_CREATE },
		{ -ENOSPC, EXITS_IO },
		{ -EDQUOT, EXITS_IO },
		{ -ENOENT, EXITS_CANNOT_CREATE },
		{ -EIO, EXITS_IO },
		{ -ESTALE, EXITS_IO },
		{ -EACCES, EXITS_NO_PERMISSION },
		{ -EPERM, EXITS_NO_PERMISSION },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct probe p = { .dir = "/x", .step = "do it", .error = table[i].error };
		struct err e = { 0 };

		assert_int_equal(writability_judge(&p, &e), table[i].error);
		assert_int_equal(e.exit_code, table[i].exit_code);
		assert_non_null(strstr(e.msg, "/x"));
	}
}

static void nearly_full_is_full(void **state)
{
	struct probe p = { .free_bytes = WRITABILITY_MIN_BYTES,
			   .free_inodes = WRITABILITY_MIN_INODES };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(writability_judge(&p, &e), 0);
	p.free_bytes--;
	assert_int_equal(writability_judge(&p, &e), -ENOSPC);
	assert_int_equal(e.exit_code, EXITS_IO);
	p.free_bytes++;
	p.free_inodes--;
	assert_int_equal(writability_judge(&p, &e), -ENOSPC);
	p.free_inodes = UINT64_MAX;
	assert_int_equal(writability_judge(&p, &e), 0);
}

static void hang(void *data)
{
	(void)data;
	for (;;)
		(void)pause();
}

static void crash(void *data)
{
	(void)data;
	_exit(3);
}

static void answer(void *data)
{
	*(int *)data = 42;
}

static void storage_that_hangs_does_not_hang_us(void **state)
{
	int n = 1;

	(void)state;
	assert_int_equal(child_run(hang, &n, sizeof(n), 10), -ETIMEDOUT);
	assert_int_equal(child_run(crash, &n, sizeof(n), CHILD_NO_LIMIT), -EIO);
	assert_int_equal(n, 1);
	assert_int_equal(child_run(answer, &n, sizeof(n), CHILD_NO_LIMIT), 0);
	assert_int_equal(n, 42);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_writable_directory_passes_and_is_left_clean),
		TEST(a_dry_test_leaves_the_directory_as_it_is),
		TEST(a_dry_test_of_a_missing_directory_says_so),
		TEST(a_dry_test_without_unnamed_files_looks_at_the_rights),
		TEST(what_a_killed_probe_left_is_no_obstacle),
		TEST(two_that_start_at_once_do_not_take_each_other_for_failing_storage),
		TEST(a_missing_directory_is_made_private),
		TEST(a_file_in_place_of_the_directory_is_reported),
		TEST(each_failure_has_its_exit_code),
		TEST(nearly_full_is_full),
		TEST(storage_that_hangs_does_not_hang_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/newfile.h"
#include "tests/unit/tempdir.h"

#include <dirent.h>
#include <errno.h>

static int write_in(const struct tempdir *d, const char *name, struct err *e)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", d->path, name);
	*e = (struct err) { 0 };
	return newfile_write(path, "new", 3, e);
}

static size_t count_entries(const struct tempdir *d)
{
	DIR *dir = opendir(d->path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n - 2;
}

static void a_new_file_is_whole_and_readable_by_nobody_else(void **state)
{
	const struct tempdir *d = *state;
	struct err e;
	struct stat st;

	assert_int_equal(write_in(d, "a", &e), 0);
	assert_string_equal(tempdir_read(d, "a"), "new");
	assert_int_equal(fstatat(d->fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(write_in(d, ".hidden", &e), 0);
	assert_int_equal(count_entries(d), 2);
}

static void what_is_there_is_never_overwritten(void **state)
{
	const struct tempdir *d = *state;
	struct err e;

	tempdir_write(d, "file", "old");
	assert_int_equal(symlinkat("nowhere", d->fd, "link"), 0);
	assert_int_equal(write_in(d, "file", &e), -EEXIST);
	assert_int_equal(e.exit_code, EXITS_CANNOT_CREATE);
	assert_int_equal(write_in(d, "link", &e), -EEXIST);
	assert_string_equal(tempdir_read(d, "file"), "old");
	assert_false(tempdir_has(d, "nowhere"));
	assert_int_equal(count_entries(d), 2);
}

static void a_temporary_that_somebody_has_prepared_is_not_written_through(void **state)
{
	const struct tempdir *d = *state;
	char temp[64];
	struct err e;

	(void)snprintf(temp, sizeof(temp), ".file.%d.new", getpid());
	tempdir_write(d, temp, "theirs");
	assert_int_equal(write_in(d, "file", &e), -EEXIST);
	assert_string_equal(tempdir_read(d, temp), "theirs");
	assert_false(tempdir_has(d, "file"));
}

static void what_is_no_name_of_a_file_is_refused(void **state)
{
	const struct tempdir *d = *state;
	char longest[300];
	struct err e;

	assert_int_equal(write_in(d, "", &e), -EINVAL);
	assert_int_equal(e.exit_code, EXITS_USAGE);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(write_in(d, longest, &e), -EINVAL);
	assert_int_equal(write_in(d, "no/file", &e), -ENOENT);
	assert_int_equal(e.exit_code, EXITS_CANNOT_CREATE);
	assert_int_equal(count_entries(d), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_is_whole_and_readable_by_nobody_else),
		TEST(what_is_there_is_never_overwritten),
		TEST(a_temporary_that_somebody_has_prepared_is_not_written_through),
		TEST(what_is_no_name_of_a_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

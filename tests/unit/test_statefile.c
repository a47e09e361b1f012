/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "common/statefile.h"

#include <errno.h>

static void replaces_a_file_whole_and_privately(void **state)
{
	struct tempdir *d = *state;
	struct stat st;

	tempdir_write(d, "a.json", "a much longer text than the new one");
	assert_int_equal(statefile_replace(d->fd, "a.json", "new", 3, NULL), 0);
	assert_string_equal(tempdir_read(d, "a.json"), "new");
	assert_false(tempdir_has(d, ".a.json.new"));
	assert_int_equal(fstatat(d->fd, "a.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void creates_but_never_over_an_existing_file(void **state)
{
	struct tempdir *d = *state;
	struct err e = { 0 };

	assert_int_equal(statefile_create(d->fd, "a", "one", 3, &e), 0);
	assert_int_equal(statefile_create(d->fd, "a", "two", 3, &e), -EEXIST);
	assert_string_equal(tempdir_read(d, "a"), "one");
	assert_false(tempdir_has(d, ".a.new"));
}

static void refuses_names_that_leave_the_directory(void **state)
{
	static const char *const wrong[] = { "",       ".",    "..",	      "a/b",
					     ".a.new", ".new", "/etc/passwd", ".a/b" };
	struct tempdir *d = *state;
	char out[64];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(statefile_replace(d->fd, wrong[i], "x", 1, NULL), -EINVAL);
		assert_int_equal(statefile_sibling(out, sizeof(out), wrong[i]), -EINVAL);
	}
	assert_int_equal(statefile_sibling(out, sizeof(out), "a.json"), 0);
	assert_string_equal(out, ".a.json.new");
	assert_int_equal(statefile_sibling(out, 11, "a.json"), -ENAMETOOLONG);
	assert_int_equal(statefile_sibling(out, sizeof(out), ".hidden"), 0);
	assert_string_equal(out, ".hidden.new");
}

static void does_not_write_through_a_planted_link(void **state)
{
	struct tempdir *d = *state;

	tempdir_write(d, "victim", "precious");
	assert_int_equal(symlinkat("victim", d->fd, ".a.new"), 0);
	assert_int_equal(statefile_replace(d->fd, "a", "x", 1, NULL), 0);
	assert_string_equal(tempdir_read(d, "a"), "x");
	assert_int_equal(linkat(d->fd, "victim", d->fd, ".a.new", 0), 0);
	assert_int_equal(statefile_replace(d->fd, "a", "y", 1, NULL), 0);
	assert_string_equal(tempdir_read(d, "a"), "y");
	assert_string_equal(tempdir_read(d, "victim"), "precious");
}

static void does_not_wait_for_a_planted_fifo(void **state)
{
	struct tempdir *d = *state;

	assert_int_equal(mkfifoat(d->fd, ".a.new", 0600), 0);
	assert_int_equal(statefile_replace(d->fd, "a", "x", 1, NULL), 0);
	assert_string_equal(tempdir_read(d, "a"), "x");
	assert_int_equal(mkdirat(d->fd, ".a.new", 0700), 0);
	assert_int_equal(statefile_replace(d->fd, "a", "y", 1, NULL), -EEXIST);
	assert_string_equal(tempdir_read(d, "a"), "x");
}

static void reads_regular_files_up_to_the_buffer(void **state)
{
	struct tempdir *d = *state;
	char buf[5];

	tempdir_write(d, "a", "four");
	assert_int_equal(statefile_read(d->fd, "a", buf, sizeof(buf), NULL), 4);
	assert_string_equal(buf, "four");
	tempdir_write(d, "a", "fives");
	assert_int_equal(statefile_read(d->fd, "a", buf, sizeof(buf), NULL), -EFBIG);
	assert_int_equal(statefile_read(d->fd, "none", buf, sizeof(buf), NULL), -ENOENT);
}

static void reads_no_links_fifos_or_directories(void **state)
{
	struct tempdir *d = *state;
	char buf[8];

	tempdir_write(d, "a", "x");
	assert_int_equal(symlinkat("a", d->fd, "link"), 0);
	assert_int_equal(mkfifoat(d->fd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	assert_int_equal(statefile_read(d->fd, "link", buf, sizeof(buf), NULL), -ELOOP);
	assert_int_equal(statefile_read(d->fd, "fifo", buf, sizeof(buf), NULL), -EINVAL);
	assert_int_equal(statefile_read(d->fd, "dir", buf, sizeof(buf), NULL), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replaces_a_file_whole_and_privately),
		TEST(creates_but_never_over_an_existing_file),
		TEST(refuses_names_that_leave_the_directory),
		TEST(does_not_write_through_a_planted_link),
		TEST(does_not_wait_for_a_planted_fifo),
		TEST(reads_regular_files_up_to_the_buffer),
		TEST(reads_no_links_fifos_or_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

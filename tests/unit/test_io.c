/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include <errno.h>

static void reads_exactly_what_fits(void **state)
{
	struct tempdir *d = *state;
	char buf[8];
	int fd;

	tempdir_write(d, "a", "12345678");
	fd = openat(d->fd, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_read_bounded(fd, buf, 8), 8);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(io_read_bounded(fd, buf, 7), -EFBIG);
	(void)close(fd);
	assert_int_equal(io_read_bounded(fd, buf, 8), -EBADF);
	assert_int_equal(io_write_full(fd, buf, 8), -EBADF);
}

static void opens_only_what_lies_beneath(void **state)
{
	struct tempdir *d = *state;
	int fd;

	assert_int_equal(mkdirat(d->fd, "sub", 0700), 0);
	tempdir_write(d, "sub/file", "x");
	assert_int_equal(symlinkat("sub/file", d->fd, "link"), 0);
	assert_int_equal(symlinkat("sub", d->fd, "dirlink"), 0);
	fd = io_open_beneath(d->fd, "sub/file", O_RDONLY, 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	(void)close(fd);
	assert_int_equal(io_open_beneath(d->fd, "link", O_RDONLY, 0), -ELOOP);
	assert_int_equal(io_open_beneath(d->fd, "dirlink/file", O_RDONLY, 0), -ELOOP);
	assert_int_equal(io_open_beneath(d->fd, "..", O_RDONLY, 0), -EXDEV);
	assert_int_equal(io_open_beneath(d->fd, "sub/../../x", O_RDONLY, 0), -EXDEV);
	assert_int_equal(io_open_beneath(d->fd, "/etc/passwd", O_RDONLY, 0), -EXDEV);
	assert_int_equal(io_open_beneath(d->fd, "none", O_RDONLY, 0), -ENOENT);
}

static void creates_with_the_mode_it_is_given(void **state)
{
	struct tempdir *d = *state;
	struct stat st;
	int fd = io_open_beneath(d->fd, "a", O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

static void a_rename_never_goes_over_an_existing_name(void **state)
{
	struct tempdir *d = *state;

	tempdir_write(d, "new", "new");
	tempdir_write(d, "old", "old");
	assert_int_equal(io_rename_new(d->fd, "new", "old"), -EEXIST);
	assert_string_equal(tempdir_read(d, "old"), "old");
	assert_int_equal(io_rename_new(d->fd, "new", "other"), 0);
	assert_string_equal(tempdir_read(d, "other"), "new");
	assert_false(tempdir_has(d, "new"));
	assert_int_equal(io_rename_new(d->fd, "absent", "x"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_exactly_what_fits),
		TEST(opens_only_what_lies_beneath),
		TEST(creates_with_the_mode_it_is_given),
		TEST(a_rename_never_goes_over_an_existing_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

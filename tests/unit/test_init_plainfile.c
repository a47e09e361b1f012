/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "init/state/plainfile.h"

#include <errno.h>
#include <sys/sysmacros.h>

static int look(const struct tempdir *d, const char *name, struct err *e)
{
	struct stat st;
	int fd = plainfile_look(d->fd, name, &st, e);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 ? fd : 0;
}

static void opens_a_plain_file_and_says_what_it_is(void **state)
{
	const struct tempdir *d = *state;
	struct stat st;
	char text[8] = "";
	int fd;

	tempdir_write(d, "a", "text");
	fd = plainfile_open(d->fd, "a", &st, NULL);
	assert_true(fd >= 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(io_read_bounded(fd, text, sizeof(text)), 4);
	assert_string_equal(text, "text");
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	(void)close(fd);
}

static void says_what_it_is_instead(void **state)
{
	const struct tempdir *d = *state;
	struct err e;

	tempdir_write(d, "two", "x");
	assert_int_equal(linkat(d->fd, "two", d->fd, "names", 0), 0);
	assert_int_equal(symlinkat("two", d->fd, "link"), 0);
	assert_int_equal(mkfifoat(d->fd, "fifo\n", 0600), 0);
	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	assert_int_equal(look(d, "two", &e), -EMLINK);
	assert_string_equal(e.msg, "two has a second name (hard link)");
	assert_int_equal(look(d, "link", &e), -ELOOP);
	assert_string_equal(e.msg, "link is a symbolic link");
	assert_int_equal(look(d, "fifo\n", &e), -EINVAL);
	assert_string_equal(e.msg, "fifo\\x0a is not a regular file");
	assert_int_equal(look(d, "dir", &e), -EINVAL);
	assert_int_equal(look(d, "none", &e), -ENOENT);
	assert_int_equal(look(d, "../etc", &e), -EXDEV);
}

/* Opening this device fails with ENXIO: any other answer means that nobody tried. */
static void a_device_is_looked_at_and_not_opened(void **state)
{
	const struct tempdir *d = *state;
	struct stat st;

	if (mknodat(d->fd, "device", S_IFCHR | 0600, makedev(4095, 0)) < 0)
		skip();
	assert_int_equal(plainfile_open(d->fd, "device", &st, NULL), -EINVAL);
}

/*
 * A second name of a file elsewhere, which is removed as soon as it was opened: one link remains, and
 * it is not here.
 */
static void a_file_elsewhere_is_not_taken_for_one_of_ours(void **state)
{
	const struct tempdir *d = *state;
	struct stat st;
	int fd;

	assert_int_equal(mkdirat(d->fd, "elsewhere", 0700), 0);
	assert_int_equal(mkdirat(d->fd, "here", 0700), 0);
	tempdir_write(d, "elsewhere/victim", "precious");
	assert_int_equal(linkat(d->fd, "elsewhere/victim", d->fd, "here/a", 0), 0);
	fd = openat(d->fd, "here/a", O_PATH | O_CLOEXEC);
	assert_int_equal(unlinkat(d->fd, "here/a", 0), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(plainfile_judge(fd, d->fd, "here/a", &st, NULL), -ESTALE);
	/* Nor when the name is there again: it is another one now. */
	assert_int_equal(linkat(d->fd, "elsewhere/victim", d->fd, "here/a", 0), 0);
	assert_int_equal(plainfile_judge(fd, d->fd, "here/a", &st, NULL), -EMLINK);
	assert_int_equal(unlinkat(d->fd, "elsewhere/victim", 0), 0);
	assert_int_equal(plainfile_judge(fd, d->fd, "here/a", &st, NULL), -ESTALE);
	(void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_a_plain_file_and_says_what_it_is),
		TEST(says_what_it_is_instead),
		TEST(a_device_is_looked_at_and_not_opened),
		TEST(a_file_elsewhere_is_not_taken_for_one_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

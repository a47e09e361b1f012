/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

static void makes_a_file_anew_whatever_had_its_name(void **state)
{
	struct tempdir *d = *state;
	int fd;

	tempdir_write(d, "victim", "precious");
	assert_int_equal(linkat(d->fd, "victim", d->fd, "a", 0), 0);
	fd = io_create_anew(d->fd, "a", O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, "new", 3), 0);
	(void)close(fd);
	assert_string_equal(tempdir_read(d, "victim"), "precious");
	assert_string_equal(tempdir_read(d, "a"), "new");
	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	assert_int_equal(io_create_anew(d->fd, "dir", O_WRONLY, 0600), -EEXIST);
}

/* As under an engine that is older than the call. */
static int forbid_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0;
}

/* Return: 0, or the number of the claim that is not true */
static int open_without_openat2(const struct tempdir *d)
{
	int dirfd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 1;
	dirfd = open(d->path, O_RDONLY | O_DIRECTORY);
	if (chdir(d->path) < 0 || mount("elsewhere", "mounted", NULL, MS_BIND, NULL) < 0)
		return 2;
	if (forbid_openat2() != 0)
		return 3;
	if (io_open_beneath(dirfd, "mounted", O_RDONLY, 0) != -EXDEV)
		return 4;
	if (io_open_beneath(dirfd, "mounted", O_PATH, 0) != -EXDEV)
		return 5;
	if (io_open_beneath(dirfd, "link", O_RDONLY, 0) != -ELOOP)
		return 6;
	if (io_open_beneath(dirfd, "sub/file", O_RDONLY, 0) >= 0)
		return 7;
	return io_open_beneath(dirfd, "plain", O_RDONLY, 0) >= 0 ? 0 : 8;
}

static void crosses_no_mount_where_openat2_is_hidden(void **state)
{
	struct tempdir *d = *state;
	int status = 0;
	pid_t pid;

	tempdir_write(d, "plain", "x");
	tempdir_write(d, "mounted", "x");
	tempdir_write(d, "elsewhere", "x");
	assert_int_equal(symlinkat("plain", d->fd, "link"), 0);
	pid = fork();
	if (pid == 0)
		_exit(open_without_openat2(d));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_exactly_what_fits),
		TEST(opens_only_what_lies_beneath),
		TEST(creates_with_the_mode_it_is_given),
		TEST(a_rename_never_goes_over_an_existing_name),
		TEST(makes_a_file_anew_whatever_had_its_name),
		TEST(crosses_no_mount_where_openat2_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

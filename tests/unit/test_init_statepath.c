/* SPDX-License-Identifier: MIT */
#include "tests/unit/tempdir.h"

#include "init/volume/statepath.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mount.h>

static int open_in(const struct tempdir *d, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", d->path, name);
	return statepath_open(path, O_RDONLY);
}

static bool leads_to_at(const struct tempdir *d, const char *name, int at, const char *where)
{
	int fd = open_in(d, name);
	struct stat is;
	struct stat wanted;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &is), 0);
	assert_int_equal(fstatat(at, where, &wanted, 0), 0);
	assert_int_equal(close(fd), 0);
	return is.st_ino == wanted.st_ino && is.st_dev == wanted.st_dev;
}

static bool leads_to(const struct tempdir *d, const char *name, const char *where)
{
	return leads_to_at(d, name, d->fd, where);
}

static void a_path_is_walked_as_the_kernel_does(void **state)
{
	struct tempdir *d = *state;

	assert_int_equal(mkdirat(d->fd, "a", 0700), 0);
	assert_int_equal(mkdirat(d->fd, "a/b", 0700), 0);
	assert_true(leads_to(d, "a/b", "a/b"));
	assert_true(leads_to(d, "a//./b/", "a/b"));
	assert_true(leads_to(d, "a/b/..", "a"));
	assert_int_equal(open_in(d, "a/none"), -ENOENT);
	assert_int_equal(open_in(d, "none/b"), -ENOENT);
	tempdir_write(d, "file", "");
	assert_int_equal(open_in(d, "file"), -ENOTDIR);
	assert_int_equal(open_in(d, "file/b"), -ENOTDIR);
}

static void what_may_not_be_searched_can_still_be_named(void **state)
{
	struct tempdir *d = *state;
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/closed", d->path);
	assert_int_equal(fchmod(d->fd, 0755), 0);
	assert_int_equal(mkdirat(d->fd, "closed", 0), 0);
	(void)setfsuid(65532);
	fd = statepath_open(path, O_PATH);
	assert_int_equal(statepath_open(path, O_RDONLY), -EACCES);
	(void)setfsuid(geteuid());
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	tempdir_write(d, "file", "");
	(void)snprintf(path, sizeof(path), "%s/file", d->path);
	assert_int_equal(statepath_open(path, O_PATH), -ENOTDIR);
}

static void a_name_that_is_too_long_is_not_cut_to_another(void **state)
{
	struct tempdir *d = *state;
	char name[NAME_MAX + 2];

	memset(name, 'x', NAME_MAX + 1);
	name[NAME_MAX + 1] = '\0';
	name[NAME_MAX] = '\0';
	assert_int_equal(mkdirat(d->fd, name, 0700), 0);
	assert_true(leads_to(d, name, name));
	name[NAME_MAX] = 'x';
	assert_int_equal(open_in(d, name), -ENAMETOOLONG);
}

/* All of it on one mount, whichever that is. */
static void links_on_one_mount_are_followed(void **state)
{
	struct tempdir *d = *state;

	assert_int_equal(mkdirat(d->fd, "a", 0700), 0);
	assert_int_equal(mkdirat(d->fd, "a/b", 0700), 0);
	assert_int_equal(symlinkat("a", d->fd, "relative"), 0);
	assert_int_equal(symlinkat("../relative/b", d->fd, "a/up"), 0);
	assert_int_equal(symlinkat("none", d->fd, "dangling"), 0);
	assert_int_equal(symlinkat("loop", d->fd, "loop"), 0);
	assert_true(leads_to(d, "relative/b", "a/b"));
	assert_true(leads_to(d, "a/up", "a/b"));
	assert_int_equal(open_in(d, "dangling"), -ENOENT);
	assert_int_equal(open_in(d, "loop"), -ELOOP);
}

static void a_link_that_leads_out_of_its_volume_is_refused(void **state)
{
	struct tempdir *d = *state;
	char volume[PATH_MAX];
	int at;

	(void)snprintf(volume, sizeof(volume), "%s/volume", d->path);
	assert_int_equal(mkdirat(d->fd, "outside", 0700), 0);
	assert_int_equal(mkdirat(d->fd, "volume", 0700), 0);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", volume, "tmpfs", 0, NULL) < 0)
		skip();
	/* The one of the test is in the namespace that was left. */
	at = open(volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(at >= 0);
	assert_int_equal(mkdirat(at, "inner", 0700), 0);
	assert_int_equal(symlinkat("../outside", at, "out"), 0);
	assert_int_equal(symlinkat("../none", at, "dangling"), 0);
	assert_int_equal(symlinkat("/etc", at, "far"), 0);
	assert_int_equal(symlinkat("inner", at, "within"), 0);
	assert_int_equal(symlinkat("../volume/inner", at, "and-back"), 0);
	assert_int_equal(open_in(d, "volume/out"), -EXDEV);
	assert_int_equal(open_in(d, "volume/dangling"), -EXDEV);
	assert_int_equal(open_in(d, "volume/far"), -EXDEV);
	assert_int_equal(open_in(d, "volume/far/none"), -EXDEV);
	assert_true(leads_to_at(d, "volume/within", at, "inner"));
	assert_true(leads_to_at(d, "volume/and-back", at, "inner"));
	assert_int_equal(close(at), 0);
	assert_int_equal(umount2(volume, MNT_DETACH), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tempdir_set_up, tempdir_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_walked_as_the_kernel_does),
		TEST(what_may_not_be_searched_can_still_be_named),
		TEST(a_name_that_is_too_long_is_not_cut_to_another),
		TEST(links_on_one_mount_are_followed),
		TEST(a_link_that_leads_out_of_its_volume_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

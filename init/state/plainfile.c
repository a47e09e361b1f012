/* SPDX-License-Identifier: MIT */
#include "init/state/plainfile.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * DOC: Theory of operation
 *
 * A count of one link proves nothing by itself. Somebody may give a file elsewhere a second name in
 * our directory, let us open it by that name, and remove the name again: then the descriptor is that
 * of the file elsewhere, and its one link is the one elsewhere. So the count is taken first, and then
 * the kernel is asked whether the name that the file was opened by has been removed since (/proc shows
 * it as deleted, for good). If not, it existed when the links were counted, and was the one.
 */

#define VISIBLE_SIZE 128
#define PROC_FD_SIZE 40

static void proc_path(char out[static PROC_FD_SIZE], int fd)
{
	(void)snprintf(out, PROC_FD_SIZE, "/proc/self/fd/%d", fd);
}

static bool ends_with(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len >= n && memcmp(text + len - n, suffix, n) == 0;
}

/* Without /proc, the name is looked up again: it may have been removed and made in between. */
static bool is_same_name(int dirfd, const char *name, const struct stat *st)
{
	struct stat now;

	return fstatat(dirfd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == st->st_dev &&
	       now.st_ino == st->st_ino && now.st_nlink == st->st_nlink;
}

static bool has_its_name(int fd, int dirfd, const char *name, const struct stat *st)
{
	char proc[PROC_FD_SIZE];
	char path[PATH_MAX];
	ssize_t n;

	proc_path(proc, fd);
	n = readlink(proc, path, sizeof(path));
	if (n < 0 || (size_t)n == sizeof(path))
		return is_same_name(dirfd, name, st);
	return !ends_with(path, (size_t)n, " (deleted)");
}

int plainfile_judge(int fd, int dirfd, const char *name, struct stat *st, struct err *e)
{
	char visible[VISIBLE_SIZE];

	(void)str_visible(visible, sizeof(visible), name);
	if (fstat(fd, st) < 0)
		return err_set(e, -errno, "%s cannot be looked at", visible);
	if (S_ISLNK(st->st_mode))
		return err_set(e, -ELOOP, "%s is a symbolic link", visible);
	if (!S_ISREG(st->st_mode))
		return err_set(e, -EINVAL, "%s is not a regular file", visible);
	if (st->st_nlink > 1)
		return err_set(e, -EMLINK, "%s has a second name (hard link)", visible);
	if (st->st_nlink < 1 || !has_its_name(fd, dirfd, name, st))
		return err_set(e, -ESTALE, "%s was removed while it was looked at", visible);
	return 0;
}

int plainfile_look(int dirfd, const char *name, struct stat *st, struct err *e)
{
	auto_close int fd = io_open_beneath(dirfd, name, O_PATH, 0);
	char visible[VISIBLE_SIZE];
	int r;

	(void)str_visible(visible, sizeof(visible), name);
	if (fd == -EXDEV)
		return err_set(e, fd, "%s is a mount of its own", visible);
	if (fd == -ELOOP)
		return err_set(e, fd, "%s is a symbolic link", visible);
	if (fd < 0)
		return err_set(e, fd, "%s cannot be opened: %s", visible, strerror(-fd));
	r = plainfile_judge(fd, dirfd, name, st, e);
	return r < 0 ? r : steal_fd(&fd);
}

/* The very file that was looked at, whatever its name leads to now. */
static int reopen(int path_fd, int dirfd, const char *name, const struct stat *st)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char proc[PROC_FD_SIZE];
	auto_close int fd = -1;
	struct stat now;

	proc_path(proc, path_fd);
	fd = open(proc, flags);
	if (fd < 0 && errno != ENOENT)
		return -errno;
	if (fd < 0)
		fd = io_open_beneath(dirfd, name, flags, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &now) < 0)
		return -errno;
	if (now.st_dev != st->st_dev || now.st_ino != st->st_ino)
		return -ESTALE;
	return steal_fd(&fd);
}

int plainfile_open(int dirfd, const char *name, struct stat *st, struct err *e)
{
	auto_close int path_fd = plainfile_look(dirfd, name, st, e);
	char visible[VISIBLE_SIZE];
	int fd;

	if (path_fd < 0)
		return path_fd;
	fd = reopen(path_fd, dirfd, name, st);
	if (fd < 0)
		return err_set(e, fd, "%s cannot be opened: %s",
			       str_visible(visible, sizeof(visible), name), strerror(-fd));
	return fd;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/cli/newfile.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Splits a path; the directory of a bare name is ".". */
static int split(char dir[static PATH_MAX], const char **name, const char *path)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (**name == '\0' || strlen(*name) > NAME_MAX - 24)
		return -EINVAL;
	if (!slash)
		return str_copy(dir, PATH_MAX, ".");
	if (slash - path >= PATH_MAX)
		return -ENAMETOOLONG;
	str_cut(dir, PATH_MAX, slash == path ? "/" : path,
		slash == path ? 1 : (size_t)(slash - path));
	return 0;
}

/* The directory may be anybody's: a name that is there already is nobody's to write through. */
static int write_temporary(int dirfd, const char *temp, const void *buf, size_t len)
{
	auto_close int fd =
		openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = io_write_full(fd, buf, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, temp, 0);
	return r;
}

int newfile_write(const char *path, const void *buf, size_t len, struct err *e)
{
	char dir[PATH_MAX];
	char temp[NAME_MAX + 1];
	const char *name;
	auto_close int dirfd = -1;
	int r = split(dir, &name, path);

	if (r < 0)
		return err_exit(e, EXITS_USAGE, -EINVAL, "\"%.200s\" is no file name", path);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_exit(e, EXITS_CANNOT_CREATE, -errno, "open the directory %.200s", dir);
	if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = -EEXIST;
	(void)snprintf(temp, sizeof(temp), ".%.220s.%d.new", name, getpid());
	if (r == 0)
		r = write_temporary(dirfd, temp, buf, len);
	if (r == 0) {
		r = io_rename_new(dirfd, temp, name);
		if (r < 0)
			(void)unlinkat(dirfd, temp, 0);
		else if (fsync(dirfd) < 0)
			r = -errno;
	}
	if (r == -EEXIST)
		return err_exit(e, EXITS_CANNOT_CREATE, r,
				"%.200s exists already, and is not overwritten: give another name",
				path);
	return r < 0 ? err_exit(e, EXITS_IO, r, "write %.200s", path) : 0;
}

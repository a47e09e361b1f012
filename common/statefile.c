/* SPDX-License-Identifier: MIT */
#include "common/statefile.h"
#include "common/defs.h"
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_sibling(const char *name)
{
	static const char suffix[] = ".new";
	size_t len = strlen(name);

	return name[0] == '.' && len >= sizeof(suffix) - 1 &&
	       strcmp(name + len - (sizeof(suffix) - 1), suffix) == 0;
}

/* A sibling begins with a dot and ends in ".new": no state file may have such a name. */
int statefile_sibling(char *out, size_t size, const char *name)
{
	int n;

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strchr(name, '/') || is_sibling(name))
		return -EINVAL;
	n = snprintf(out, size, "%s%s.new", *name == '.' ? "" : ".", name);
	return n < 0 || (size_t)n >= size || n > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* Writes the sibling durably. */
static int write_sibling(int dirfd, const char *tmp, const void *buf, size_t len, struct err *e)
{
	/* A crash may have left one. */
	auto_close int fd = io_create_anew(dirfd, tmp, O_WRONLY, 0600);
	int r;

	if (fd < 0)
		return err_set(e, fd, "create %s", tmp);
	r = io_write_full(fd, buf, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, tmp, 0);
	return r < 0 ? err_set(e, r, "write %s", tmp) : 0;
}

/* Gives the sibling its name, over the old file or only where there is none. */
static int publish(int dirfd, const char *tmp, const char *name, bool may_replace, struct err *e)
{
	int r;

	if (may_replace)
		r = renameat(dirfd, tmp, dirfd, name) < 0 ? -errno : 0;
	else
		r = io_rename_new(dirfd, tmp, name);
	if (r < 0) {
		(void)unlinkat(dirfd, tmp, 0);
		return err_set(e, r, "replace %s", name);
	}
	/* The new name is on disk only once its directory is. */
	return fsync(dirfd) < 0 ? err_set(e, -errno, "sync the directory of %s", name) : 0;
}

int statefile_replace(int dirfd, const char *name, const void *buf, size_t len, struct err *e)
{
	char tmp[NAME_MAX + 1];
	int r = statefile_sibling(tmp, sizeof(tmp), name);

	if (r < 0)
		return err_set(e, r, "state file name \"%s\"", name);
	r = write_sibling(dirfd, tmp, buf, len, e);
	return r < 0 ? r : publish(dirfd, tmp, name, true, e);
}

int statefile_create(int dirfd, const char *name, const void *buf, size_t len, struct err *e)
{
	char tmp[NAME_MAX + 1];
	int r = statefile_sibling(tmp, sizeof(tmp), name);

	if (r < 0)
		return err_set(e, r, "state file name \"%s\"", name);
	r = write_sibling(dirfd, tmp, buf, len, e);
	return r < 0 ? r : publish(dirfd, tmp, name, false, e);
}

ssize_t statefile_read(int dirfd, const char *name, char *buf, size_t size, struct err *e)
{
	struct stat st;
	ssize_t n;
	/* O_NONBLOCK: opening a planted FIFO must not wait for a writer. */
	auto_close int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, -errno, "open %s", name);
	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "stat %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s is not a regular file", name);
	n = io_read_bounded(fd, buf, size - 1);
	if (n < 0)
		return err_set(e, (int)n, "read %s", name);
	buf[n] = '\0';
	return n;
}

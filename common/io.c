/* SPDX-License-Identifier: MIT */
#include "common/io.h"
#include "common/kstat.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int io_write_full(int fd, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t io_read_bounded(int fd, void *buf, size_t size)
{
	uint8_t *p = buf;
	size_t used = 0;
	uint8_t extra;

	for (;;) {
		/* One byte more than there is room for tells "exactly full" from "too long". */
		ssize_t n = used < size ? read(fd, p + used, size - used) : read(fd, &extra, 1);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return (ssize_t)used;
		if (used == size)
			return -EFBIG;
		used += (size_t)n;
	}
}

int io_rename_new(int dirfd, const char *from, const char *to)
{
	if (syscall(SYS_renameat2, dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (linkat(dirfd, from, dirfd, to, 0) < 0)
		return -errno;
	return unlinkat(dirfd, from, 0) < 0 ? -errno : 0;
}

int io_read_mount(int fd, uint64_t *mount)
{
	int r = kstat_mount_id(fd, "", mount);
	struct stat st;

	if (r != -EOPNOTSUPP)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	*mount = st.st_dev;
	return 0;
}

/* What openat2(2) does, where a filter hides it. The path is a single component. */
static int open_component(int dirfd, const char *name, int flags, mode_t mode)
{
	int fd = openat(dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	uint64_t here = 0;
	uint64_t there = 0;
	int r;

	if (fd < 0)
		return -errno;
	r = io_read_mount(dirfd, &here);
	if (r == 0)
		r = io_read_mount(fd, &there);
	if (r == 0 && here != there)
		r = -EXDEV;
	if (r == 0)
		return fd;
	(void)close(fd);
	return r;
}

int io_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = (flags & O_CREAT) ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	if ((errno != ENOSYS && errno != EPERM) || strchr(path, '/') || strcmp(path, "..") == 0)
		return -errno;
	return open_component(dirfd, path, flags, mode);
}

int io_create_anew(int dirfd, const char *name, int flags, mode_t mode)
{
	int fd = -1;

	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT && errno != EISDIR)
		return -errno;
	fd = openat(dirfd, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

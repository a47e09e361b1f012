/* SPDX-License-Identifier: MIT */
#include "init/state/filecopy.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "init/state/migrate.h"
#include "init/state/plainfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 16384

int filecopy_open(int dirfd, const char *name, struct stat *st, struct err *e)
{
	auto_close int fd = plainfile_open(dirfd, name, st, e);

	if (fd < 0)
		return fd;
	if (st->st_size > MIGRATE_MAX_BYTES)
		return err_set(e, -EFBIG, "%s is larger than any state file", name);
	return steal_fd(&fd);
}

/* Like read(2), but short only at the end of the file. */
static ssize_t read_chunk(int fd, void *buf, off_t at)
{
	size_t used = 0;

	while (used < CHUNK) {
		ssize_t n = pread(fd, (char *)buf + used, CHUNK - used, at + (off_t)used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

int filecopy_is_equal(int a, int b)
{
	return filecopy_compare(a, b, NULL);
}

int filecopy_compare(int a, int b, struct progress *progress)
{
	char left[CHUNK];
	char right[CHUNK];

	for (off_t at = 0;; at += CHUNK) {
		ssize_t n = read_chunk(a, left, at);
		ssize_t m = read_chunk(b, right, at);

		progress_step(progress, 0);
		if (n < 0 || m < 0)
			return n < 0 ? (int)n : (int)m;
		if (n != m || memcmp(left, right, (size_t)n) != 0)
			return 0;
		if (n < CHUNK)
			return 1;
		if (at > MIGRATE_MAX_BYTES)
			return 0;
	}
}

static int copy_bytes(const struct filecopy *c, int to)
{
	char buf[CHUNK];

	for (off_t at = 0;; at += CHUNK) {
		ssize_t n = read_chunk(c->from_fd, buf, at);
		int r;

		if (n < 0)
			return (int)n;
		/* It may grow as fast as it is copied. */
		if (at + n > MIGRATE_MAX_BYTES)
			return -EFBIG;
		r = io_write_full(to, buf, (size_t)n);
		progress_step(c->progress, (uint64_t)n);
		if (r < 0 || n < CHUNK)
			return r;
	}
}

static int give_away(const struct filecopy *c, int fd, struct err *e)
{
	struct stat st;

	if (!c->change_owner || (fstat(fd, &st) == 0 && st.st_uid == c->uid))
		return 0;
	if (fchown(fd, c->uid, c->gid) < 0)
		return err_exit(
			e, EXITS_NO_PERMISSION, -errno,
			"cannot give the copy of %s to user %u:%u; add the capability CHOWN, "
			"or copy the file by hand",
			c->name, c->uid, c->gid);
	return 0;
}

static int write_copy(const struct filecopy *c, int fd, struct err *e)
{
	int r = copy_bytes(c, fd);

	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		return err_exit(e, EXITS_IO, r, "cannot copy %.100s%s", c->name,
				r == -ENOSPC || r == -EDQUOT
					? ": the volume is full; free some space on it"
					: "");
	/* What is compared then comes from the disk, and not from the writes above. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	r = filecopy_compare(c->from_fd, fd, c->progress);
	if (r < 0)
		return err_exit(e, EXITS_IO, r, "read the copy of %s back", c->name);
	if (r == 0)
		return err_exit(
			e, EXITS_IO, -EIO,
			"the copy of %s reads back different from the original; is somebody "
			"writing to the original?",
			c->name);
	return give_away(c, fd, e);
}

int filecopy_publish(const struct filecopy *c, struct err *e)
{
	/* A killed run may have left one. */
	auto_close int fd = io_create_anew(c->to_dir, c->temporary, O_RDWR, 0600);
	int r;

	if (fd < 0)
		return err_exit(e, EXITS_CANNOT_CREATE, fd, "create %s", c->temporary);
	r = write_copy(c, fd, e);
	if (r == 0) {
		r = io_rename_new(c->to_dir, c->temporary, c->name);
		if (r < 0)
			(void)err_exit(e, EXITS_CANNOT_CREATE, r, "publish %s", c->name);
	}
	if (r < 0) {
		(void)unlinkat(c->to_dir, c->temporary, 0);
		return r;
	}
	/* The new name is on disk only once its directory is. */
	return fsync(c->to_dir) < 0
		       ? err_exit(e, EXITS_IO, -errno, "sync the directory of %s", c->name)
		       : 0;
}

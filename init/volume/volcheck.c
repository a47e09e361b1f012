/* SPDX-License-Identifier: MIT */
#include "init/volume/volcheck.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/io.h"
#include "common/kstat.h"
#include "init/state/names.h"
#include "init/volume/markfile.h"
#include "init/volume/mounts.h"
#include "init/volume/volwatch.h"
#include "init/volume/writability.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RENAMED NAMES_ALIVE ".renamed"

/*
 * By device and inode, of the directory that was opened at the start: a mount id would call a volume
 * that was unmounted and mounted again another one.
 */
static int check_place(const struct volcheck *c)
{
	struct stat there;
	struct stat ours;

	if (stat(c->dir, &there) < 0 || fstat(c->dirfd, &ours) < 0)
		return volwatch_code(-errno);
	return there.st_dev == ours.st_dev && there.st_ino == ours.st_ino
		       ? 0
		       : VOLWATCH_CODE(VOLWATCH_UNMOUNTED);
}

static bool is_mount_point(const char *dir, const char *point)
{
	size_t len = strlen(point);

	return strncmp(dir, point, len) == 0 && dir[len + strspn(dir + len, "/")] == '\0';
}

/* A mount's own directory cannot be exchanged under it, as one below it can. */
static bool is_same_mount(const struct volcheck *c)
{
	auto_free char *mounts = mounts_read();
	struct mount_row row;
	uint64_t id;

	return mounts && kstat_mount_id(c->dirfd, "", &id) == 0 &&
	       mountinfo_find_path(mounts, c->dir, &row) && row.id == id &&
	       is_mount_point(c->dir, row.point);
}

/* There are file systems on which a directory changes its number. */
static bool has_our_marker(const struct volcheck *c)
{
	auto_close int fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct marker m;

	return fd >= 0 && c->proof->is_marked && markfile_load(&m, fd) == 0 &&
	       strcmp(m.volume, c->proof->marker.volume) == 0;
}

int volcheck_place(const struct volcheck *c, struct err *e)
{
	if (is_same_mount(c) || check_place(c) != VOLWATCH_CODE(VOLWATCH_UNMOUNTED) ||
	    has_our_marker(c))
		return 0;
	return err_exit(e, EXITS_IO, -ESTALE,
			"%.200s is not the volume any more that this node started with, and "
			"what lies there now could give it another key; mount the volume again",
			c->dir);
}

static int check_room(const struct volcheck *c)
{
	struct statvfs vfs;

	if (fstatvfs(c->dirfd, &vfs) < 0)
		return volwatch_code(-errno);
	if (vfs.f_flag & ST_RDONLY)
		return VOLWATCH_CODE(VOLWATCH_READONLY);
	/* btrfs and others make inodes as needed, and report none at all. */
	if ((uint64_t)vfs.f_bavail * vfs.f_frsize < WRITABILITY_MIN_BYTES ||
	    (vfs.f_files > 0 && vfs.f_favail < WRITABILITY_MIN_INODES))
		return VOLWATCH_CODE(VOLWATCH_FULL);
	return 0;
}

static bool is_this_start(const struct marker *now, const struct marker *ours)
{
	return now->boots == ours->boots &&
	       memcmp(&now->boot[0], &ours->boot[0], sizeof(now->boot[0])) == 0;
}

/* A marker that could not be written at the start cannot be missed. */
static int check_marker(const struct volcheck *c)
{
	const struct marker *ours = &c->proof->marker;
	struct marker m;
	int r;

	if (ours->volume[0] == '\0')
		return 0;
	r = markfile_load(&m, c->dirfd);
	if (r == -ENOENT)
		return c->proof->is_marked ? VOLWATCH_CODE(VOLWATCH_WRONG_VOLUME) : 0;
	if (r == -EBADMSG)
		return VOLWATCH_CODE(VOLWATCH_WRONG_VOLUME);
	if (r == -EPROTONOSUPPORT)
		return VOLWATCH_CODE(VOLWATCH_SHARED);
	if (r < 0)
		return volwatch_code(r);
	if (strcmp(m.volume, ours->volume) != 0)
		return VOLWATCH_CODE(VOLWATCH_WRONG_VOLUME);
	return is_this_start(&m, ours) ? 0 : VOLWATCH_CODE(VOLWATCH_SHARED);
}

int volcheck_contents(const struct volcheck *c, const char *ifname, struct err *e)
{
	char key[MARKER_IFNAME_SIZE + 8];
	struct stat st;

	(void)snprintf(key, sizeof(key), "%s.json", ifname);
	if (fstatat(c->dirfd, key, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT ||
	    check_marker(c) != VOLWATCH_CODE(VOLWATCH_WRONG_VOLUME))
		return 0;
	return err_exit(
		e, EXITS_IO, -ESTALE,
		"%.200s was emptied while this node ran: it holds neither this node's marker "
		"nor %s any more, and a start would make another key; put the files back",
		c->dir, key);
}

static int write_probe(int dirfd)
{
	static const char contents[] = "wgmesh-init writes this to see whether it can\n";
	auto_close int fd = openat(dirfd, NAMES_ALIVE,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = io_write_full(fd, contents, sizeof(contents) - 1);
	if (r < 0)
		return r;
	return fsync(fd) < 0 || renameat(dirfd, NAMES_ALIVE, dirfd, RENAMED) < 0 ? -errno : 0;
}

static int check_writing(const struct volcheck *c)
{
	int r;

	/* What a look left that was killed half-way. */
	(void)unlinkat(c->dirfd, NAMES_ALIVE, 0);
	(void)unlinkat(c->dirfd, RENAMED, 0);
	r = write_probe(c->dirfd);
	if (r < 0)
		(void)unlinkat(c->dirfd, NAMES_ALIVE, 0);
	else if (unlinkat(c->dirfd, RENAMED, 0) < 0)
		r = -errno;
	return volwatch_code(r);
}

int volcheck_run(const struct volcheck *c)
{
	static int (*const checks[])(const struct volcheck *c) = { check_place, check_room,
								   check_marker, check_writing };
	int code = 0;

	for (size_t i = 0; i < ARRAY_LEN(checks) && code == 0; i++)
		code = checks[i](c);
	return code;
}

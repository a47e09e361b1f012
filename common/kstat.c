/* SPDX-License-Identifier: MIT */
#include "common/kstat.h"

#include <errno.h>
#include <fcntl.h>
/* Never beside sys/stat.h: musl has a struct statx of its own there, which is shorter. */
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int kstat_mount_id(int dirfd, const char *path, uint64_t *id)
{
	int flags = AT_STATX_DONT_SYNC | (*path ? 0 : AT_EMPTY_PATH);
	struct statx sx = { 0 };

	if (syscall(SYS_statx, dirfd, path, flags, STATX_MNT_ID, &sx) < 0)
		return -errno;
	if (!(sx.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	*id = sx.stx_mnt_id;
	return 0;
}

bool kstat_is_immutable(const char *path)
{
	struct statx sx = { 0 };

	return syscall(SYS_statx, AT_FDCWD, path, 0, 0, &sx) == 0 &&
	       (sx.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
}

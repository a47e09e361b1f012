/* SPDX-License-Identifier: MIT */
#include "init/process/tundev.h"
#include "common/defs.h"
#include "common/log.h"
#include "init/process/user.h"
#include "init/state/fsuser.h"
#include "init/volume/mountinfo.h"
#include "init/volume/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TUN	  "/dev/net/tun"
#define TUN_MAJOR 10
#define TUN_MINOR 200

/* Opening it does nothing yet: an interface is made only by an ioctl(2). */
static bool is_denied(const struct config *c)
{
	int fd;
	int saved;

	fsuser_become(c->uid, c->gid);
	fd = open(TUN, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	saved = errno;
	fsuser_revert();
	if (fd >= 0)
		(void)close(fd);
	return fd < 0 && saved == EACCES;
}

/*
 * The host's own /dev is a devtmpfs, and a node from there has a mount of its own. For a user namespace
 * an engine may mount a node that it made; those of the host do not belong to the root of one.
 */
static bool is_containers_own(const struct stat *st)
{
	struct mount_row row;
	auto_free char *mounts = mounts_read();

	if (!mounts || !mountinfo_find_path(mounts, TUN, &row) || strcmp(row.type, "tmpfs") != 0)
		return false;
	return strcmp(row.point, "/dev") == 0 || (st->st_uid == 0 && !user_has_all());
}

void tundev_give(const struct boot *b)
{
	const struct config *c = &b->config;
	struct stat st;
	auto_close int fd = -1;

	if (!c->may_change_user || !is_denied(c))
		return;
	fd = open(TUN, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(TUN_MAJOR, TUN_MINOR) || !is_containers_own(&st))
		return;
	if (fchownat(fd, "", c->uid, c->gid, AT_EMPTY_PATH) == 0)
		log_event(EVENT_TUN_DEVICE_GIVEN, NULL,
			  "%s of this container was given to user %u:%u", TUN, c->uid, c->gid);
}

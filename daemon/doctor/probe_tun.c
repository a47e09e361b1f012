/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TUN	  "/dev/net/tun"
#define TUN_MAJOR 10
#define TUN_MINOR 200

void probe_tun(void *out, const void *arg)
{
	struct tun_facts *f = out;
	struct stat st = { 0 };
	auto_close int fd = -1;

	(void)arg;
	f->stat = stat(TUN, &st) < 0 ? -errno : 0;
	f->is_tun = S_ISCHR(st.st_mode) && st.st_rdev == makedev(TUN_MAJOR, TUN_MINOR);
	f->mode = st.st_mode;
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	if (!f->is_tun)
		return;
	/* Opening it makes no interface yet: that takes an ioctl(2). */
	fd = open(TUN, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	f->open = fd < 0 ? -errno : 0;
}

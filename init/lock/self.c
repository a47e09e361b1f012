/* SPDX-License-Identifier: MIT */
#include "init/lock/self.h"
#include "common/defs.h"
#include "init/clock.h"
#include "init/volume/mountinfo.h"
#include "init/volume/mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void read_boot_id(char *out, size_t size)
{
	auto_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	out[n < 0 ? 0 : n] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

void holder_self(struct holder *me)
{
	auto_free char *mounts = mounts_read();

	memset(me, 0, sizeof(*me));
	(void)gethostname(me->host, sizeof(me->host) - 1);
	if (mounts)
		(void)mountinfo_container_id(mounts, me->container);
	(void)snprintf(me->pid, sizeof(me->pid), "%d", getpid());
	clock_utc_text(me->since);
	read_boot_id(me->boot, sizeof(me->boot));
}

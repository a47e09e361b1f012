/* SPDX-License-Identifier: MIT */
#include "init/lock/dirlock.h"
#include "common/defs.h"
#include "init/process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

struct attempt {
	int fd;
	int error;
};

static void wait_for(void *data)
{
	struct attempt *a = data;

	a->error = flock(a->fd, LOCK_EX) < 0 ? -errno : 0;
}

/* As with the lock file, what the child takes belongs to the description that we share with it. */
static int wait_in_child(int fd, uint64_t limit_ms)
{
	struct attempt a = { .fd = fd };
	int r = child_run(wait_for, &a, sizeof(a), limit_ms);

	if (r == -ETIMEDOUT)
		return 0;
	if (r < 0)
		return r;
	return a.error < 0 ? a.error : 1;
}

int dirlock_take(int dirfd, uint64_t limit_ms, int *fd)
{
	auto_close int dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 1;

	*fd = -1;
	if (dir < 0)
		return -errno;
	if (flock(dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return 1;
		r = limit_ms > 0 ? wait_in_child(dir, limit_ms) : 0;
	}
	if (r == 1)
		*fd = steal_fd(&dir);
	return r;
}

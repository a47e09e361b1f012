/* SPDX-License-Identifier: MIT */
#include "init/process/descriptors.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where close_range(2) is missing (Linux before 5.9), as many as a process has by default. */
#define OLD_LIMIT 1024U

void descriptors_close(unsigned int first, unsigned int last)
{
	if (syscall(SYS_close_range, first, last, 0U) == 0)
		return;
	for (unsigned int fd = first; fd <= last && fd < OLD_LIMIT; fd++)
		(void)close((int)fd);
}

void descriptors_close_inherited(void)
{
	descriptors_close(STDERR_FILENO + 1, UINT_MAX);
}

/* One question for all three; where it fails, they count as closed, and opening tells. */
static bool is_standard_closed(void)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO },
				{ .fd = STDOUT_FILENO },
				{ .fd = STDERR_FILENO } };
	bool is_closed = poll(fds, ARRAY_LEN(fds), 0) < 0;

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		is_closed = is_closed || (fds[i].revents & POLLNVAL) != 0;
	return is_closed;
}

int descriptors_fill_standard(void)
{
	if (!is_standard_closed())
		return 0;
	for (;;) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return errno == ENOENT ? 0 : -errno;
		if (fd > STDERR_FILENO) {
			(void)close(fd);
			return 0;
		}
		(void)fcntl(fd, F_SETFD, 0);
	}
}

/* SPDX-License-Identifier: MIT */
#include "init/volume/mounts.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Some twenty thousand mounts; what is not touched costs no memory. */
#define MOUNTS_MAX (4 * 1024 * 1024)

char *mounts_read(void)
{
	char *text = malloc(MOUNTS_MAX + 1);
	auto_close int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	size_t used = 0;

	if (!text)
		return NULL;
	while (fd >= 0 && used < MOUNTS_MAX) {
		ssize_t n = read(fd, text + used, MOUNTS_MAX - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	/* Half a line would be read as a whole one. */
	while (used == MOUNTS_MAX && used > 0 && text[used - 1] != '\n')
		used--;
	text[used] = '\0';
	return text;
}

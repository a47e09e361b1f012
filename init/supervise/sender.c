/* SPDX-License-Identifier: MIT */
#include "init/supervise/sender.h"
#include "common/defs.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void sender_comm(pid_t pid, char out[static SENDER_SIZE])
{
	char path[32];
	auto_close int fd = -1;
	ssize_t n;

	out[0] = '\0';
	if (pid <= 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, SENDER_SIZE - 1);
	if (n > 0 && out[n - 1] == '\n')
		n--;
	out[n < 0 ? 0 : n] = '\0';
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
}

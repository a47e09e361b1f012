/* SPDX-License-Identifier: MIT */
#include "init/termlog.h"
#include "common/defs.h"
#include "common/io.h"

#include <fcntl.h>
#include <string.h>

void termlog_write(const char *sentence)
{
	auto_close int fd = open("/dev/termination-log",
				 O_WRONLY | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)io_write_full(fd, sentence, strlen(sentence));
	(void)io_write_full(fd, "\n", 1);
}

/* SPDX-License-Identifier: MIT */
#include "init/termlog.h"
#include "common/io.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NOT_TRIED (-2)

static int log_fd = NOT_TRIED;

void termlog_open(void)
{
	if (log_fd == NOT_TRIED)
		log_fd = open("/dev/termination-log", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void termlog_write(const char *sentence)
{
	termlog_open();
	if (log_fd < 0)
		return;
	/* Both fail on what is not a file, which then has nothing to replace. */
	if (ftruncate(log_fd, 0) == 0)
		(void)lseek(log_fd, 0, SEEK_SET);
	(void)io_write_full(log_fd, sentence, strlen(sentence));
	(void)io_write_full(log_fd, "\n", 1);
}

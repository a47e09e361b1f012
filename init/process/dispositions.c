/* SPDX-License-Identifier: MIT */
#include "init/process/dispositions.h"
#include "common/defs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL_MAX 64
#define SET_DIGITS (SIGNAL_MAX / 4)

static bool is_hex_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static uint64_t hex_value(char c)
{
	return (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

int dispositions_find_ignored(uint64_t *ignored, const char *status)
{
	static const char head[] = "\nSigIgn:\t";
	const char *p = strstr(status, head);
	uint64_t set = 0;

	if (!p)
		return -EINVAL;
	p += sizeof(head) - 1;
	for (int i = 0; i < SET_DIGITS; i++) {
		if (!is_hex_digit(p[i]))
			return -EINVAL;
		set = set << 4 | hex_value(p[i]);
	}
	if (p[SET_DIGITS] != '\n')
		return -EINVAL;
	*ignored = set;
	return 0;
}

static int read_ignored(uint64_t *ignored)
{
	/* A process of very many groups has a longer file, which then does not tell. */
	char text[4096];
	auto_close int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return dispositions_find_ignored(ignored, text);
}

/* By the raw call: the C library refuses to touch the signals that it keeps for itself. */
static void reset(int sig)
{
	/* The kernel's own struct sigaction, all of it zero: SIG_DFL, and nothing special. */
	static const uint64_t dfl[4] = { 0 };

	(void)syscall(SYS_rt_sigaction, sig, dfl, NULL, sizeof(uint64_t));
}

void dispositions_reset(void)
{
	uint64_t ignored = 0;

	if (read_ignored(&ignored) < 0)
		ignored = UINT64_MAX;
	for (int sig = 1; sig <= SIGNAL_MAX; sig++)
		if (ignored >> (sig - 1) & 1)
			reset(sig);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/state/statelease.h"
#include "common/defs.h"
#include "common/statefile.h"
#include "common/str.h"
#include "daemon/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PREFIX	 ".wgmesh.lease."
#define TEXT_MAX 1024
#define PAUSE_NS (100 * 1000 * 1000)

/* The highest number, 0 for none; or a negative errno value in @error. */
static uint64_t find_term(int dirfd, int *error)
{
	auto_close int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	uint64_t highest = 0;

	*error = dir ? 0 : -errno;
	if (!dir)
		return 0;
	(void)steal_fd(&fd);
	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		uint64_t term;

		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 &&
		    str_parse_u64(&term, entry->d_name + strlen(PREFIX), 1, UINT64_MAX) == 0 &&
		    term > highest)
			highest = term;
		errno = 0;
	}
	*error = -errno;
	(void)closedir(dir);
	return highest;
}

/* Reads the lease that counts, as "NUMBER\n" and its text; empty when there is none. */
static int read_lease(char text[static TEXT_MAX], int dirfd)
{
	char name[64];
	int error;
	uint64_t term = find_term(dirfd, &error);
	int n = snprintf(text, TEXT_MAX, "%" PRIu64 "\n", term);
	ssize_t r;

	if (error < 0 || term == 0) {
		text[0] = '\0';
		return error;
	}
	(void)snprintf(name, sizeof(name), PREFIX "%" PRIu64, term);
	r = statefile_read(dirfd, name, text + n, (size_t)(TEXT_MAX - n), NULL);
	return r < 0 ? (int)r : 0;
}

static bool is_given_up(const char *text)
{
	return text[0] == '\0' || strstr(text, "\nstate=free\n") != NULL;
}

int statelease_watch(char holder[static HOLDER_TEXT_SIZE], int dirfd, uint64_t silence_ms)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int64_t until_ms = clock_now().mono_ms + (int64_t)silence_ms;
	char first[TEXT_MAX];
	char now[TEXT_MAX];
	int r = read_lease(first, dirfd);

	holder[0] = '\0';
	if (r < 0 || is_given_up(first))
		return r < 0 ? r : STATELEASE_NONE;
	statedir_describe(holder, first);
	while (clock_now().mono_ms < until_ms) {
		(void)nanosleep(&pause, NULL);
		r = read_lease(now, dirfd);
		/* Renamed, removed or half written under our eyes: somebody is at work. */
		if (r < 0 || strcmp(first, now) != 0)
			return r == 0 && is_given_up(now) ? STATELEASE_NONE : STATELEASE_LIVE;
	}
	return STATELEASE_SILENT;
}

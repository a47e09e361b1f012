/* SPDX-License-Identifier: MIT */
#include "daemon/http/process.h"
#include "common/defs.h"
#include "common/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define START_FIELD 22 /* of /proc/PID/stat, proc(5) */
#define TEXT_SIZE   1024

static bool read_text(const char *path, char out[static TEXT_SIZE])
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : io_read_bounded(fd, out, TEXT_SIZE - 1);

	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

int process_parse_stat(const char *text, uint64_t *start_ticks)
{
	/* The second field is the program's name in parentheses, and may have any byte in it. */
	const char *p = strrchr(text, ')');
	char *end;

	for (int field = 2; p && field < START_FIELD; field++)
		p = strchr(p + 1, ' ');
	if (!p || p[1] < '0' || p[1] > '9')
		return -EINVAL;
	*start_ticks = strtoull(p + 1, &end, 10);
	return *end == ' ' ? 0 : -EINVAL;
}

static double seconds_of(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double start_time(void)
{
	char text[TEXT_SIZE];
	uint64_t ticks = 0;

	if (!read_text("/proc/self/stat", text) || process_parse_stat(text, &ticks) < 0)
		return -1;
	return seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) +
	       (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_time(void)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) < 0)
		return -1;
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void look_at_memory(struct process_facts *out)
{
	long page = sysconf(_SC_PAGESIZE);
	char text[TEXT_SIZE];
	char *end;

	if (!read_text("/proc/self/statm", text))
		return;
	out->virtual_bytes = (int64_t)strtoll(text, &end, 10) * page;
	out->resident_bytes = (int64_t)strtoll(end, NULL, 10) * page;
}

static int64_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int64_t n = 0;

	if (!dir)
		return -1;
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
		n += d->d_name[0] != '.';
	(void)closedir(dir);
	return n - 1; /* the one it was counted with */
}

void process_look(struct process_facts *out)
{
	struct rlimit limit;

	*out = (struct process_facts) {
		.cpu_s = cpu_time(),
		.resident_bytes = -1,
		.virtual_bytes = -1,
		.open_fds = count_descriptors(),
		.max_fds = -1,
		.start_unix_s = start_time(),
	};
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		out->max_fds = (int64_t)limit.rlim_cur;
	look_at_memory(out);
}

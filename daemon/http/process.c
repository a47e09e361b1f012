/* SPDX-License-Identifier: MIT */
#include "daemon/http/process.h"
#include "common/defs.h"

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

/**
 * struct files - What the kernel tells of this process
 * @is_open:	The rest is set
 * @statm:	Its memory; -1 where there is no /proc, and so is @fds
 * @fds:	Directory of its descriptors
 * @start_ticks: When it started, in clock ticks since boot; 0 when that is not known
 */
struct files {
	bool is_open;
	int statm;
	int fds;
	uint64_t start_ticks;
};

static struct files kept;

static bool read_text(int fd, char out[static TEXT_SIZE])
{
	ssize_t n = fd < 0 ? -1 : pread(fd, out, TEXT_SIZE - 1, 0);

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
	if (kept.start_ticks == 0)
		return -1;
	return seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) +
	       (double)kept.start_ticks / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_time(void)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) < 0)
		return -1;
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void process_open(void)
{
	auto_close int stat = kept.is_open ? -1 : open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	char text[TEXT_SIZE];

	if (kept.is_open)
		return;
	kept.is_open = true;
	if (!read_text(stat, text) || process_parse_stat(text, &kept.start_ticks) < 0)
		kept.start_ticks = 0;
	kept.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	kept.fds = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void look_at_memory(struct process_facts *out)
{
	long page = sysconf(_SC_PAGESIZE);
	char text[TEXT_SIZE];
	char *end;

	if (!read_text(kept.statm, text))
		return;
	out->virtual_bytes = (int64_t)strtoll(text, &end, 10) * page;
	out->resident_bytes = (int64_t)strtoll(end, NULL, 10) * page;
}

static int64_t count_descriptors(void)
{
	_Alignas(struct dirent64) char buf[4096];
	int64_t total = 0;
	ssize_t n;

	if (kept.fds < 0 || lseek(kept.fds, 0, SEEK_SET) < 0)
		return -1;
	while ((n = getdents64(kept.fds, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d =
				(const struct dirent64 *)(const void *)(buf + at);

			total += d->d_name[0] != '.';
			at += d->d_reclen;
		}
	return n < 0 ? -1 : total;
}

void process_look(struct process_facts *out)
{
	struct rlimit limit;

	process_open();
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

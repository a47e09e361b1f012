/* SPDX-License-Identifier: MIT */
#include "init/process/child.h"
#include "common/defs.h"
#include "common/log.h"
#include "init/clock.h"
#include "init/process/mask.h"
#include "init/process/spawn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often to look where pidfd_open(2) is missing (Linux before 5.3) or refused (old engines). */
#define LOOK_MS	      5
#define LAST_WORDS_MS 200

static int remaining_ms(uint64_t limit_ms, uint64_t since_ms)
{
	uint64_t passed = clock_mono_ms() - since_ms;

	if (limit_ms == CHILD_NO_LIMIT)
		return -1;
	if (passed >= limit_ms)
		return 0;
	return limit_ms - passed > INT_MAX ? INT_MAX : (int)(limit_ms - passed);
}

/* Return: as poll(2), and 0 only when no time remains or the child has to be looked at */
static int wait_for(struct pollfd *fds, nfds_t n, int patience_ms)
{
	bool is_blind = fds[0].fd < 0 && (patience_ms < 0 || patience_ms > LOOK_MS);

	return poll(fds, n, is_blind ? LOOK_MS : patience_ms);
}

int child_wait(struct reaped *out, pid_t pid, uint64_t limit_ms)
{
	uint64_t since_ms = clock_mono_ms();
	auto_close int stop_fd = mask_open_stop();
	auto_close int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[] = { { .fd = pid_fd, .events = POLLIN },
				{ .fd = stop_fd, .events = POLLIN } };

	for (;;) {
		int left_ms = remaining_ms(limit_ms, since_ms);
		int n;
		int r = reap_pid(out, pid);

		if (r != 0)
			return r < 0 ? r : 0;
		if (left_ms == 0)
			return -ETIMEDOUT;
		n = wait_for(fds, ARRAY_LEN(fds), left_ms);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && fds[0].revents == 0 && fds[1].revents != 0)
			return -EINTR;
	}
}

void child_abandon(pid_t pid)
{
	(void)kill(pid, SIGKILL);
}

struct job {
	void (*run)(void *data);
	void *data;
};

static int run_job(void *arg)
{
	const struct job *job = arg;

	job->run(job->data);
	/* Lines that wait for room would end with this process. */
	(void)log_flush(LAST_WORDS_MS);
	return 0;
}

/* Waits as long as the counter moves; without one, for one limit. */
static int wait_for_end(struct reaped *end, pid_t pid, uint64_t limit_ms, const uint64_t *steps)
{
	uint64_t seen = 0;
	int r;

	for (;;) {
		uint64_t now;

		r = child_wait(end, pid, limit_ms);
		if (r != -ETIMEDOUT || !steps)
			return r;
		now = __atomic_load_n(steps, __ATOMIC_RELAXED);
		if (now == seen)
			return r;
		seen = now;
	}
}

static int wait_for_job(pid_t pid, uint64_t limit_ms, const uint64_t *steps)
{
	struct reaped end = { 0 };
	int r = wait_for_end(&end, pid, limit_ms, steps);

	if (r < 0) {
		child_abandon(pid);
		return r;
	}
	return end.code == 0 ? 0 : -EIO;
}

int child_run_active(void (*run)(void *data), void *data, size_t size, uint64_t limit_ms,
		     const uint64_t *steps)
{
	char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct job job = { .run = run, .data = shared };
	const void *counter = NULL;
	pid_t pid;
	int r;

	if (shared == MAP_FAILED)
		return -errno;
	memcpy(shared, data, size);
	if (steps)
		counter = shared + ((const char *)steps - (const char *)data);
	pid = spawn_function(run_job, &job);
	r = pid < 0 ? (int)pid : wait_for_job(pid, limit_ms, counter);
	if (r == 0)
		memcpy(data, shared, size);
	(void)munmap(shared, size);
	return r;
}

int child_run(void (*run)(void *data), void *data, size_t size, uint64_t limit_ms)
{
	return child_run_active(run, data, size, limit_ms, NULL);
}

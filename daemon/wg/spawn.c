/* SPDX-License-Identifier: MIT */
#include "daemon/wg/spawn.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the child keeps the pipe that tells why execve() failed. */
#define REPORT_FD (STDERR_FILENO + 1)

/* Descriptors looked at where close_range(2) is missing (before Linux 5.9). */
#define FDS_MAX 65536

static int check_executable(const char *path)
{
	return access(path, X_OK) < 0 ? -errno : 0;
}

int spawn_find(char *out, size_t size, const char *program, const char *search)
{
	int result = -ENOENT;

	if (strchr(program, '/')) {
		int r = str_copy(out, size, program);

		return r < 0 ? r : check_executable(out);
	}
	for (const char *dir = search; *dir != '\0';) {
		size_t len = strcspn(dir, ":");
		int n = snprintf(out, size, "%.*s/%s", (int)len, dir, program);
		int r = n < 0 || (size_t)n >= size ? -ENAMETOOLONG : check_executable(out);

		if (r == 0 && len > 0)
			return 0;
		if (r == -EACCES)
			result = r;
		dir += len + (dir[len] == ':' ? 1 : 0);
	}
	return result;
}

/* From here to execve() only async-signal-safe calls, as fork(2) asks. */
static void reset_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		(void)sigaction(sig, &dfl, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_others(void)
{
	long max = sysconf(_SC_OPEN_MAX);

	if (syscall(SYS_close_range, REPORT_FD + 1, UINT_MAX, 0) == 0)
		return;
	if (max < 0 || max > FDS_MAX)
		max = FDS_MAX;
	for (int fd = REPORT_FD + 1; fd < max; fd++)
		(void)close(fd);
}

static int set_descriptors(int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	/* Both lie above the four that are overwritten now: see above_standard(). */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (null != fd && dup2(null, fd) < 0)
			return -errno;
	}
	if (report != REPORT_FD && dup3(report, REPORT_FD, O_CLOEXEC) < 0)
		return -errno;
	close_others();
	return 0;
}

static _Noreturn void child(int report, const char *path, char *const argv[], char *const envp[])
{
	int r;

	(void)setsid();
	reset_signals();
	r = set_descriptors(report);
	if (r == 0) {
		report = REPORT_FD;
		if (chdir("/") == 0)
			(void)execve(path, argv, envp);
		r = -errno;
	}
	(void)io_write_full(report, &r, sizeof(r));
	_exit(EXIT_FAILURE);
}

/* Moves a descriptor out of the range that the child overwrites. */
static int above_standard(int *fd)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, REPORT_FD + 2);

	if (high < 0)
		return -errno;
	(void)close(*fd);
	*fd = high;
	return 0;
}

static int make_pipe(int *rd, int *wr)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*rd = fds[0];
	*wr = fds[1];
	return above_standard(wr);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

int spawn_detached(pid_t *pid, const char *path, char *const argv[], char *const envp[],
		   struct err *e)
{
	auto_close int rd = -1;
	auto_close int wr = -1;
	int failure = 0;
	int r = make_pipe(&rd, &wr);

	*pid = 0;
	if (r < 0)
		return err_set(e, r, "start %s: make a pipe", path);
	*pid = fork();
	if (*pid < 0) {
		r = -errno;
		*pid = 0;
		return err_set(e, r, "start %s: fork", path);
	}
	if (*pid == 0)
		child(wr, path, argv, envp);
	(void)close(steal_fd(&wr));
	/* A successful execve() closes the pipe without a word. */
	if (io_read_bounded(rd, &failure, sizeof(failure)) != (ssize_t)sizeof(failure))
		return 0;
	reap(*pid);
	*pid = 0;
	return err_set(e, failure < 0 ? failure : -EIO, "start %s", path);
}

bool spawn_has_ended(pid_t *pid, char *why, size_t size)
{
	int status;
	pid_t got;

	if (*pid <= 0)
		return false;
	do {
		got = waitpid(*pid, &status, WNOHANG);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return false;
	*pid = 0;
	if (got < 0)
		(void)snprintf(why, size, "unknown status");
	else if (WIFSIGNALED(status))
		(void)snprintf(why, size, "signal %d", WTERMSIG(status));
	else
		(void)snprintf(why, size, "exit status %d", WEXITSTATUS(status));
	return true;
}

void spawn_kill(pid_t *pid)
{
	if (*pid <= 0)
		return;
	(void)kill(*pid, SIGKILL);
	reap(*pid);
	*pid = 0;
}

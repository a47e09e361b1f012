/* SPDX-License-Identifier: MIT */
#include "init/supervise/sweep.h"
#include "common/defs.h"
#include "common/io.h"
#include "common/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* No real tree is deeper; a chain that changes while we follow it must end somewhere. */
#define DEPTH_MAX 256

/* Parent of a process, 0 when there is none to be found: field 4 of proc_pid_stat(5). */
static pid_t parent_of(pid_t pid)
{
	char path[32];
	char text[512];
	uint64_t parent = 0;
	auto_close int fd = -1;
	char *p;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The name in parentheses may itself contain any of the characters around it. */
	p = strrchr(text, ')');
	if (!p || strlen(p) < 5)
		return 0;
	p[4 + strcspn(p + 4, " ")] = '\0';
	return str_parse_u64(&parent, p + 4, 0, INT32_MAX) < 0 ? 0 : (pid_t)parent;
}

static bool is_descendant(pid_t pid)
{
	pid_t self = getpid();

	for (int depth = 0; depth < DEPTH_MAX && pid > 1; depth++) {
		pid = parent_of(pid);
		if (pid == self)
			return true;
	}
	return false;
}

/* The descriptor is opened before the question, so that a reused number cannot be hit. */
static void signal_descendant(pid_t pid, int sig)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0 && is_descendant(pid))
		(void)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

/* Return: false where there is no list of processes */
static bool signal_descendants(int sig)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	bool has_any = false;

	if (!proc)
		return false;
	while ((d = readdir(proc)) != NULL) {
		uint64_t pid = 0;

		if (str_parse_u64(&pid, d->d_name, 2, INT32_MAX) < 0)
			continue;
		has_any = true;
		signal_descendant((pid_t)pid, sig);
	}
	(void)closedir(proc);
	return has_any;
}

static bool has_children(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool sweep_signal(int sig, pid_t group)
{
	if (getpid() == 1)
		return kill(-1, sig) == 0 || errno != ESRCH;
	if (!has_children())
		return false;
	if (!signal_descendants(sig) && group > 0)
		(void)kill(-group, sig);
	return true;
}

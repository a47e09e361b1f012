/* SPDX-License-Identifier: MIT */
/* netns - runs a test in network, mount and process namespaces of its own, with an empty /run */
#ifndef TESTS_UNIT_NETNS_H
#define TESTS_UNIT_NETNS_H

#include "tests/unit/test.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit status by which a test tells that this machine cannot run it. */
#define NETNS_SKIPPED 77

static inline int netns_mount(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("run", "/run", "tmpfs", 0, "mode=0755") < 0)
		return -errno;
	return 0;
}

/* Goes on in a child; the parent waits and passes the child's result on. */
static inline void netns_fork(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		exit(EXIT_FAILURE);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		return;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

/*
 * The caller ends up as a child of the first process of a process namespace: whatever a test leaves
 * behind, be it after a crash, ends with that. (Not as the first process itself: nothing can stop
 * that one, which a leak checker needs to do.)
 */
static inline void netns_enter(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) < 0) {
		(void)fprintf(stderr, "skipped: namespaces need root: %s\n", strerror(errno));
		exit(NETNS_SKIPPED);
	}
	netns_fork();
	if (netns_mount() < 0) {
		perror("mount");
		exit(EXIT_FAILURE);
	}
	netns_fork();
}

/* Runs ip(8), for what our own code cannot or must not do. */
static inline void netns_ip(const char *const *args)
{
	const char *argv[16] = { "ip" };
	size_t n = 1;
	int status;
	pid_t pid;

	while (args[n - 1] && n < 15) {
		argv[n] = args[n - 1];
		n++;
	}
	pid = fork();
	if (pid == 0) {
		execvp("ip", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* clang-format off */
#define NETNS_IP(...) netns_ip((const char *const[]){ __VA_ARGS__, NULL })
/* clang-format on */

#endif /* TESTS_UNIT_NETNS_H */

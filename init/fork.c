/* SPDX-License-Identifier: MIT */
#include "init/fork.h"
#include "init/mask.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The kernel resets all dispositions in this one call since Linux 5.5. The C library need not know:
 * what its fork(3) does besides is for threads, and for handlers at fork, which there are none of.
 */
static long clone_default(void)
{
	const struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };

	return syscall(SYS_clone3, &args, sizeof(args));
}

pid_t fork_default(void)
{
	long pid = clone_default();

	if (pid >= 0)
		return (pid_t)pid;
	/* An old kernel, or an engine's filter, which cannot look into the arguments of clone3(2). */
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		mask_reset_dispositions();
	return (pid_t)pid;
}

/* SPDX-License-Identifier: MIT */
/* reap - the only caller of waitid(2) */
#ifndef INIT_SUPERVISE_REAP_H
#define INIT_SUPERVISE_REAP_H

#include <sys/types.h>

/**
 * struct reaped - How a process ended
 * @pid:	Process
 * @code:	Its exit code, or 128 + signal
 * @signal:	Signal that killed it, 0 when it exited
 */
struct reaped {
	pid_t pid;
	int code;
	int signal;
};

/**
 * reap_any() - Take the status of any one dead child, orphans included
 * @out:	Receives it
 *
 * Return: 1 when there was one, 0 when all children live, -ECHILD when there is no child at all
 */
int reap_any(struct reaped *out);

/**
 * reap_pid() - Take the status of one child
 * @out:	Receives it
 * @pid:	Child
 *
 * Return: 1 when it is dead, 0 when it lives, or a negative errno value
 */
int reap_pid(struct reaped *out, pid_t pid);

#endif /* INIT_SUPERVISE_REAP_H */

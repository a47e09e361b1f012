/* SPDX-License-Identifier: MIT */
/* spawn - start a program in a session of its own that inherits nothing and outlives us */
#ifndef DAEMON_WG_SPAWN_H
#define DAEMON_WG_SPAWN_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where programs are looked for when there is no PATH. */
#define SPAWN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/**
 * spawn_find() - Find an executable
 * @out:	Receives its path
 * @size:	Room in @out
 * @program:	A path (it has a '/'), or a name to look for
 * @search:	Directories with ':' between them, as in PATH
 *
 * Return: 0, -ENOENT, -EACCES when it is there but may not be executed, or -ENAMETOOLONG
 */
int spawn_find(char *out, size_t size, const char *program, const char *search);

/**
 * spawn_detached() - Start a program
 * @pid:	Receives its process id, a child of ours for spawn_has_ended() to reap
 * @path:	Executable
 * @argv:	Arguments, the program's name first, NULL last
 * @envp:	Environment, NULL last: nothing of ours is passed on
 * @e:		Receives the reason on failure
 *
 * The program leads a new session, has /dev/null on its standard streams and no other descriptor,
 * an empty signal mask, default dispositions, and "/" as its directory. Capabilities follow
 * capabilities(7): ambient ones stay.
 *
 * Return: 0 once the program runs, or a negative errno value
 */
int spawn_detached(pid_t *pid, const char *path, char *const argv[], char *const envp[],
		   struct err *e);

/**
 * spawn_has_ended() - Has the program ended? Reaps it if so
 * @pid:	Process id, 0 for none; becomes 0 once reaped, as the number may go to another process
 * @why:	Receives "exit status 1", "signal 9" or, if somebody else has reaped it, "unknown
 *		status"
 * @size:	Room in @why
 */
bool spawn_has_ended(pid_t *pid, char *why, size_t size);

/**
 * spawn_kill() - Kill the program and reap it
 * @pid:	Process id, 0 for none; becomes 0
 */
void spawn_kill(pid_t *pid);

#endif /* DAEMON_WG_SPAWN_H */

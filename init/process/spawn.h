/* SPDX-License-Identifier: MIT */
/* spawn - the only forker: programs, and functions of our own, in a child */
#ifndef INIT_PROCESS_SPAWN_H
#define INIT_PROCESS_SPAWN_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/types.h>

/**
 * struct spawn_program - A program to start
 * @argv:	Arguments, NULL at the end; argv[0] is looked up in PATH
 * @envp:	Environment, NULL at the end
 * @hand_over:	Descriptor that the program inherits under its number, 0 for none
 * @stdout_fd:	Descriptor that becomes its standard output, 0 to inherit ours
 * @stderr_fd:	Descriptor that becomes its standard error, -1 to inherit ours
 * @error_fd:	Write end of struct spawn_errors, where the child says why it could not become the
 *		program; -1 for nowhere
 * @parent:	Process number of wgmesh-init: where that is not 1, the program is killed when it dies; 0
 *		for a program that may outlive it
 * @confine:	Change the user, keep only @keep, set no_new_privs
 * @foreground:	Give it the terminal on standard input, if that is ours to give
 * @last_group:	Process group that had the terminal from us before, 0 for none
 * @uid:	User, with @confine
 * @gid:	Group, with @confine
 * @check:	Asked by the child, with the program's rights, whether to execute it: 0, or a negative errno
 *		value with an exit code; NULL for no question
 * @check_arg:	Its argument
 * @keep:	Capabilities to keep, with @confine; may be NULL
 * @n_keep:	Entries in @keep
 */
struct spawn_program {
	char *const *argv;
	char *const *envp;
	int hand_over;
	int stdout_fd;
	int stderr_fd;
	int error_fd;
	pid_t parent;
	bool confine;
	bool foreground;
	pid_t last_group;
	uid_t uid;
	gid_t gid;
	int (*check)(const void *arg, struct err *e);
	const void *check_arg;
	const cap_value_t *keep;
	size_t n_keep;
};

/**
 * struct spawn_report - What a child says that could not become its program
 * @pid:	The child; 0 for an empty entry
 * @why:	Reason, with the exit code it asks for
 */
struct spawn_report {
	pid_t pid;
	struct err why;
};

#define SPAWN_REPORTS_KEPT 4

/**
 * struct spawn_errors - Where children report, one for all that are ever started
 * @read_fd:	Our end, never waits; owned
 * @write_fd:	The children's end, for struct spawn_program; owned
 * @kept:	Reports that were read before somebody asked for them
 * @n_kept:	How many were ever kept; the oldest gives way
 */
struct spawn_errors {
	int read_fd;
	int write_fd;
	struct spawn_report kept[SPAWN_REPORTS_KEPT];
	size_t n_kept;
};

/**
 * spawn_errors_open() - Make the pipe that children report over
 * @s:		Receives both ends, closed at exec
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: 0 or a negative errno value
 */
int spawn_errors_open(struct spawn_errors *s, struct err *e);

/**
 * spawn_errors_close() - Close both ends
 */
void spawn_errors_close(struct spawn_errors *s);

/**
 * spawn_errors_take() - Did an ended child fail before it became its program?
 * @s:		Reports
 * @pid:	Child whose end has been seen
 * @e:		Receives the reason, with the exit code it asks for; may be NULL
 *
 * Return: 0 when the program ran, or a negative errno value
 */
int spawn_errors_take(struct spawn_errors *s, pid_t pid, struct err *e);

/**
 * spawn_program() - Start a program in a process group of its own
 * @p:		What to start; borrowed
 *
 * The child makes its group itself, so a signal to the group may come too early: send it to the process
 * then (forward.h). It gets default dispositions, an empty signal mask and no descriptor above 2 but
 * @p->hand_over. Returns as soon as it is forked; ask spawn_errors_take() once it has ended.
 *
 * Where wgmesh-init is not PID 1, and so its end is not everybody's, the program is killed when
 * wgmesh-init dies. By SIGKILL, as the kernel does in a container of its own: the lock on the
 * identity is gone in the same moment, and a program that takes its time over SIGTERM would share the
 * identity with whoever comes next. What it leaves behind is what a crash leaves, which the next
 * start takes over.
 *
 * Return: its process number, or a negative errno value when no process could be made
 */
pid_t spawn_program(const struct spawn_program *p);

/**
 * spawn_can_make_siblings() - Does it work here that a process starts children for its parent?
 *
 * gVisor takes CLONE_PARENT and ignores it, so that PID 1 would never see the end of what a spawner
 * starts. Linux refuses it to a PID 1 before anything is made, which tells the two apart for nothing.
 * Where we are not PID 1, it is taken to work.
 */
bool spawn_can_make_siblings(void);

/**
 * spawn_make_siblings() - From now on, what is started becomes a child of this process's parent
 *
 * For the spawner (spawner.h), which starts things in the name of its parent and waits for none.
 */
void spawn_make_siblings(void);

/**
 * spawn_function() - Run a function in a child
 * @run:	Function; what it returns is the child's exit code
 * @arg:	Its argument
 *
 * Return: the child's process number, or a negative errno value
 */
pid_t spawn_function(int (*run)(void *arg), void *arg);

#endif /* INIT_PROCESS_SPAWN_H */

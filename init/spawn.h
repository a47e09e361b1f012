/* SPDX-License-Identifier: MIT */
/* spawn - the only forker: programs, and functions of our own, in a child */
#ifndef INIT_SPAWN_H
#define INIT_SPAWN_H

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
 * @confine:	Change the user, keep only @keep, set no_new_privs
 * @foreground:	Give it the terminal on standard input, where there is one
 * @uid:	User, with @confine
 * @gid:	Group, with @confine
 * @keep:	Capabilities to keep, with @confine; may be NULL
 * @n_keep:	Entries in @keep
 */
struct spawn_program {
	char *const *argv;
	char *const *envp;
	int hand_over;
	bool confine;
	bool foreground;
	uid_t uid;
	gid_t gid;
	const cap_value_t *keep;
	size_t n_keep;
};

/**
 * struct spawn_child - A started program
 * @pid:	Process, 0 when there is none
 * @error_fd:	Where it reports why it could not become the program; owned
 */
struct spawn_child {
	pid_t pid;
	int error_fd;
};

/**
 * spawn_program() - Start a program in a process group of its own
 * @p:		What to start; borrowed
 * @out:	Receives the child
 * @e:		Receives the reason on failure, may be NULL
 *
 * The child gets default dispositions, an empty signal mask and no descriptor above 2. Returns as
 * soon as it is forked; ask spawn_error() once it has ended.
 *
 * Return: 0 or a negative errno value when it could not be forked
 */
int spawn_program(const struct spawn_program *p, struct spawn_child *out, struct err *e);

/**
 * spawn_error() - Did an ended child fail before it became its program?
 * @child:	Ended child; its descriptor is closed
 * @e:		Receives the reason, with the exit code it asks for; may be NULL
 *
 * Return: 0 when the program ran, or a negative errno value
 */
int spawn_error(struct spawn_child *child, struct err *e);

/**
 * spawn_function() - Run a function in a child
 * @run:	Function; what it returns is the child's exit code
 * @arg:	Its argument
 *
 * Return: the child's process number, or a negative errno value
 */
pid_t spawn_function(int (*run)(void *arg), void *arg);

#endif /* INIT_SPAWN_H */

/* SPDX-License-Identifier: MIT */
/* fork - a child process with every signal at its default disposition */
#ifndef INIT_FORK_H
#define INIT_FORK_H

#include <sys/types.h>

/**
 * fork_default() - fork(2), and in the child give every signal its default disposition
 *
 * Caught signals become default at execve(2) by themselves, ignored ones stay ignored: those of
 * whoever started us would be passed on for ever. The signal mask stays as it is. The child is to
 * call execve(2) or _exit(2) soon, and nothing that depends on threads.
 *
 * Return: as fork(2), a negative errno value on failure
 */
pid_t fork_default(void);

#endif /* INIT_FORK_H */

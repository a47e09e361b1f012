/* SPDX-License-Identifier: MIT */
/* child - wait for a child of a start-up phase: with a limit, and no longer than a stop signal allows */
#ifndef INIT_PROCESS_CHILD_H
#define INIT_PROCESS_CHILD_H

#include "init/supervise/reap.h"

#include <stddef.h>
#include <stdint.h>

/* So many times the limit for a test write may pass without a step of a longer work. */
#define CHILD_PATIENCE 3

/* A limit that never passes. */
#define CHILD_NO_LIMIT UINT64_MAX

/**
 * child_wait() - Wait until a child has ended
 * @out:	Receives how it ended
 * @pid:	Child
 * @limit_ms:	Milliseconds to wait, or CHILD_NO_LIMIT
 *
 * Return: 0, -ETIMEDOUT, -EINTR when a stop signal came first (it stays pending), or another
 *         negative errno value; in each of these the child lives on
 */
int child_wait(struct reaped *out, pid_t pid, uint64_t limit_ms);

/**
 * child_abandon() - Kill a child without waiting for its end
 * @pid:	Child; one that hangs in the kernel dies when the kernel lets go of it
 */
void child_abandon(pid_t pid);

/**
 * child_run() - Run a function on storage that may hang, in a child with a limit
 * @run:	Function; gets the copy of @data in memory that both processes see
 * @data:	Argument and result in one; borrowed; unchanged on failure
 * @size:	Bytes in @data
 * @limit_ms:	Milliseconds to wait, or CHILD_NO_LIMIT
 *
 * Return: 0, -ETIMEDOUT with the child abandoned, -EINTR for a stop signal, -EIO when the child
 *         crashed, or another negative errno value
 */
int child_run(void (*run)(void *data), void *data, size_t size, uint64_t limit_ms);

/**
 * child_run_active() - Like child_run(), for work of which nobody knows how long it takes
 * @run:	Function; counts its steps in its data, as it goes
 * @data:	Argument and result in one; borrowed; unchanged on failure
 * @size:	Bytes in @data
 * @limit_ms:	Milliseconds without a step, after which the child is given up
 * @steps:	The counter inside @data
 *
 * Return: like child_run()
 */
int child_run_active(void (*run)(void *data), void *data, size_t size, uint64_t limit_ms,
		     const uint64_t *steps);

#endif /* INIT_PROCESS_CHILD_H */

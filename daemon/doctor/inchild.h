/* SPDX-License-Identifier: MIT */
/*
 * inchild - run a prober in a process of its own: it may hang, crash, or change its namespaces
 *
 * What it finds comes back through a pipe. A child that does not end in time is killed and left: one
 * that is stuck in the kernel, on a file server that is gone, ends when the kernel lets it.
 */
#ifndef DAEMON_DOCTOR_INCHILD_H
#define DAEMON_DOCTOR_INCHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Fills in @out, which is zeroed; @arg is borrowed. Its return value does not matter: it has none. */
typedef void inchild_fn(void *out, const void *arg);

/**
 * struct inchild - A child that looks at something
 * @pid:	Its number, 0 when there is none
 * @fd:		What it writes to, -1 when there is none
 * @code:	Why there is none: a negative errno value
 * @size:	Bytes that it will write
 * @used:	Bytes that came so far
 * @buf:	They; owned
 */
struct inchild {
	pid_t pid;
	int fd;
	int code;
	size_t size;
	size_t used;
	uint8_t *buf;
};

/**
 * inchild_start() - Start a prober
 * @c:		Child; inchild_take() it, also when it could not be started
 * @fn:		Prober
 * @arg:	Passed on to @fn
 * @size:	Bytes that @fn fills in
 */
void inchild_start(struct inchild *c, inchild_fn *fn, const void *arg, size_t size);

/**
 * inchild_wait() - Wait for a prober
 * @c:		Child
 * @until_ms:	Monotonic time to wait until (clock.h)
 *
 * Return: true when it has come to its end, or never will
 */
bool inchild_wait(struct inchild *c, int64_t until_ms);

/**
 * inchild_take() - Take what a prober found, and be rid of it
 * @c:		Child
 * @out:	Receives what it filled in, untouched on failure
 *
 * Return: 0, -ETIMEDOUT when it had to be stopped, or another negative errno value
 */
int inchild_take(struct inchild *c, void *out);

/**
 * inchild_die_with_parent() - In a prober that has changed its user or its user namespace
 *
 * Whoever interrupts us leaves no prober behind, even one that hangs; but the kernel forgets that wish
 * when the credentials of a process change (prctl(2), PR_SET_PDEATHSIG).
 */
void inchild_die_with_parent(void);

#endif /* DAEMON_DOCTOR_INCHILD_H */

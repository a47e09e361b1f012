/* SPDX-License-Identifier: MIT */
/*
 * landlock - a process lays down every right to open, make and remove files, for good
 *
 * Landlock (landlock(7), Linux 5.13) is asked for all that the running kernel's version of it can
 * refuse. What older versions cannot refuse, the system call filter does (daemon/confine/filter.h).
 */
#ifndef DAEMON_CONFINE_LANDLOCK_H
#define DAEMON_CONFINE_LANDLOCK_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/**
 * landlock_confine() - Give up the file system, other processes' memory, and TCP beyond some ports
 * @ports:	TCP ports that may still be bound; nothing may be connected to (version 4)
 * @n:		Entries in @ports
 * @e:		Receives the reason on failure
 *
 * Descriptors that are open stay usable. Needs no_new_privs, and no capability.
 *
 * Return: the kernel's version of Landlock, 0 where it has none or does not let us use it, or a
 *         negative errno value when something else went wrong
 */
int landlock_confine(const uint16_t *ports, size_t n, struct err *e);

#endif /* DAEMON_CONFINE_LANDLOCK_H */

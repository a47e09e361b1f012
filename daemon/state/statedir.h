/* SPDX-License-Identifier: MIT */
/*
 * statedir - the state directory: open it, lock it, and leave files to whom they belong
 *
 * Two locks, both open file description locks on a file (fcntl(2)): wgmesh-init holds
 * .wgmesh.lock for as long as a container uses the directory, and the daemon holds
 * .wgmesh.daemon.lock for as long as it runs, with or without wgmesh-init. Who wants to change the
 * identity from outside needs both.
 */
#ifndef DAEMON_STATE_STATEDIR_H
#define DAEMON_STATE_STATEDIR_H

#include "common/err.h"
#include "common/holder.h"

#include <stdbool.h>
#include <stdint.h>

#define STATEDIR_INIT_LOCK   ".wgmesh.lock"
#define STATEDIR_DAEMON_LOCK ".wgmesh.daemon.lock"

/**
 * statedir_open() - Open the state directory
 * @path:	Its path
 * @create:	Make it when it is missing, mode 0700
 * @e:		Names the path, and with exit codes 73, 74 or 77 what is wrong
 *
 * Return: descriptor owned by the caller, or a negative errno value
 */
int statedir_open(const char *path, bool create, struct err *e);

/**
 * statedir_lock() - Take one of the locks
 * @fd:		Receives the open lock file, which holds the lock until it is closed; owned by the
 *		caller; -1 unless it is ours
 * @dirfd:	State directory; borrowed
 * @file:	STATEDIR_*_LOCK
 * @patience_ms: Wait so long for another holder to let go
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: 0 when it is ours; -EAGAIN when another holds it; another negative errno value when the
 *         file system has no locks or the file cannot be made
 */
int statedir_lock(int *fd, int dirfd, const char *file, uint64_t patience_ms, struct err *e);

/**
 * statedir_holder() - Who holds one of the locks? Takes nothing, changes nothing
 * @out:	Receives "HOST (container ID), process PID, since TIME" as far as it is known
 * @dirfd:	State directory; borrowed
 * @file:	STATEDIR_*_LOCK
 *
 * Return: true when it is held
 */
bool statedir_holder(char out[static HOLDER_TEXT_SIZE], int dirfd, const char *file);

/**
 * statedir_describe() - Name a holder in a sentence
 * @out:	Receives "HOST (container ID), process PID, since TIME" as far as it is known
 * @text:	key=value lines of a lock or a lease; borrowed
 */
void statedir_describe(char out[static HOLDER_TEXT_SIZE], const char *text);

/**
 * statedir_give() - Give a file that we have just written to the owner of the state directory
 * @dirfd:	State directory; borrowed
 * @subfd:	Directory the file is in; borrowed
 * @name:	File
 *
 * Root may work on a directory whose daemon runs as another user, and that one must be able to read
 * what was written. Does nothing where the owner is us, or the file is no plain file of ours.
 */
void statedir_give(int dirfd, int subfd, const char *name);

#endif /* DAEMON_STATE_STATEDIR_H */

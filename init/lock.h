/* SPDX-License-Identifier: MIT */
/* lock - one writer for one identity: an OFD lock in the state directory, held for life */
#ifndef INIT_LOCK_H
#define INIT_LOCK_H

#include "init/boot.h"

#include <stdbool.h>

/**
 * struct lock_holder - Who holds, or last held, the lock; empty texts when not known
 * @host:	Host name: a container's id or a pod's name
 * @container:	Container id
 * @pid:	Process number, in its own namespace
 * @since:	When it was taken
 */
struct lock_holder {
	char host[80];
	char container[68];
	char pid[16];
	char since[28];
};

/**
 * lock_try() - Take the lock if it is free
 * @dirfd:	State directory; borrowed
 * @fd:		Receives the open lock file in every case but an error; owned by the caller
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: 1 when it is ours now, 0 when another holds it, or a negative errno value (-ENOLCK and
 *         -EOPNOTSUPP where the file system has no locks)
 */
int lock_try(int dirfd, int *fd, struct err *e);

/**
 * lock_is_held() - Does anybody else hold the lock? Takes nothing, changes nothing
 * @dirfd:	State directory; borrowed
 * @holder:	Receives who
 */
bool lock_is_held(int dirfd, struct lock_holder *holder);

/**
 * lock_parse_holder() - Parse a lock file's contents; pure
 * @text:	Contents
 * @out:	Receives what is in it
 */
void lock_parse_holder(const char *text, struct lock_holder *out);

/**
 * lock_acquire() - Phase "lock": take the lock, waiting up to --lock-timeout
 */
int lock_acquire(struct boot *b, struct err *e);

#endif /* INIT_LOCK_H */

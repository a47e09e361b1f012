/* SPDX-License-Identifier: MIT */
/*
 * lock - one writer for one identity: an OFD lock in the state directory, held for life
 *
 * Where locks may reach no further than one host, or do not work, a lease is held as well (lease.h).
 */
#ifndef INIT_LOCK_LOCK_H
#define INIT_LOCK_LOCK_H

#include "common/holder.h"
#include "init/boot.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * lock_try() - Take the lock if it is free
 * @dirfd:	State directory; borrowed
 * @limit_ms:	Ask in a child that is given up after this long, for file servers; 0 to ask directly
 * @fd:		Receives the lock file, after an error too, -1 where it could not be opened; owned by the
 *		caller
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: 1 when it is ours now, 0 when another holds it, or a negative errno value (-ENOLCK and
 *         -EOPNOTSUPP where the file system has no locks)
 */
int lock_try(int dirfd, uint64_t limit_ms, int *fd, struct err *e);

/**
 * lock_is_held() - Does anybody else hold the lock? Takes nothing, changes nothing
 * @dirfd:	State directory; borrowed
 * @holder:	Receives who
 */
bool lock_is_held(int dirfd, struct holder *holder);

/**
 * lock_acquire() - Phase "lock": take the lock and, where it is needed, the lease, waiting up to
 *		    --lock-timeout
 */
int lock_acquire(struct boot *b, struct err *e);

/**
 * lock_refuse() - The reason to end with when another one has the state directory
 * @b:		Boot
 * @h:		Who
 * @e:		Receives the reason
 *
 * Return: a negative errno value
 */
int lock_refuse(const struct boot *b, const struct holder *h, struct err *e);

#endif /* INIT_LOCK_LOCK_H */

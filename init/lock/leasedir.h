/* SPDX-License-Identifier: MIT */
/* leasedir - carries out one operation of the lease's state machine in the state directory; may hang */
#ifndef INIT_LOCK_LEASEDIR_H
#define INIT_LOCK_LEASEDIR_H

#include "init/lock/lease.h"

/**
 * leasedir_run() - Carry out one operation that is no pause
 * @dirfd:	State directory; borrowed
 * @op:		What to do
 * @a:		Receives what came of it
 */
void leasedir_run(int dirfd, const struct lease_op *op, struct lease_answer *a);

/**
 * leasedir_read_current() - Read the lease that counts
 * @dirfd:	State directory; borrowed
 * @a:		Receives its term as @a->highest, 0 for none, and its contents
 */
void leasedir_read_current(int dirfd, struct lease_answer *a);

#endif /* INIT_LOCK_LEASEDIR_H */

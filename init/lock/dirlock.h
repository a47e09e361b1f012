/* SPDX-License-Identifier: MIT */
/*
 * dirlock - a second lock, on the state directory itself
 *
 * The file .wgmesh.lock says who holds it, and so invites people to remove it, after which the next container
 * locks another file of the same name. A directory that is mounted cannot be removed.
 */
#ifndef INIT_LOCK_DIRLOCK_H
#define INIT_LOCK_DIRLOCK_H

#include <stdint.h>

/**
 * dirlock_take() - Take it; flock(2)
 * @dirfd:	State directory; borrowed
 * @limit_ms:	Milliseconds to wait, 0 to try only
 * @fd:		Receives the descriptor that holds it, -1 where there is none; owned by the caller
 *
 * Return: 1 when it is ours, or when the file system has no such locks; 0 when another one had it for all
 *         that time; -EINTR for a stop signal, or another negative errno value
 */
int dirlock_take(int dirfd, uint64_t limit_ms, int *fd);

#endif /* INIT_LOCK_DIRLOCK_H */

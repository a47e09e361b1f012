/* SPDX-License-Identifier: MIT */
/* fsuser - reach files as another user for a while, as a file server does: setfsuid(2) */
#ifndef INIT_STATE_FSUSER_H
#define INIT_STATE_FSUSER_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * fsuser_become() - From now on, reach files as this user
 * @uid:	User
 * @gid:	Group
 *
 * The capabilities that override file permissions rest meanwhile (capabilities(7)). Without
 * CAP_SETUID and CAP_SETGID nothing changes. Children inherit it until execve(2).
 */
void fsuser_become(uid_t uid, gid_t gid);

/**
 * fsuser_swap() - Reach files as the other one of the two: ourselves, or a user
 * @uid:	User
 * @gid:	Group
 *
 * For what one of them may not do, and the other one may. A second call takes the first one back.
 *
 * Return: false when there is no other one
 */
bool fsuser_swap(uid_t uid, gid_t gid);

/**
 * fsuser_revert() - Reach files as ourselves again
 */
void fsuser_revert(void);

#endif /* INIT_STATE_FSUSER_H */

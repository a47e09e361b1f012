/* SPDX-License-Identifier: MIT */
/* caps - read and reduce the capabilities of this process; never allocates */
#ifndef COMMON_CAPS_H
#define COMMON_CAPS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/capability.h>

/**
 * caps_has() - Is a capability in effect for this process?
 * @cap:	CAP_* number
 */
bool caps_has(cap_value_t cap);

/**
 * caps_may() - Is a capability permitted, in effect or not?
 * @cap:	CAP_* number
 *
 * A change of the file system user (setfsuid(2)) takes some out of effect for a while.
 */
bool caps_may(cap_value_t cap);

/**
 * caps_has_bound() - Could this process still be given a capability (bounding set)?
 * @cap:	CAP_* number
 */
bool caps_has_bound(cap_value_t cap);

/**
 * caps_has_file() - Does a program have a capability as a file capability, permitted?
 * @path:	Program
 * @cap:	CAP_* number, below 32
 */
bool caps_has_file(const char *path, cap_value_t cap);

/**
 * caps_is_network_foreign() - Does our network namespace belong to a user namespace outside of ours?
 *
 * Then our capabilities do not count for it. The kernel names the owner of a namespace only to whoever
 * has power over it (ioctl_ns(2)).
 */
bool caps_is_network_foreign(void);

/**
 * caps_raise() - Put every permitted capability into effect
 *
 * A program with file capabilities may have been given them permitted only ("+p"), because with
 * "+ep" it could not even be executed where the bounding set lacks one of them.
 */
void caps_raise(void);

/**
 * caps_reduce_bound() - Take all but some capabilities out of the bounding set, so that no execve(2)
 *			 brings them back
 * @keep:	Capabilities to leave in; may be NULL when @n is 0
 * @n:		Entries in @keep
 *
 * Needs CAP_SETPCAP; without it nothing changes.
 */
void caps_reduce_bound(const cap_value_t *keep, size_t n);

/**
 * caps_keep_only() - Give up every capability that is not listed
 * @keep:	Capabilities to keep permitted and effective, where held; may be NULL when @n is 0
 * @n:		Entries in @keep
 * @e:		Receives the reason on failure, may be NULL
 *
 * The inheritable and ambient sets are emptied.
 *
 * Return: 0 or a negative errno value
 */
int caps_keep_only(const cap_value_t *keep, size_t n, struct err *e);

/**
 * caps_become() - Change to another user, with chosen capabilities surviving execve(2)
 * @uid:	User to become
 * @gid:	Group to become; supplementary groups are emptied
 * @keep:	Capabilities to keep: permitted, inheritable and ambient; may be NULL when @n is 0
 * @n:		Entries in @keep
 * @e:		Receives the reason on failure, may be NULL
 *
 * Capabilities that are not held are left out silently: the caller has reported them before. The
 * bounding set is reduced to @keep where CAP_SETPCAP allows it. A process that already is that
 * user, and may not change groups, keeps its groups. capabilities(7)
 *
 * Return: 0 or a negative errno value
 */
int caps_become(uid_t uid, gid_t gid, const cap_value_t *keep, size_t n, struct err *e);

#endif /* COMMON_CAPS_H */

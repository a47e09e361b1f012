/* SPDX-License-Identifier: MIT */
/* user - which user the daemon gets: the one that is asked for, or ours where no other can be had */
#ifndef INIT_PROCESS_USER_H
#define INIT_PROCESS_USER_H

#include "init/config.h"

/**
 * user_choose() - Fill in the user of a configuration
 * @c:		Configuration with its options read; receives @uid, @gid, @confine, @may_change_user and
 *		@is_user_unmapped
 * @e:		Receives the reason on failure
 *
 * A user that does not exist in this user namespace cannot be had, whatever the capabilities.
 *
 * Return: 0, or a negative errno value with an exit code where --user asks for the impossible
 */
int user_choose(struct config *c, struct err *e);

/**
 * user_is_mapped() - Does a user exist in this user namespace?
 */
bool user_is_mapped(uid_t uid);

/**
 * user_has_all() - Do all users exist here, as on a machine without user namespaces?
 */
bool user_has_all(void);

/**
 * user_explain_unmapped() - Why the user that was wanted does not exist here, in words
 * @uid:	User that was wanted
 * @gid:	Group that was wanted
 * @out:	Receives a part of a sentence, "uid 65532 ... "
 * @size:	Room in @out
 */
void user_explain_unmapped(uid_t uid, gid_t gid, char *out, size_t size);

#endif /* INIT_PROCESS_USER_H */

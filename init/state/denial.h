/* SPDX-License-Identifier: MIT */
/* denial - the sentence for a user who may not: whose, which mode, what is missing, and the cure; pure */
#ifndef INIT_STATE_DENIAL_H
#define INIT_STATE_DENIAL_H

#include "common/err.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* As whom the kernel shows users and groups that are not mapped into a user namespace. */
#define DENIAL_OVERFLOW_ID 65534

/**
 * struct denial - What is known about a failure
 * @what:	What cannot be done: "create a file"
 * @path:	Directory or file that it failed at
 * @st:		Its owner and mode, NULL when it could not be looked at
 * @is_above:	Its mode would do: something else keeps the daemon out
 * @is_immutable: It has the attribute "immutable" or "append only"
 * @is_unmapped: Its owner does not exist in this user namespace
 * @missing:	First capability whose lack explains the failure, without "CAP_"; NULL for none
 * @euid:	User of this process
 * @uid:	User of the daemon
 * @gid:	Group of the daemon
 */
struct denial {
	const char *what;
	const char *path;
	const struct stat *st;
	bool is_above;
	bool is_immutable;
	bool is_unmapped;
	const char *missing;
	uid_t euid;
	uid_t uid;
	gid_t gid;
};

/**
 * denial_explain() - Put it into one sentence
 * @d:		What is known
 * @error:	Negative errno value
 * @e:		Receives the sentence, with exit code 77
 *
 * Return: @error
 */
int denial_explain(const struct denial *d, int error, struct err *e);

#endif /* INIT_STATE_DENIAL_H */

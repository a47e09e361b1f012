/* SPDX-License-Identifier: MIT */
/* ownership - give the state directory and our files in it to the daemon's user, and nothing else */
#ifndef INIT_STATE_OWNERSHIP_H
#define INIT_STATE_OWNERSHIP_H

#include "init/boot.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define OWNERSHIP_GROUPS_MAX 64

/**
 * struct ownership_user - For whom the files have to be
 * @uid:	User
 * @gid:	Group
 * @is_strict:	Do not leave to a group what it shares: a mode may say more than an ACL allows
 * @n_groups:	Entries in @groups
 * @groups:	Supplementary groups the user keeps
 */
struct ownership_user {
	uid_t uid;
	gid_t gid;
	bool is_strict;
	size_t n_groups;
	gid_t groups[OWNERSHIP_GROUPS_MAX];
};

/**
 * struct ownership_plan - What differs
 * @chown:	The owner has to change
 * @chmod:	The mode has to change
 * @mode:	Mode wanted
 */
struct ownership_plan {
	bool chown;
	bool chmod;
	mode_t mode;
};

/**
 * struct ownership_result - What a repair came to
 * @seen:	Entries of ours looked at; counts while the repair goes on
 * @fixed:	Entries put right (in a dry run: to be put right)
 * @failed:	Entries that are not as wanted, and may not be changed
 * @left:	Links, devices and mounts that are never touched
 * @first:	Name of the first that failed, printable, "." for the directory
 * @first_stat:	Its owner and mode
 * @first_error: Why it could not be changed, negative errno value
 */
struct ownership_result {
	uint64_t seen;
	unsigned int fixed;
	unsigned int failed;
	unsigned int left;
	char first[NAME_MAX + 1];
	struct stat first_stat;
	int first_error;
};

/**
 * ownership_decide() - What has to change about one entry; pure
 * @st:		Entry: a directory or a regular file
 * @user:	For whom
 * @out:	Receives the plan
 *
 * Directories are to be 0700, files 0600, both owned by the user. Group bits may stay where the
 * group is one the user keeps, or the directory is setgid: that is how Kubernetes' fsGroup works.
 */
void ownership_decide(const struct stat *st, const struct ownership_user *user,
		      struct ownership_plan *out);

/**
 * ownership_can_use() - Do owner and mode allow the user to read and write the entry? pure
 * @st:		Entry
 * @user:	User without any capability
 *
 * ACLs, file servers and security modules may see it otherwise: trial.h asks them.
 */
bool ownership_can_use(const struct stat *st, const struct ownership_user *user);

/**
 * ownership_repair() - Put the directory and our files in it right, as far as we may
 * @dirfd:	State directory; borrowed
 * @user:	For whom
 * @is_dry:	Change nothing
 * @out:	Receives what it came to
 *
 * No link is followed, no mount crossed, nothing opened, nothing with a second name (hard link)
 * touched, whatever somebody else does in the directory meanwhile (plainfile.h). May be killed at any
 * instruction: the next run goes on.
 *
 * Return: 0, or a negative errno value when the directory cannot be listed
 */
int ownership_repair(int dirfd, const struct ownership_user *user, bool is_dry,
		     struct ownership_result *out);

/**
 * ownership_repair_directory() - Put only the directory itself right
 * @dir:	State directory
 * @uid:	User
 * @gid:	Group
 *
 * Return: 0 or a negative errno value
 */
int ownership_repair_directory(const char *dir, uid_t uid, gid_t gid);

/**
 * ownership_refuse() - Explain why the daemon's user cannot work in the state directory
 * @c:		Configuration
 * @what:	What failed: "create a file"
 * @name:	File in it that it failed with, empty for the directory itself
 * @error:	Negative errno value
 * @e:		Receives the sentence: who, whose, which capability is missing, the cure
 *
 * Return: @error
 */
int ownership_refuse(const struct config *c, const char *what, const char *name, int error,
		     struct err *e);

/**
 * ownership_settle() - Phase "ownership": repair, then let the daemon's user try
 */
int ownership_settle(struct boot *b, struct err *e);

#endif /* INIT_STATE_OWNERSHIP_H */

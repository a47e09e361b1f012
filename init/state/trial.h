/* SPDX-License-Identifier: MIT */
/*
 * trial - can the daemon's user work in the state directory? Found out by being that user
 *
 * Owner and mode are not the whole truth: ACLs, file servers that map users, security modules, and
 * directories above the state directory have a say too.
 */
#ifndef INIT_STATE_TRIAL_H
#define INIT_STATE_TRIAL_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/**
 * struct trial_failure - What the user could not do
 * @error:	Negative errno value, 0 for nothing
 * @step:	"create a file"
 * @name:	The file, printable; empty for the directory itself
 */
struct trial_failure {
	int error;
	char step[40];
	char name[128];
};

/**
 * struct trial - A test, and what came of it
 * @dir:	State directory, as the daemon will open it
 * @key:	Name of the key file
 * @uid:	User to become
 * @gid:	Group to become
 * @work:	Why the user cannot work in the directory at all
 * @key_read:	Why the user cannot read the key file; @error is 0 when there is none
 * @file:	The first other file of ours that the user cannot read or replace
 * @n_files:	How many of those there are
 * @n_snapshots: Snapshots of the key that the user can read
 */
struct trial {
	char dir[PATH_MAX];
	char key[32];
	uid_t uid;
	gid_t gid;
	struct trial_failure work;
	struct trial_failure key_read;
	struct trial_failure file;
	unsigned int n_files;
	unsigned int n_snapshots;
};

/**
 * trial_run() - Become the user, for good, and try everything that the daemon does
 * @t:		Test; its results are filled in
 *
 * Only for a child that ends afterwards. Leaves nothing behind.
 */
void trial_run(struct trial *t);

#endif /* INIT_STATE_TRIAL_H */

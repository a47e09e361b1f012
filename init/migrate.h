/* SPDX-License-Identifier: MIT */
/* migrate - carry the state of older deployments over: copy, prove, publish, never overwrite */
#ifndef INIT_MIGRATE_H
#define INIT_MIGRATE_H

#include "common/err.h"
#include "init/boot.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A state file is a few kilobytes. */
#define MIGRATE_MAX_BYTES (16 * 1024 * 1024)

/**
 * struct migration - What to do, and what came of it
 * @from_fd:	Legacy directory; borrowed
 * @to_fd:	State directory; borrowed
 * @uid:	Owner of the copies
 * @gid:	Group of the copies
 * @change_owner: The copies have to be given to @uid
 * @is_dry:	Change nothing
 * @copied:	Files copied (in a dry run: to be copied)
 * @present:	Files that were there already, equal or migrated earlier
 * @kept_aside:	Files that differ from the one in place, and are kept in .snapshots
 * @refused:	Links, devices, files with a second name or of absurd size
 * @unknown:	Files that are none of ours, left where they are
 * @unknown_names: The first of their names
 */
struct migration {
	int from_fd;
	int to_fd;
	uid_t uid;
	gid_t gid;
	bool change_owner;
	bool is_dry;
	unsigned int copied;
	unsigned int present;
	unsigned int kept_aside;
	unsigned int refused;
	unsigned int unknown;
	char unknown_names[128];
};

/**
 * migrate_run() - Migrate all known files of a directory
 * @m:		Migration; its results are filled in
 * @e:		Receives the reason on failure
 *
 * May be killed at any instruction: what is published is whole, and the next run goes on.
 *
 * Return: 0, -EINTR when a stop signal came between two files, or a negative errno value
 */
int migrate_run(struct migration *m, struct err *e);

/**
 * migrate_legacy() - Phase "migrate"
 */
int migrate_legacy(struct boot *b, struct err *e);

#endif /* INIT_MIGRATE_H */

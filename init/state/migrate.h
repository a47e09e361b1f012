/* SPDX-License-Identifier: MIT */
/* migrate - carry the state of older deployments over: copy, prove, publish, never overwrite */
#ifndef INIT_STATE_MIGRATE_H
#define INIT_STATE_MIGRATE_H

#include "common/err.h"
#include "init/boot.h"
#include "init/state/keyshow.h"
#include "init/state/progress.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* A state file is a few kilobytes; that of a central node may be more. */
#define MIGRATE_MAX_BYTES (16 * 1024 * 1024)
/* A key file is no larger, or the daemon takes it for damaged. */
#define MIGRATE_KEY_MAX_BYTES 4096
#define MIGRATE_FILES_MAX     128

enum migrate_action {
	MIGRATE_COPIED,
	MIGRATE_WOULD_COPY,
	MIGRATE_PRESENT,
	MIGRATE_KEPT_ASIDE,
	MIGRATE_WOULD_KEEP_ASIDE,
	MIGRATE_REFUSED,
	MIGRATE_UNKNOWN,
	MIGRATE_ACTION_COUNT,
};

/**
 * struct migrate_file - What happened to one file
 * @name:	Its name, printable, cut
 * @action:	What was done
 * @bytes:	Its size
 * @note:	Why, or what it means
 */
struct migrate_file {
	char name[128];
	enum migrate_action action;
	uint64_t bytes;
	char note[200];
};

/**
 * struct migrate_report - What happened to all files
 * @totals:	How many, by action
 * @bytes:	Bytes copied (in a dry run: to be copied)
 * @n:		Entries in @files
 * @files:	The first of them
 */
struct migrate_report {
	unsigned int totals[MIGRATE_ACTION_COUNT];
	uint64_t bytes;
	size_t n;
	struct migrate_file files[MIGRATE_FILES_MAX];
};

/**
 * struct migration - What to do, and what came of it
 * @from_fd:	Legacy directory; borrowed
 * @to_fd:	State directory; borrowed
 * @uid:	Owner of the copies
 * @gid:	Group of the copies
 * @change_owner: The copies have to be given to @uid
 * @is_dry:	Change nothing
 * @key:	Name of this node's key file, without which it would become another node; NULL for none
 * @keys:	How to name the keys of two files that differ; NULL for not at all
 * @progress:	Counts what is done; NULL for not at all
 * @report:	Receives what happened to each file; NULL for nothing
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
	const char *key;
	const struct keyshow *keys;
	struct progress *progress;
	struct migrate_report *report;
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
 * Return: 0, or a negative errno value
 */
int migrate_run(struct migration *m, struct err *e);

/**
 * migrate_action_name() - An action's word in reports
 */
const char *migrate_action_name(enum migrate_action action);

/**
 * migrate_sort() - Put the files of a report in the order of their names
 */
void migrate_sort(struct migrate_report *report);

/**
 * migrate_put_text() - Print a report, a line for each file
 */
void migrate_put_text(FILE *out, const struct migrate_report *report);

/**
 * migrate_put_json() - Print a report as members of a JSON object: "files":[...],"totals":{...}
 */
void migrate_put_json(FILE *out, const struct migrate_report *report);

/**
 * migrate_legacy() - Phase "migrate"
 */
int migrate_legacy(struct boot *b, struct err *e);

#endif /* INIT_STATE_MIGRATE_H */

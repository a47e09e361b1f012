/* SPDX-License-Identifier: MIT */
/* migrate_impl - what the files of the migration share */
#ifndef INIT_STATE_MIGRATE_IMPL_H
#define INIT_STATE_MIGRATE_IMPL_H

#include "init/state/filecopy.h"
#include "init/state/migrate.h"

#include <dirent.h>

/**
 * struct migrate_item - One file of the legacy directory
 * @name:	Its name
 * @visible:	The same, printable
 * @st:		What it is
 * @fd:		The open file, -1 while there is none; borrowed
 */
struct migrate_item {
	const char *name;
	char visible[NAME_MAX + 1];
	struct stat st;
	int fd;
};

/**
 * migrate_record() - Write into the report what happened to a file
 */
__attribute__((format(printf, 4, 5))) void migrate_record(struct migration *m,
							  const struct migrate_item *it,
							  enum migrate_action action,
							  const char *fmt, ...);

/**
 * migrate_open_file() - Like filecopy_open(), as ourselves or as the daemon's user
 *
 * Root without CAP_DAC_OVERRIDE may not read that user's files.
 */
int migrate_open_file(const struct migration *m, int dirfd, const char *name, struct stat *st,
		      struct err *e);

/**
 * migrate_open_dir() - Open a directory to list it, as ourselves or as the daemon's user
 */
int migrate_open_dir(const struct migration *m, int dirfd, const char *name);

/**
 * migrate_compare() - Compare an open file with one in a directory
 *
 * Return: 1 when @name exists in @dirfd with the same bytes as @fd, 0 with others, -ENOENT when it
 *         does not, or another negative errno value
 */
int migrate_compare(const struct migration *m, int dirfd, const char *name, int fd);

/**
 * migrate_init_copy() - Prepare a copy into the state directory; its names are the caller's to set
 */
void migrate_init_copy(const struct migration *m, struct filecopy *c, int from_fd);

/**
 * migrate_next_entry() - The next entry of a directory
 * @dir:	Directory
 * @r:		Receives 0, or a negative errno value: a list that was cut short may lack the key
 *
 * Return: entry, or NULL at the end
 */
const struct dirent *migrate_next_entry(DIR *dir, int *r);

/**
 * migrate_has_snapshot() - Are there ".snapshots/NAME.N", which the daemon keeps of a key?
 *
 * Return: 1, 0 or a negative errno value
 */
int migrate_has_snapshot(const struct migration *m, const char *name);

/**
 * migrate_keep_aside() - Keep a legacy file in .snapshots, and say why it is not used
 * @m:		Migration
 * @it:		The legacy file, open
 * @is_lost:	There is none in place, but there are copies of it
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int migrate_keep_aside(struct migration *m, const struct migrate_item *it, bool is_lost,
		       struct err *e);

#endif /* INIT_STATE_MIGRATE_IMPL_H */

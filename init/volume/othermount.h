/* SPDX-License-Identifier: MIT */
/* othermount - find the mount that the state was probably meant for: "did you mean"; pure */
#ifndef INIT_VOLUME_OTHERMOUNT_H
#define INIT_VOLUME_OTHERMOUNT_H

#include "init/volume/volume.h"

#include <stdbool.h>
#include <stddef.h>

/* Each one is looked into, and may hang; more volumes than these a node does not have. */
#define OTHERMOUNT_MAX 8

/**
 * struct othermount - A mount that may have been meant
 * @dir:	Directory to look into: the mount point, or the legacy directory in it
 * @verdict:	What it is; VERDICT_PERSISTENT or VERDICT_ANONYMOUS
 * @is_read_only: It is mounted read-only
 * @is_legacy:	It holds the legacy directory
 * @is_system:	It is where images and engines mount things of their own
 * @was_seen:	The two below are known; filled in by the edge
 * @has_files:	It holds files of ours
 * @is_empty:	It holds nothing at all
 */
struct othermount {
	char dir[256];
	enum verdict verdict;
	bool is_read_only;
	bool is_legacy;
	bool is_system;
	bool was_seen;
	bool has_files;
	bool is_empty;
};

/**
 * othermount_list() - List the mounts that may have been meant, the legacy directory's first
 * @mounts:	Text of /proc/self/mountinfo
 * @state_path:	State directory, without symbolic links
 * @legacy:	Legacy directory; may be NULL
 * @out:	Receives them
 *
 * Return: how many
 */
size_t othermount_list(const char *mounts, const char *state_path, const char *legacy,
		       struct othermount out[static OTHERMOUNT_MAX]);

/**
 * othermount_choose() - Choose the one to name
 * @list:	What othermount_list() found, looked into by the edge as far as that was possible
 * @n:		How many
 *
 * One that holds our files comes before the legacy directory's, and that before the first that nobody
 * uses.
 *
 * Return: one of @list, or NULL
 */
const struct othermount *othermount_choose(const struct othermount *list, size_t n);

#endif /* INIT_VOLUME_OTHERMOUNT_H */

/* SPDX-License-Identifier: MIT */
/* filecopy - copy a small file durably, prove the copy equal, and publish it over nothing */
#ifndef INIT_STATE_FILECOPY_H
#define INIT_STATE_FILECOPY_H

#include "common/err.h"
#include "init/state/progress.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/**
 * struct filecopy - A file to copy
 * @from_fd:	The open source file; borrowed
 * @to_dir:	Directory of the copy; borrowed
 * @name:	Name of the copy
 * @temporary:	Name to write it under first; overwritten when it exists
 * @progress:	Counts what is done; NULL for not at all
 * @change_owner: Give the copy to @uid and @gid
 * @uid:	Owner
 * @gid:	Group
 */
struct filecopy {
	int from_fd;
	int to_dir;
	const char *name;
	const char *temporary;
	struct progress *progress;
	bool change_owner;
	uid_t uid;
	gid_t gid;
};

/**
 * filecopy_open() - Open a file to copy or compare, if it is one that may be copied
 * @dirfd:	Directory; borrowed
 * @name:	Name inside it
 * @st:		Receives what it is
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: descriptor owned by the caller; -ELOOP, -EINVAL, -EMLINK or -EFBIG for a link, no
 *         regular file, one with a second name, one above the limit; or another negative errno
 */
int filecopy_open(int dirfd, const char *name, struct stat *st, struct err *e);

/**
 * filecopy_is_equal() - Compare two open files byte for byte
 * @a:		First
 * @b:		Second
 *
 * Return: 1 when they are equal, 0 when not, or a negative errno value
 */
int filecopy_is_equal(int a, int b);

/**
 * filecopy_compare() - Like filecopy_is_equal(), and count the steps
 */
int filecopy_compare(int a, int b, struct progress *progress);

/**
 * filecopy_publish() - Copy, sync, compare, and rename into place
 * @c:		What to copy
 * @e:		Receives the reason on failure
 *
 * Return: 0 once the copy outlives a power cut, -EEXIST with the existing file untouched, or
 *         another negative errno value
 */
int filecopy_publish(const struct filecopy *c, struct err *e);

#endif /* INIT_STATE_FILECOPY_H */

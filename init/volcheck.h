/* SPDX-License-Identifier: MIT */
/* volcheck - one look at the storage of a running node; may hang when the storage does */
#ifndef INIT_VOLCHECK_H
#define INIT_VOLCHECK_H

#include "init/proof.h"

/**
 * struct volcheck - What to look at
 * @dir:	Path of the state directory
 * @dirfd:	The directory as it was opened at the start; borrowed
 * @proof:	The marker as the start left it; borrowed
 */
struct volcheck {
	const char *dir;
	int dirfd;
	const struct proof *proof;
};

/**
 * volcheck_run() - Is it still there, ours, writable and not full? Then write, sync, rename, remove
 * @c:		What to look at
 *
 * Return: exit code for struct volwatch_event
 */
int volcheck_run(const struct volcheck *c);

#endif /* INIT_VOLCHECK_H */

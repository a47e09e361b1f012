/* SPDX-License-Identifier: MIT */
/* volcheck - one look at the storage of a running node; may hang when the storage does */
#ifndef INIT_VOLUME_VOLCHECK_H
#define INIT_VOLUME_VOLCHECK_H

#include "common/err.h"
#include "init/volume/proof.h"

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

/**
 * volcheck_place() - Does the path still lead to the directory of the start, or to our marker at least? For
 *		      a program about to start
 * @c:		What to look at
 * @e:		Receives the reason, with an exit code
 *
 * Where the directory is a mount, and that is the same one, this asks the storage nothing, so it does not
 * hang with it.
 *
 * Return: 0, or -ESTALE
 */
int volcheck_place(const struct volcheck *c, struct err *e);

/**
 * volcheck_contents() - Has it been emptied since the start? For a daemon about to start
 * @c:		What to look at
 * @ifname:	Interface whose key the daemon would make, were it not there
 * @e:		Receives the reason, with an exit code
 *
 * A key that is missing beside a marker is the daemon's to judge, and a missing marker beside a key is no
 * reason to stop: this is for both.
 *
 * Return: 0, or -ESTALE
 */
int volcheck_contents(const struct volcheck *c, const char *ifname, struct err *e);

#endif /* INIT_VOLUME_VOLCHECK_H */

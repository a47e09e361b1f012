/* SPDX-License-Identifier: MIT */
/*
 * snapshot - copies of a key file in .snapshots/, numbered, the highest number the newest
 *
 * {iface}.json.{20 digits} are whole key files, mode 0600 in a directory of mode 0700. Beside them
 * lie {iface}.json.damaged-N, files that were found damaged and moved out of the way, and
 * legacy-{iface}.json*, keys that a migration found but did not use. All of them are traces: a node
 * that has one had a key once. {file}.replaced-N are other files that an import has replaced.
 */
#ifndef DAEMON_STATE_SNAPSHOT_H
#define DAEMON_STATE_SNAPSHOT_H

#include "common/err.h"
#include "daemon/state/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_DIR	   ".snapshots"
#define SNAPSHOT_LEGACY	   "legacy-"
#define SNAPSHOT_NAME_SIZE 64

/**
 * snapshot_open_dir() - Open .snapshots/
 * @dirfd:	State directory; borrowed
 *
 * Return: descriptor owned by the caller, -ENOENT, or another negative errno value
 */
int snapshot_open_dir(int dirfd);

/**
 * snapshot_is_name() - Is this the file name of a snapshot of this interface's key?
 */
bool snapshot_is_name(const char *name, const char *ifname);

/**
 * snapshot_is_legacy() - Is this the file name of a key that a migration kept beside the snapshots?
 */
bool snapshot_is_legacy(const char *name, const char *ifname);

/**
 * snapshot_find() - Find the newest snapshot below a number; walks from newest to oldest
 * @name:	Receives its file name
 * @number:	In: look below this number, UINT64_MAX for the newest; out: its number
 * @snapfd:	.snapshots/; borrowed
 * @ifname:	Interface
 *
 * Return: 0, -ENOENT when there is none, or another negative errno value
 */
int snapshot_find(char name[static SNAPSHOT_NAME_SIZE], uint64_t *number, int snapfd,
		  const char *ifname);

/**
 * snapshot_newest_good() - Read the newest snapshot that is not damaged
 * @out:	Receives the identity; wiped on failure
 * @name:	Receives its file name
 * @snapfd:	.snapshots/; borrowed
 * @ifname:	Interface
 *
 * Return: 0, -ENOENT when there is none, or another negative errno value when that cannot be told
 */
int snapshot_newest_good(struct identity *out, char name[static SNAPSHOT_NAME_SIZE], int snapfd,
			 const char *ifname);

/**
 * snapshot_find_trace() - Is there anything that shows that this node had a key?
 * @name:	Receives the name of one such file, a legacy copy before any other
 * @snapfd:	.snapshots/; borrowed
 * @ifname:	Interface
 *
 * Return: 0, -ENOENT when there is none, or another negative errno value
 */
int snapshot_find_trace(char name[static SNAPSHOT_NAME_SIZE], int snapfd, const char *ifname);

/**
 * snapshot_take() - Write a snapshot durably, unless the newest one holds the same
 * @name:	Receives the name of the file that holds it now; may be NULL
 * @id:		What to keep
 * @dirfd:	State directory; borrowed; .snapshots/ is created when missing
 * @ifname:	Interface
 * @e:		Receives the reason on failure
 *
 * Of the snapshots that hold the same key, the newest IDENTITY_SNAPSHOTS stay. Those of another
 * key, and damaged ones, are never removed.
 *
 * Return: 0 when a new one was written, 1 when the newest one holds the same already, or a negative
 *         errno value
 */
int snapshot_take(char *name, const struct identity *id, int dirfd, const char *ifname,
		  struct err *e);

/**
 * snapshot_put_aside() - Move a file out of the way: .snapshots/{iface}.json.damaged-N
 * @name:	Receives its new name inside .snapshots/
 * @dirfd:	State directory; borrowed; .snapshots/ is created when missing
 * @file:	What to move; may be anything that has a name
 * @ifname:	Interface
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value with the file still in place
 */
int snapshot_put_aside(char name[static SNAPSHOT_NAME_SIZE], int dirfd, const char *file,
		       const char *ifname, struct err *e);

/**
 * snapshot_keep() - Move a file that another one replaces: .snapshots/{file}.replaced-N
 * @name:	Receives its new name inside .snapshots/
 * @dirfd:	State directory; borrowed; .snapshots/ is created when missing
 * @file:	A state file that is no key file
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value with the file still in place
 */
int snapshot_keep(char name[static SNAPSHOT_NAME_SIZE], int dirfd, const char *file, struct err *e);

#endif /* DAEMON_STATE_SNAPSHOT_H */

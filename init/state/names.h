/* SPDX-License-Identifier: MIT */
/* names - which files in a state directory are ours (protocol.md sections 4 and 19); pure */
#ifndef INIT_STATE_NAMES_H
#define INIT_STATE_NAMES_H

#include <stdbool.h>

#define NAMES_LOCK	".wgmesh.lock"
#define NAMES_LEASE	".wgmesh.lease" /* and a number: lease.h */
#define NAMES_PROBE	".wgmesh.probe"
#define NAMES_TRIAL	".wgmesh.trial"
#define NAMES_JOURNAL	".wgmesh.migrated"
#define NAMES_HISTORY	".wgmesh.history"
#define NAMES_SNAPSHOTS ".snapshots"
#define NAMES_MARKER	".migrated-to-wgmesh"

#define NAMES_ALIVE ".wgmesh.alive"

/**
 * names_is_state() - Is this the name of a state file: one to migrate?
 * @name:	File name
 */
bool names_is_state(const char *name);

/**
 * names_is_ours() - Is this the name of anything of ours in a state directory?
 * @name:	File name: state files, their temporary siblings, lock, journal, snapshots
 */
bool names_is_ours(const char *name);

#endif /* INIT_STATE_NAMES_H */

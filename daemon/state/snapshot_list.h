/* SPDX-License-Identifier: MIT */
/* snapshot_list - what lies in .snapshots/, for people: snapshots, legacy copies, damaged files */
#ifndef DAEMON_STATE_SNAPSHOT_LIST_H
#define DAEMON_STATE_SNAPSHOT_LIST_H

#include "common/err.h"
#include "daemon/state/identity.h"
#include "daemon/state/snapshot.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum snapshot_kind {
	SNAPSHOT_NUMBERED, /* wg0.json.00000000000000000001 */
	SNAPSHOT_OLD,	   /* legacy-wg0.json: a migration found it, and another key in place */
	SNAPSHOT_DAMAGED,  /* wg0.json.damaged-1 */
	SNAPSHOT_OTHER,	   /* of another interface, or nothing of ours */
};

/**
 * struct snapshot_entry - One file
 * @name:	File name
 * @kind:	What its name says it is
 * @number:	Its number, 0 for none
 * @written_s:	When it was written, UTC seconds
 * @result:	What identity_read_file() said of it; -EINVAL when it was not asked
 * @why:	And why, after the file's name; empty when it is good
 * @public_key:	Key in it
 * @mesh_ip:	Address in it
 * @mesh_ip6:	Address in it
 * @is_current:	It holds what the key file holds; of several, the newest
 */
struct snapshot_entry {
	char name[NAME_MAX + 1];
	enum snapshot_kind kind;
	uint64_t number;
	int64_t written_s;
	int result;
	char why[160];
	struct wg_key public_key;
	struct ip mesh_ip;
	struct ip mesh_ip6;
	bool is_current;
};

/**
 * snapshot_list() - Read all of .snapshots/
 * @out:	Receives a table owned by the caller, to be freed: numbered ones by number, the newest
 *		first, then the others by name
 * @n:		Receives its length
 * @at:		State directory and interface
 * @e:		Receives the reason on failure
 *
 * Return: 0, also when there is no .snapshots/, or a negative errno value
 */
int snapshot_list(struct snapshot_entry **out, size_t *n, const struct identity_place *at,
		  struct err *e);

#endif /* DAEMON_STATE_SNAPSHOT_LIST_H */

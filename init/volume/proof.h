/* SPDX-License-Identifier: MIT */
/*
 * proof - what the volume's marker proves, where the mount table only predicts; pure
 *
 * The verdict (volume.h) says what a directory looks like. Whether it lasts is proven when a container
 * finds what another one left there. The same marker tells of a key that was lost, of a volume that
 * belongs to another node, and of one that came with the image.
 */
#ifndef INIT_VOLUME_PROOF_H
#define INIT_VOLUME_PROOF_H

#include "common/marker.h"
#include "init/volume/volume.h"

#include <stdbool.h>

enum proof_kind {
	PROOF_NONE,	    /* not looked at: there is no state directory */
	PROOF_PREDICTED,    /* nothing of ours there: the verdict is a prediction */
	PROOF_ADOPTED,	    /* a node's state without a marker, as older releases left it */
	PROOF_RESTART,	    /* survived a restart of the same container */
	PROOF_PROVEN,	    /* survived the container */
	PROOF_PARTIAL_LOSS, /* there was a key, and it is gone */
	PROOF_WRONG_VOLUME, /* another node's, as far as can be seen */
	PROOF_CLONE,	    /* a copy: it came with the image */
	PROOF_UNREADABLE,   /* the marker is damaged, of a later release, or cannot be read */
	PROOF_COUNT,
};

/**
 * struct proof_facts - What was found in the state directory
 * @error:	0, or why there is no @marker: -ENOENT, -EBADMSG, -EPROTONOSUPPORT, another errno value
 * @marker:	The marker as it was found
 * @self:	This start
 * @verdict:	What the mount table predicts
 * @ifname:	Interface of the daemon
 * @has_key:	There is a key file of the interface
 * @has_traces:	There is something else of a node with that interface: caches, snapshots
 * @has_others:	There is any other state file
 * @is_look:	Somebody only looks: the newest start that is noted may be the one that goes on
 */
struct proof_facts {
	int error;
	struct marker marker;
	struct marker_boot self;
	enum verdict verdict;
	char ifname[MARKER_IFNAME_SIZE];
	bool has_key;
	bool has_traces;
	bool has_others;
	bool is_look;
};

#define PROOF_NOTE_SIZE 400

/**
 * struct proof - What the marker proves, and the marker as this start left it
 * @kind:	The word for it
 * @note:	The same as a sentence
 * @is_marked:	@marker is on the volume
 * @marker:	The marker with this start in it; its volume id is empty when there is none to be
 * @recorded:	Key that the interface was served with before this start; empty when none was
 */
struct proof {
	enum proof_kind kind;
	char note[PROOF_NOTE_SIZE];
	bool is_marked;
	struct marker marker;
	char recorded[MARKER_KEY_SIZE];
};

/**
 * proof_judge() - Decide what the marker proves
 * @out:	Receives kind and note; the rest is the caller's
 * @f:		Facts
 */
void proof_judge(struct proof *out, const struct proof_facts *f);

/**
 * proof_take_served() - The daemon says which key it serves: is it the one that the volume knows?
 * @p:		Proof; becomes PROOF_WRONG_VOLUME, with a sentence, when it is another
 * @key:	What it serves
 * @is_expected: A new key was asked for
 *
 * Return: false when it is another one, and nobody asked for that
 */
bool proof_take_served(struct proof *p, const struct marker_key *key, bool is_expected);

/**
 * proof_is_alarm() - Should somebody act on it?
 */
bool proof_is_alarm(enum proof_kind kind);

/**
 * proof_name() - Its word in logs and status
 */
const char *proof_name(enum proof_kind kind);

#endif /* INIT_VOLUME_PROOF_H */

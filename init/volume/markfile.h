/* SPDX-License-Identifier: MIT */
/*
 * markfile - the volume marker as a file: find, judge, write; all of it for a child, since storage may
 * hang, and as the daemon's user
 *
 * Nothing here is a reason to refuse a start. A damaged marker is moved aside, and one of a later
 * release is never written to.
 */
#ifndef INIT_VOLUME_MARKFILE_H
#define INIT_VOLUME_MARKFILE_H

#include "init/volume/proof.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct markfile_start - What a start does with the marker, for markfile_start()
 * @dirfd:	State directory; borrowed
 * @is_look:	Change nothing
 * @id:		Random bytes for a new marker
 * @facts:	In: verdict, interface, time, image; out: all of it
 * @marker:	Receives the marker with this start in it; its volume id is empty when there is none
 * @error:	Receives why it could not be written: 0 or a negative errno value
 * @aside:	Receives the name that a damaged marker got; empty when none had to be moved
 */
struct markfile_start {
	int dirfd;
	bool is_look;
	uint8_t id[MARKER_ID_BYTES];
	struct proof_facts facts;
	struct marker marker;
	int error;
	char aside[64];
};

/**
 * markfile_start() - Look at the state directory, and note this start
 * @m:		What to do, and what came of it
 */
void markfile_start(struct markfile_start *m);

/**
 * markfile_load() - Read the marker
 * @m:		Marker to fill; all zero on failure
 * @dirfd:	State directory; borrowed
 *
 * Return: 0, -ENOENT, -EBADMSG, -EPROTONOSUPPORT or another negative errno value
 */
int markfile_load(struct marker *m, int dirfd);

/**
 * markfile_note_served() - Note the key that is served now
 * @dirfd:	State directory; borrowed
 * @p:		What the start found: a marker that could not be written then is written now
 * @key:	Interface and key
 *
 * Return: 0, -ESTALE when the marker there is another volume's, or another negative errno value
 */
int markfile_note_served(int dirfd, const struct proof *p, const struct marker_key *key);

/**
 * markfile_note_exit() - Note how the program ended
 * @dirfd:	State directory; borrowed
 * @p:		What the start found
 * @at_s:	When, UTC seconds
 * @code:	Exit code
 *
 * Return: as markfile_note_served()
 */
int markfile_note_exit(int dirfd, const struct proof *p, int64_t at_s, int code);

#endif /* INIT_VOLUME_MARKFILE_H */

/* SPDX-License-Identifier: MIT */
/* stateview - look at every file of a state directory, changing nothing */
#ifndef DAEMON_STATE_STATEVIEW_H
#define DAEMON_STATE_STATEVIEW_H

#include "common/err.h"
#include "daemon/state/identity.h"
#include "daemon/state/statejudge.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATEVIEW_MAX	    1024
#define STATEVIEW_NAME_SIZE (NAME_MAX + 16)

/**
 * struct state_row - One file
 * @name:	Its path inside the state directory; only printable ASCII, '?' for the rest
 * @kind:	What its name stands for
 * @verdict:	What was found
 * @note:	The same as a sentence for people
 */
struct state_row {
	char name[STATEVIEW_NAME_SIZE];
	enum state_kind kind;
	enum state_verdict verdict;
	char note[STATEJUDGE_NOTE_SIZE];
};

/**
 * struct stateview - All of them
 * @rows:	In the order in which people look for them; owned
 * @n:		Entries in @rows
 * @is_cut:	There are more than STATEVIEW_MAX
 */
struct stateview {
	struct state_row *rows;
	size_t n;
	bool is_cut;
};

/**
 * stateview_read() - Look at all but our own interface's key file, which is identity_load()'s
 * @out:	Receives the rows; stateview_fini() it, also after a failure
 * @at:		State directory and interface
 * @brief:	Only the files that a daemon reads
 * @now:	Unix time
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int stateview_read(struct stateview *out, const struct identity_place *at, bool brief, int64_t now,
		   struct err *e);

/**
 * stateview_key() - Say more of a good key file: who else may read it
 * @note:	Sentence to add to
 * @at:		State directory and interface
 */
void stateview_key(char note[static STATEJUDGE_NOTE_SIZE], const struct identity_place *at);

void stateview_fini(struct stateview *v);

/**
 * stateview_printable() - Copy a name that may hold anything as printable ASCII
 */
void stateview_printable(char *out, size_t size, const char *name);

#endif /* DAEMON_STATE_STATEVIEW_H */

/* SPDX-License-Identifier: MIT */
/* statejudge - is the content of a state file what it should be, said in words; pure */
#ifndef DAEMON_STATE_STATEJUDGE_H
#define DAEMON_STATE_STATEJUDGE_H

#include "daemon/state/statename.h"

#include <stddef.h>
#include <stdint.h>

#define STATEJUDGE_NOTE_SIZE 200

enum state_verdict {
	STATE_GOOD,
	STATE_RESTORED, /* was damaged or missing, and has just been restored */
	STATE_DAMAGED,
	STATE_MISSING,
	STATE_FUTURE,	/* written by a later release: left alone */
	STATE_LEFTOVER, /* of an interrupted write */
	STATE_UNSAFE,	/* a link, a directory, a device: never followed or opened */
	STATE_FOREIGN,	/* none of ours: left alone */
};

/**
 * statejudge_text() - The word for a verdict in tables and JSON
 */
const char *statejudge_text(enum state_verdict v);

/**
 * struct state_content - A file
 * @kind:	What its name stands for
 * @name:	Its name; borrowed
 * @data:	Its bytes, and a NUL behind them; borrowed
 * @len:	Bytes in @data
 */
struct state_content {
	enum state_kind kind;
	const char *name;
	const char *data;
	size_t len;
};

/**
 * statejudge() - Judge a file
 * @note:	Receives a sentence for people
 * @c:		The file
 * @now:	Unix time
 *
 * Return: enum state_verdict; other files than keys are damaged without consequence: the daemon
 *         makes them anew, or does not read them
 */
enum state_verdict statejudge(char note[static STATEJUDGE_NOTE_SIZE], const struct state_content *c,
			      int64_t now);

#endif /* DAEMON_STATE_STATEJUDGE_H */

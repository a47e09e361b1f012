/* SPDX-License-Identifier: MIT */
/* complete - what can stand where the cursor is, from the tables of commands and settings; pure */
#ifndef DAEMON_CLI_COMPLETE_H
#define DAEMON_CLI_COMPLETE_H

#include <stddef.h>

/**
 * struct complete - A command line under way
 * @words:	Words behind "wgmesh" and before the one at the cursor; borrowed
 * @n:		Entries in @words
 * @current:	The word at the cursor, up to the cursor; may be empty
 */
struct complete {
	char *const *words;
	size_t n;
	const char *current;
};

/* What the tables do not know, and somebody else has to add. */
enum complete_more {
	COMPLETE_NOTHING,
	COMPLETE_FILES,
	COMPLETE_PEERS,
};

/* @about: one line */
typedef void complete_fn(void *arg, const char *word, const char *about);

/**
 * complete_line() - Offer what fits
 * @q:		Command line; a word "=" is one that bash split off, and counts as a blank; a word ":" too,
 *		and glues those beside it together
 * @fn:	Called for each word that begins with @q->current
 * @arg:	Passed to @fn
 *
 * Options without effect are not offered, nor those that show a secret in the process list, nor any a
 * second time.
 *
 * Return: what else fits
 */
enum complete_more complete_line(const struct complete *q, complete_fn *fn, void *arg);

#endif /* DAEMON_CLI_COMPLETE_H */

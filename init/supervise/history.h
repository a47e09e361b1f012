/* SPDX-License-Identifier: MIT */
/*
 * history - the last endings of the program, kept across container restarts
 *
 * A line for each, the newest last, in the state directory:
 *
 *     ENDED STARTED HOW RUN_MS CAUSE
 *     1767225603 1767225600 code=69 204 exit
 *
 * ENDED is UTC seconds; STARTED, of the container, tells one container's endings from another's.
 * The file is a help to people and to the loop counter, never a reason to refuse.
 */
#ifndef INIT_SUPERVISE_HISTORY_H
#define INIT_SUPERVISE_HISTORY_H

#include "init/supervise/cause.h"

#include <stddef.h>
#include <stdint.h>

#define HISTORY_MAX	  16
#define HISTORY_LINE_SIZE 96
#define HISTORY_TEXT_SIZE (HISTORY_MAX * HISTORY_LINE_SIZE)

/* What counts for a loop at a container's start. */
#define HISTORY_SHORT_RUN_MS 60000
#define HISTORY_RECENT_S     3600

/**
 * struct history_entry - One ending
 * @ended_s:	When, UTC seconds
 * @boot_s:	When its container started, UTC seconds
 * @run_ms:	How long the program ran
 * @code:	Exit code, 128+n for a signal
 * @signal:	Signal that ended it, or 0
 * @cause:	cause_word()
 */
struct history_entry {
	int64_t ended_s;
	int64_t boot_s;
	uint64_t run_ms;
	int code;
	int signal;
	char cause[CAUSE_WORD_SIZE];
};

/**
 * struct history - The last endings, oldest first; all zero is empty
 */
struct history {
	size_t n;
	struct history_entry entries[HISTORY_MAX];
};

/**
 * struct history_record - What history_record() needs
 * @dirfd:	State directory; borrowed
 * @entry:	The ending
 */
struct history_record {
	int dirfd;
	struct history_entry entry;
};

/**
 * history_add() - Add an ending; the oldest goes when there is no room; pure
 */
void history_add(struct history *h, const struct history_entry *entry);

/**
 * history_failures() - Failures in a row that count when a container starts; pure
 * @h:		History
 * @now_s:	UTC seconds
 *
 * Counts back from the newest: each a failure that nobody asked for, after less than a minute, and
 * not more than an hour before the next one or before now. A time in the future counts as now.
 *
 * Return: 0 to HISTORY_MAX
 */
unsigned int history_failures(const struct history *h, int64_t now_s);

/**
 * history_parse() - Read the file's text; pure
 * @h:		Receives the endings; empty when any line is damaged or foreign
 * @text:	Lines
 */
void history_parse(struct history *h, const char *text);

/**
 * history_format() - Write the file's text; pure
 * @h:		History
 * @out:	Receives the lines
 *
 * Return: bytes written, without the NUL
 */
size_t history_format(const struct history *h, char out[static HISTORY_TEXT_SIZE]);

/**
 * history_load() - Read the history of a state directory; an unreadable one is empty
 * @h:		History to fill
 * @dirfd:	State directory; borrowed
 */
void history_load(struct history *h, int dirfd);

/**
 * history_store() - Replace the file, durably
 * @h:		History
 * @dirfd:	State directory; borrowed
 *
 * Return: 0 or a negative errno value
 */
int history_store(const struct history *h, int dirfd);

/**
 * history_record() - Add one ending to the file: load, add, store; for a child, since it may hang
 * @arg:	struct history_record
 *
 * Return: exit code, EXITS_OK or EXITS_IO
 */
int history_record(void *arg);

#endif /* INIT_SUPERVISE_HISTORY_H */

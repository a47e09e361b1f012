/* SPDX-License-Identifier: MIT */
/*
 * journal - which legacy files were dealt with, by size and time of change
 *
 * Kept in the state directory. The daemon rewrites what was migrated, so a difference to the legacy
 * file is normal later on; with the journal it is reported once, when it is news.
 */
#ifndef INIT_STATE_JOURNAL_H
#define INIT_STATE_JOURNAL_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/**
 * struct journal - Lines "SIZE SECONDS.NANOSECONDS NAME"
 * @text:	Lines
 * @len:	Bytes in @text
 * @is_changed:	There are lines that are not on disk yet
 */
struct journal {
	char text[16384];
	size_t len;
	bool is_changed;
};

/**
 * journal_load() - Read the journal of a state directory; an unreadable one counts as empty
 * @j:		Journal to fill
 * @dirfd:	State directory; borrowed
 */
void journal_load(struct journal *j, int dirfd);

/**
 * journal_has() - Was this very file dealt with before? pure
 * @j:		Journal
 * @name:	File name
 * @st:		Its size and time of change
 */
bool journal_has(const struct journal *j, const char *name, const struct stat *st);

/**
 * journal_add() - Remember a file; one that does not fit is forgotten, and looked at again
 * @j:		Journal
 * @name:	File name
 * @st:		Its size and time of change
 */
void journal_add(struct journal *j, const char *name, const struct stat *st);

/**
 * journal_store() - Write the journal, if there is anything new in it
 * @j:		Journal
 * @dirfd:	Directory; borrowed
 * @name:	File to write it to, replaced whole
 *
 * Return: 0 or a negative errno value
 */
int journal_store(const struct journal *j, int dirfd, const char *name);

#endif /* INIT_STATE_JOURNAL_H */

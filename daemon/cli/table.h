/* SPDX-License-Identifier: MIT */
/*
 * table - rows in columns that fit a terminal; pure
 *
 * When it is too narrow, the least important columns go first, whole: a column that is there can be
 * read. What may be cut (names, sentences) is cut before that, down to a width that still tells rows
 * apart.
 */
#ifndef DAEMON_CLI_TABLE_H
#define DAEMON_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * struct table_column - A column
 * @title:	Its title
 * @rank:	How important it is: the lowest goes first; equal ones from the right
 * @least:	Columns it may be cut to; 0 for one that is never cut
 * @is_right:	Numbers: aligned to the right
 */
struct table_column {
	const char *title;
	unsigned int rank;
	size_t least;
	bool is_right;
};

struct table;

/**
 * table_new() - Make an empty table
 * @columns:	Columns; borrowed for the table's life
 * @n:		Entries in @columns
 *
 * Return: table owned by the caller, to be freed with table_free(); NULL without memory
 */
struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *t);

/**
 * table_cell() - Add the next cell; the first one after a full row begins a row
 * @t:		Table; may be NULL
 * @text:	Text of anybody; borrowed; NULL or empty is printed as "-"
 */
void table_cell(struct table *t, const char *text);

/**
 * table_note() - Add a sentence, printed below the last row and over all columns
 * @t:		Table; may be NULL
 * @text:	Text of anybody; borrowed
 */
void table_note(struct table *t, const char *text);

/**
 * table_print() - Print it
 * @out:	Stream
 * @t:		Table; may be NULL
 * @width:	Columns of the terminal, or TEXT_NO_LIMIT
 */
void table_print(FILE *out, const struct table *t, size_t width);

#endif /* DAEMON_CLI_TABLE_H */

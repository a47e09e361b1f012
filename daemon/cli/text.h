/* SPDX-License-Identifier: MIT */
/*
 * text - what people read on a terminal: units, ages, and texts of strangers made harmless; pure
 *
 * Widths are columns of a terminal. Names come from other nodes, so nothing of them may reach the
 * terminal that moves its cursor, colours it, or turns the direction of writing around.
 */
#ifndef DAEMON_CLI_TEXT_H
#define DAEMON_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_NUMBER_SIZE 32
#define TEXT_NO_LIMIT	 0 /* as a width: lines are as long as needed */

/**
 * text_clean() - Make a text of anybody fit for a terminal
 * @s:		Bytes, NUL-terminated; borrowed; NULL counts as empty
 *
 * Control characters, invisible ones and those that change the direction of writing become '?', bytes
 * that are no UTF-8 too.
 *
 * Return: UTF-8 owned by the caller, to be freed; NULL without memory
 */
char *text_clean(const char *s);

/**
 * text_width() - How many columns a clean text takes
 */
size_t text_width(const char *clean);

/**
 * text_cut() - Where to cut a clean text
 * @clean:	Clean text
 * @width:	Columns at most
 * @taken:	Receives the columns that the part before the cut takes
 *
 * Return: bytes before the cut; never in the middle of a character
 */
size_t text_cut(const char *clean, size_t width, size_t *taken);

/**
 * text_wrap() - Print a text of anybody, in lines that end between words
 * @out:	Stream; the text begins at the column @indent
 * @text:	Text
 * @indent:	Columns before every further line
 * @width:	Columns of a line, or TEXT_NO_LIMIT
 *
 * Prints a line break at the end.
 */
void text_wrap(FILE *out, const char *text, size_t indent, size_t width);

/* "0 B", "999 B", "1.2 KiB", "34 MiB" */
const char *text_bytes(char out[static TEXT_NUMBER_SIZE], uint64_t bytes);

/* "12s", "3m", "2h", "5d": how long ago, in one unit; "0s" for the future */
const char *text_age(char out[static TEXT_NUMBER_SIZE], int64_t seconds);

/* "45s", "3m 12s", "2h 5m", "12d 3h": a duration in two units */
const char *text_span(char out[static TEXT_NUMBER_SIZE], int64_t seconds);

/* "0.35 ms", "1.2 ms", "34 ms", "1.2 s" */
const char *text_latency(char out[static TEXT_NUMBER_SIZE], int64_t microseconds);

/**
 * text_parse_time() - Read an RFC 3339 time, of any time zone
 * @unix_s:	Receives Unix seconds
 * @rfc3339:	Text, may be NULL
 *
 * Return: 0 or -EINVAL
 */
int text_parse_time(int64_t *unix_s, const char *rfc3339);

#endif /* DAEMON_CLI_TEXT_H */

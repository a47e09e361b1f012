/* SPDX-License-Identifier: MIT */
/* lastline - the last line of a stream of bytes, bounded; pure */
#ifndef INIT_SUPERVISE_LASTLINE_H
#define INIT_SUPERVISE_LASTLINE_H

#include <stddef.h>

#define LASTLINE_SIZE 304 /* 300 bytes, room for a NUL */

/**
 * struct lastline - What to remember of a stream; all zero to begin
 * @line:	Last complete line that is not blank, raw, its first bytes
 * @part:	What came after the last line break, raw, its first bytes
 * @line_len:	Bytes in @line
 * @part_len:	Bytes in @part
 */
struct lastline {
	char line[LASTLINE_SIZE];
	char part[LASTLINE_SIZE];
	size_t line_len;
	size_t part_len;
};

/**
 * lastline_feed() - Take the next bytes of the stream
 * @l:		State
 * @buf:	Bytes; borrowed
 * @len:	Bytes in @buf
 */
void lastline_feed(struct lastline *l, const char *buf, size_t len);

/**
 * lastline_get() - The last line so far, fit for people and for logs
 * @l:		State
 * @out:	Receives valid UTF-8 of at most 300 bytes: control characters and wrong bytes are '?',
 *		colours are left out; empty when there is no line. The unfinished rest at the end
 *		counts as a line.
 */
void lastline_get(const struct lastline *l, char out[static LASTLINE_SIZE]);

#endif /* INIT_SUPERVISE_LASTLINE_H */

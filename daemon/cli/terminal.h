/* SPDX-License-Identifier: MIT */
/* terminal - what standard output is, and how large */
#ifndef DAEMON_CLI_TERMINAL_H
#define DAEMON_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct terminal - What standard output is
 * @can_move:	A terminal whose cursor can be moved
 * @rows:	Lines of a terminal
 * @columns:	Columns; TEXT_NO_LIMIT where nothing says how many: a pipe, a file, a log
 */
struct terminal {
	bool can_move;
	size_t rows;
	size_t columns;
};

/**
 * terminal_look() - Look at standard output, which may have been resized
 *
 * A terminal says its size itself. Elsewhere $COLUMNS counts, and without it nothing is cut.
 */
void terminal_look(struct terminal *t);

#endif /* DAEMON_CLI_TERMINAL_H */

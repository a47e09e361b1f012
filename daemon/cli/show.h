/* SPDX-License-Identifier: MIT */
/* show - how an answer is to be shown, and where; the values the pure renderers get */
#ifndef DAEMON_CLI_SHOW_H
#define DAEMON_CLI_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct show - How an answer is to be shown
 * @out:	Stream
 * @width:	Columns of the terminal, or TEXT_NO_LIMIT
 * @is_full:	Whole keys
 * @is_loud:	Alarms may be set in bold: it is a terminal
 * @now_s:	Unix time
 */
struct show {
	FILE *out;
	size_t width;
	bool is_full;
	bool is_loud;
	int64_t now_s;
};

#endif /* DAEMON_CLI_SHOW_H */

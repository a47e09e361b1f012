/* SPDX-License-Identifier: MIT */
/*
 * watch - show an answer once, or again and again in the same place
 *
 * No mode of the terminal is changed, so that nothing has to be put back, however this ends: a frame
 * is one write that begins at the top of the screen and clears behind each line.
 */
#ifndef DAEMON_CLI_WATCH_H
#define DAEMON_CLI_WATCH_H

#include "common/err.h"
#include "common/settings.h"
#include "daemon/cli/show.h"

/**
 * watch_fn() - Ask, and show the answer
 * @s:		How and where
 * @arg:	The caller's
 * @e:		Receives the reason when there is no answer; then nothing was written
 *
 * Return: 0 or a negative errno value
 */
typedef int watch_fn(const struct show *s, void *arg, struct err *e);

/**
 * struct watch - What is shown
 * @title:	The command, for the first line of a frame
 * @draw:	Shows it
 * @without:	Shows what there is to say when @draw got no answer; NULL for nothing
 * @arg:	Passed to both
 * @is_json:	A frame is a line of JSON; watch_fn writes it with its line break
 */
struct watch {
	const char *title;
	watch_fn *draw;
	void (*without)(const struct show *s, void *arg);
	void *arg;
	bool is_json;
};

/**
 * watch_run() - Show it once, or with --watch until a signal comes
 * @s:		Settings: --watch, --interval, --full
 * @w:		What
 *
 * Without an answer, --watch says so in the frame and goes on. SIGINT and SIGTERM end it, as if they
 * had not been caught.
 *
 * Return: exit code
 */
int watch_run(const struct settings *s, const struct watch *w);

/**
 * watch_frame() - Turn a text into what redraws it in place; pure
 * @out:	Stream
 * @text:	Lines, each with its line break; no control characters but bold and plain
 * @rows:	Lines of the terminal
 * @columns:	Columns of the terminal; a longer line takes several rows
 *
 * What does not fit is left out from the end, and the last row says so.
 */
void watch_frame(FILE *out, const char *text, size_t rows, size_t columns);

#endif /* DAEMON_CLI_WATCH_H */

/* SPDX-License-Identifier: MIT */
#include "daemon/cli/terminal.h"
#include "common/str.h"
#include "daemon/cli/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROWS_USUAL    24
#define COLUMNS_USUAL 80
#define COLUMNS_MAX   10000

static size_t from_environment(size_t fallback)
{
	const char *text = getenv("COLUMNS");
	uint64_t n;

	return text && str_parse_u64(&n, text, 1, COLUMNS_MAX) == 0 ? (size_t)n : fallback;
}

void terminal_look(struct terminal *t)
{
	const char *kind = getenv("TERM");
	struct winsize size = { 0 };

	*t = (struct terminal) { .rows = ROWS_USUAL };
	if (!isatty(STDOUT_FILENO)) {
		t->columns = from_environment(TEXT_NO_LIMIT);
		return;
	}
	t->can_move = !kind || strcmp(kind, "dumb") != 0;
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	if (size.ws_row > 0)
		t->rows = size.ws_row;
	t->columns = size.ws_col > 0 ? size.ws_col : from_environment(COLUMNS_USUAL);
}

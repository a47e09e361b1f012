/* SPDX-License-Identifier: MIT */
#include "daemon/cli/qrtext.h"

#include <string.h>

/* White blocks on black of the colour cube, which no theme changes, unlike the first 16 colours. */
#define COLOURS	   "\033[38;5;231;48;5;16m"
#define NO_COLOURS "\033[0m"
#define BLOCK_SIZE strlen("█")

size_t qrtext_columns(size_t width)
{
	return width + 2 * QRTEXT_QUIET;
}

static size_t n_lines(size_t width)
{
	return (qrtext_columns(width) + 1) / 2;
}

size_t qrtext_size(size_t width)
{
	size_t line = strlen(COLOURS) + qrtext_columns(width) * BLOCK_SIZE + strlen(NO_COLOURS) + 1;

	return n_lines(width) * line + 1;
}

/* @x and @y count from the quiet zone's corner; below the last row all is quiet. */
static bool is_light(const uint8_t *modules, size_t width, size_t x, size_t y)
{
	if (x < QRTEXT_QUIET || y < QRTEXT_QUIET || x >= width + QRTEXT_QUIET ||
	    y >= width + QRTEXT_QUIET)
		return true;
	return (modules[(y - QRTEXT_QUIET) * width + x - QRTEXT_QUIET] & 1) == 0;
}

static const char *block(bool top, bool bottom)
{
	if (top)
		return bottom ? "█" : "▀";
	return bottom ? "▄" : " ";
}

void qrtext_put(struct str_out *out, const uint8_t *modules, size_t width, bool is_coloured)
{
	size_t columns = qrtext_columns(width);

	for (size_t line = 0; line < n_lines(width); line++) {
		str_add(out, "%s", is_coloured ? COLOURS : "");
		for (size_t x = 0; x < columns; x++)
			str_add(out, "%s",
				block(is_light(modules, width, x, 2 * line),
				      is_light(modules, width, x, 2 * line + 1)));
		str_add(out, "%s\n", is_coloured ? NO_COLOURS : "");
	}
}

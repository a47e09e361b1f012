/* SPDX-License-Identifier: MIT */
#include "init/supervise/lastline.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define KEEP 300

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

/* Appends what fits. */
static void append(char *to, size_t *to_len, const char *text, size_t len)
{
	size_t n = KEEP - *to_len < len ? KEEP - *to_len : len;

	memcpy(to + *to_len, text, n);
	*to_len += n;
}

/* The line that began before this buffer ends with @len bytes of it. */
static void end_part(struct lastline *l, const char *text, size_t len)
{
	append(l->part, &l->part_len, text, len);
	if (is_blank(l->part, l->part_len))
		return;
	memcpy(l->line, l->part, l->part_len);
	l->line_len = l->part_len;
}

/* Looks backwards through the complete lines @text ends with; long output costs next to nothing. */
static void take_lines(struct lastline *l, const char *text, size_t len)
{
	for (;;) {
		const char *before = len > 0 ? memrchr(text, '\n', len) : NULL;
		const char *line = before ? before + 1 : text;
		size_t n = (size_t)(text + len - line);

		if (!before) {
			end_part(l, text, len);
			return;
		}
		if (!is_blank(line, n)) {
			l->line_len = 0;
			append(l->line, &l->line_len, line, n);
			return;
		}
		len = (size_t)(before - text);
	}
}

void lastline_feed(struct lastline *l, const char *buf, size_t len)
{
	const char *end = len > 0 ? memrchr(buf, '\n', len) : NULL;

	if (end) {
		take_lines(l, buf, (size_t)(end - buf));
		l->part_len = 0;
		len -= (size_t)(end + 1 - buf);
		buf = end + 1;
	}
	append(l->part, &l->part_len, buf, len);
}

/* Bytes of the UTF-8 character at @p, 0 for a wrong one and for a control character. */
static size_t character(const uint8_t *p, size_t len)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = p[0] & (n == 1 ? 0x7f : 0xffU >> (n + 1));

	if (n > len || (p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c > 0x10ffff ? 0 : n;
}

/* Length of a terminal's control sequence: ESC [ parameters letter; 0 when it is none. */
static size_t sequence(const uint8_t *p, size_t len)
{
	size_t n = 2;

	if (len < 3 || p[0] != 0x1b || p[1] != '[')
		return 0;
	while (n < len && p[n] >= 0x20 && p[n] < 0x40)
		n++;
	return n < len && p[n] >= 0x40 && p[n] < 0x7f ? n + 1 : 0;
}

static size_t trim(const char *text, size_t len)
{
	while (len > 0 && is_blank(text + len - 1, 1))
		len--;
	return len;
}

void lastline_get(const struct lastline *l, char out[static LASTLINE_SIZE])
{
	bool is_part = !is_blank(l->part, l->part_len);
	const char *text = is_part ? l->part : l->line;
	size_t len = trim(text, is_part ? l->part_len : l->line_len);
	const uint8_t *p = (const uint8_t *)text;
	size_t used = 0;

	for (size_t i = 0; i < len;) {
		size_t n = character(p + i, len - i);
		size_t skip = sequence(p + i, len - i);

		if (skip > 0) {
			i += skip;
			continue;
		}
		if (n > 0) {
			memcpy(out + used, text + i, n);
		} else {
			out[used] = p[i] == '\t' ? ' ' : '?';
			n = 1;
		}
		used += n;
		i += n;
	}
	out[used] = '\0';
}

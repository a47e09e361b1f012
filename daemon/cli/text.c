/* SPDX-License-Identifier: MIT */
#include "daemon/cli/text.h"
#include "common/defs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/**
 * struct range - Code points from the first to the last
 */
struct range {
	uint32_t first;
	uint32_t last;
};

/* Characters that are no picture: controls, direction marks, invisible ones, halves of pairs. */
static const struct range unsafe[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f },	  { 0x00ad, 0x00ad },	 { 0x061c, 0x061c },
	{ 0x180e, 0x180e }, { 0x200b, 0x200f },	  { 0x2028, 0x202e },	 { 0x2060, 0x206f },
	{ 0xd800, 0xdfff }, { 0xfeff, 0xfeff },	  { 0xfff0, 0xfffb },	 { 0xfffe, 0xffff },
	{ 0xe000, 0xf8ff }, { 0xe0000, 0xe0fff }, { 0xf0000, 0x10ffff },
};

/* They stand on the character before them. */
static const struct range marks[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x064b, 0x065f },
	{ 0x0900, 0x0902 }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

/* East Asian ones and pictures: two columns (Unicode Standard Annex 11). */
static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },	  { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },	  { 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static bool is_in(const struct range *list, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= list[i].first && c <= list[i].last)
			return true;
	return false;
}

/* Decodes one character of at most four bytes (RFC 3629); a byte that begins none counts alone. */
static size_t decode(uint32_t *c, const char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *b = (const unsigned char *)s;
	size_t len = 1;

	if (b[0] < 0x80) {
		*c = b[0];
		return 1;
	}
	*c = UINT32_MAX;
	if (b[0] >= 0xc2 && b[0] <= 0xdf)
		len = 2;
	else if (b[0] >= 0xe0 && b[0] <= 0xef)
		len = 3;
	else if (b[0] >= 0xf0 && b[0] <= 0xf4)
		len = 4;
	else
		return 1;
	*c = b[0] & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80) {
			*c = UINT32_MAX;
			return 1;
		}
		*c = *c << 6 | (b[i] & 0x3fU);
	}
	if (*c >= least[len] && *c <= 0x10ffff)
		return len;
	*c = UINT32_MAX;
	return 1;
}

char *text_clean(const char *s)
{
	size_t len = s ? strlen(s) : 0;
	char *out = malloc(len + 1);
	char *end = out;
	uint32_t c = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len;) {
		size_t n = decode(&c, s + i);

		if (c == UINT32_MAX || is_in(unsafe, ARRAY_LEN(unsafe), c)) {
			*end++ = '?';
		} else {
			memcpy(end, s + i, n);
			end += n;
		}
		i += n;
	}
	*end = '\0';
	return out;
}

static size_t columns_of(uint32_t c)
{
	if (is_in(marks, ARRAY_LEN(marks), c))
		return 0;
	return is_in(wide, ARRAY_LEN(wide), c) ? 2 : 1;
}

size_t text_cut(const char *clean, size_t width, size_t *taken)
{
	size_t columns = 0;
	size_t i = 0;
	uint32_t c = 0;

	while (clean[i] != '\0') {
		size_t n = decode(&c, clean + i);

		if (columns + columns_of(c) > width)
			break;
		columns += columns_of(c);
		i += n;
	}
	*taken = columns;
	return i;
}

size_t text_width(const char *clean)
{
	size_t taken;

	(void)text_cut(clean, SIZE_MAX, &taken);
	return taken;
}

/* How many bytes of @s go into a line of @room columns: up to a blank, or else what fits. */
static size_t line_length(const char *s, size_t room)
{
	size_t taken;
	size_t fits = text_cut(s, room, &taken);
	size_t at = fits;

	if (s[fits] == '\0')
		return fits;
	while (at > 0 && s[at] != ' ')
		at--;
	if (at > 0)
		return at;
	/* A character wider than the line is printed all the same, or this would never end. */
	return fits > 0 ? fits : strlen(s);
}

void text_wrap(FILE *out, const char *text, size_t indent, size_t width)
{
	auto_free char *clean = text_clean(text);
	size_t room = width > indent + 8 ? width - indent : SIZE_MAX;
	const char *s = clean ? clean : "";

	for (;;) {
		size_t n = line_length(s, room);

		(void)fprintf(out, "%.*s\n", (int)n, s);
		s += n;
		while (*s == ' ')
			s++;
		if (*s == '\0')
			return;
		(void)fprintf(out, "%*s", (int)indent, "");
	}
}

const char *text_bytes(char out[static TEXT_NUMBER_SIZE], uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double n = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%u B", (unsigned int)bytes);
		return out;
	}
	/* What would be rounded up to 1024 belongs to the next unit. */
	for (; n >= 1023.5 && i + 1 < ARRAY_LEN(units); i++)
		n /= 1024;
	(void)snprintf(out, TEXT_NUMBER_SIZE, n < 9.95 ? "%.1f %s" : "%.0f %s", n, units[i]);
	return out;
}

const char *text_age(char out[static TEXT_NUMBER_SIZE], int64_t seconds)
{
	int64_t s = seconds > 0 ? seconds : 0;

	if (s < MINUTE)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%llds", (long long)s);
	else if (s < HOUR)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%lldm", (long long)(s / MINUTE));
	else if (s < DAY)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%lldh", (long long)(s / HOUR));
	else
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%lldd", (long long)(s / DAY));
	return out;
}

const char *text_span(char out[static TEXT_NUMBER_SIZE], int64_t seconds)
{
	long long s = seconds > 0 ? seconds : 0;

	if (s < MINUTE)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%llds", s);
	else if (s < HOUR)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%lldm %llds", s / MINUTE, s % MINUTE);
	else if (s < DAY)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%lldh %lldm", s / HOUR, s % HOUR / MINUTE);
	else
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%lldd %lldh", s / DAY, s % DAY / HOUR);
	return out;
}

const char *text_latency(char out[static TEXT_NUMBER_SIZE], int64_t microseconds)
{
	uint64_t us = microseconds > 0 ? (uint64_t)microseconds : 0;
	uint64_t hundredths = (us + 5) / 10;
	uint64_t tenths = (us + 50) / 100;
	uint64_t seconds = (us + 50000) / 100000;

	if (hundredths < 100)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "0.%02u ms", (unsigned int)hundredths);
	else if (tenths < 100)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%u.%u ms", (unsigned int)(tenths / 10),
			       (unsigned int)(tenths % 10));
	else if (us < 999500)
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%u ms", (unsigned int)((us + 500) / 1000));
	else
		(void)snprintf(out, TEXT_NUMBER_SIZE, "%u.%u s", (unsigned int)(seconds / 10),
			       (unsigned int)(seconds % 10));
	return out;
}

/* Reads "Z" or "+02:00" as seconds east of Greenwich. */
static int parse_zone(int64_t *east_s, const char *s)
{
	int64_t digit[4];

	*east_s = 0;
	if (strcmp(s, "Z") == 0)
		return 0;
	if ((s[0] != '+' && s[0] != '-') || strlen(s) != strlen("+00:00") || s[3] != ':')
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(digit); i++) {
		digit[i] = s[i < 2 ? i + 1 : i + 2] - '0';
		if (digit[i] < 0 || digit[i] > 9)
			return -EINVAL;
	}
	*east_s = (digit[0] * 10 + digit[1]) * HOUR + (digit[2] * 10 + digit[3]) * MINUTE;
	if (s[0] == '-')
		*east_s = -*east_s;
	return 0;
}

int text_parse_time(int64_t *unix_s, const char *rfc3339)
{
	struct tm tm = { 0 };
	const char *rest = rfc3339 ? strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t east_s;

	if (!rest)
		return -EINVAL;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (parse_zone(&east_s, rest) < 0)
		return -EINVAL;
	*unix_s = (int64_t)timegm(&tm) - east_s;
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "common/str.h"
#include "common/defs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DISTANCE_MAX   63
#define IFNAME_LEN_MAX 15
#define UTC_LAST       253402300799 /* 9999-12-31T23:59:59 */

int str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	dst[0] = '\0';
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(dst, src, len + 1);
	return 0;
}

void str_cut(char *dst, size_t size, const char *src, size_t len)
{
	size_t n = len < size ? len : size - 1;

	memcpy(dst, src, n);
	dst[n] = '\0';
}

/* Parses the leading digits of @text; *@end is the first byte that is none. */
static int parse_digits(uint64_t *out, const char *text, const char **end)
{
	uint64_t n = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		n = n * 10 + digit;
	}
	if (p == text)
		return -EINVAL;
	*out = n;
	*end = p;
	return 0;
}

int str_parse_u64(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
	const char *end = text;
	uint64_t n = 0;
	int r = parse_digits(&n, text, &end);

	if (r < 0)
		return r;
	if (*end != '\0')
		return -EINVAL;
	if (n < min || n > max)
		return -ERANGE;
	*out = n;
	return 0;
}

int str_parse_duration_ms(uint64_t *out, const char *text, uint64_t max)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	const char *end = text;
	uint64_t n = 0;
	int r = parse_digits(&n, text, &end);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(end, units[i].suffix) != 0)
			continue;
		if (n > max / units[i].ms)
			return -ERANGE;
		*out = n * units[i].ms;
		return 0;
	}
	return -EINVAL;
}

int str_parse_bool(bool *out, const char *text)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True", "yes", "on" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False", "no", "off" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(text, yes[i]) == 0) {
			*out = true;
			return 0;
		}
		if (strcmp(text, no[i]) == 0) {
			*out = false;
			return 0;
		}
	}
	return -EINVAL;
}

size_t str_utf8(uint32_t *code, const char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)s[0];
	size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0x80 ? 2 : 1;
	uint32_t c = len == 1 ? first : first & (0x7fU >> len);

	*code = STR_UTF8_BAD;
	if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
		return 1;
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 1;
	*code = c;
	return len;
}

bool str_is_printable(uint32_t code)
{
	bool is_control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
	/* Marks, separators, embeddings and isolates: they change how the rest of a line looks. */
	bool is_format = code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
			 (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
			 code == 0xfeff;

	return !is_control && !is_format;
}

size_t str_json_escape(char out[static STR_JSON_SIZE], const char *s)
{
	uint32_t code;
	size_t len = str_utf8(&code, s);
	char *to = out;

	if (code == STR_UTF8_BAD || !str_is_printable(code)) {
		(void)snprintf(out, STR_JSON_SIZE, "\\u%04x", code & 0xffff);
		return len;
	}
	if (code == '"' || code == '\\')
		*to++ = '\\';
	memcpy(to, s, len);
	to[len] = '\0';
	return len;
}

const char *str_visible(char *out, size_t size, const char *name)
{
	size_t used = 0;

	for (; *name; name++) {
		unsigned char byte = (unsigned char)*name;
		bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '\\';
		size_t len = is_plain ? 1 : 4;

		if (used + len >= size)
			break;
		if (is_plain)
			out[used] = *name;
		else
			(void)snprintf(out + used, size - used, "\\x%02x", byte);
		used += len;
	}
	out[used] = '\0';
	return out;
}

static unsigned int days_of_year(unsigned int year)
{
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return is_leap ? 366 : 365;
}

static unsigned int days_of_month(unsigned int year, unsigned int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 1 && days_of_year(year) == 366 ? 29 : days[month];
}

void str_utc(char out[static STR_UTC_SIZE], uint64_t seconds)
{
	uint64_t s = seconds < UTC_LAST ? seconds : UTC_LAST;
	unsigned int days = (unsigned int)(s / 86400);
	unsigned int rest = (unsigned int)(s % 86400);
	unsigned int year = 1970;
	unsigned int month = 0;

	while (days >= days_of_year(year))
		days -= days_of_year(year++);
	while (days >= days_of_month(year, month))
		days -= days_of_month(year, month++);
	/* The remainders change nothing: they show the compiler that it fits. */
	(void)snprintf(out, STR_UTC_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", year % 10000,
		       (month + 1) % 100, (days + 1) % 100, rest / 3600 % 100, rest / 60 % 60,
		       rest % 60);
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned int str_distance(const char *a, const char *b)
{
	unsigned int row[DISTANCE_MAX + 1];
	size_t la = strnlen(a, DISTANCE_MAX);
	size_t lb = strnlen(b, DISTANCE_MAX);

	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int above = row[j];
			unsigned int cost = a[i - 1] == b[j - 1] ? 0 : 1;

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + cost);
			diagonal = above;
		}
	}
	return row[lb];
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool str_is_interface_name(const char *name)
{
	size_t len = strnlen(name, IFNAME_LEN_MAX + 1);

	if (len == 0 || len > IFNAME_LEN_MAX || !is_letter(name[0]))
		return false;
	for (size_t i = 1; i < len; i++) {
		char c = name[i];

		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return false;
	}
	return true;
}

void str_add(struct str_out *t, const char *fmt, ...)
{
	size_t room = t->size - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->out + t->len, room, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < room)
		t->len += (size_t)n;
	t->out[t->len] = '\0';
}

/* SPDX-License-Identifier: MIT */
#include "daemon/wire/json.h"
#include "common/defs.h"
#include "common/str.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REPLACEMENT	   "\xef\xbf\xbd" /* U+FFFD */
#define REPLACEMENT_ESCAPE "\\ufffd"

#define ESCAPE_LEN 6 /* \uXXXX */

void json_init(void)
{
	json_object_seed(0);
}

/**
 * struct piece - The next characters of a text
 * @len:	Bytes of input, at least 1
 * @instead:	What to put in their place, NULL to keep them
 */
struct piece {
	size_t len;
	const char *instead;
};

/* Length of the UTF-8 character at @p, or 0: no surrogates, nothing overlong (RFC 3629). */
static size_t utf8_len(const uint8_t *p, size_t len)
{
	static const struct {
		uint8_t first_min, first_max, second_min, second_max;
		size_t len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (*p < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (*p < forms[i].first_min || *p > forms[i].first_max)
			continue;
		if (len < forms[i].len || p[1] < forms[i].second_min || p[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}

/* Value of the \uXXXX at @p, or -1. */
static int escape_value(const uint8_t *p, size_t len)
{
	int value = 0;

	if (len < ESCAPE_LEN || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (size_t i = 2; i < ESCAPE_LEN; i++) {
		int c = p[i] | 0x20;

		if (p[i] >= '0' && p[i] <= '9')
			value = value * 16 + (p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* A backslash occurs in strings only, so there is no need to know where strings begin. */
static struct piece escape_at(const uint8_t *p, size_t len)
{
	int value = escape_value(p, len);
	int second;

	if (value < 0)
		return (struct piece) { len < 2 ? len : 2, NULL };
	if (value < 0xd800 || value > 0xdfff)
		return (struct piece) { ESCAPE_LEN, NULL };
	second = escape_value(p + ESCAPE_LEN, len - ESCAPE_LEN);
	if (value < 0xdc00 && second >= 0xdc00 && second <= 0xdfff)
		return (struct piece) { (size_t)2 * ESCAPE_LEN, NULL };
	return (struct piece) { ESCAPE_LEN, REPLACEMENT_ESCAPE };
}

static struct piece piece_at(const uint8_t *p, size_t len)
{
	size_t n;

	if (*p == '\\')
		return escape_at(p, len);
	n = utf8_len(p, len);
	return n > 0 ? (struct piece) { n, NULL } : (struct piece) { 1, REPLACEMENT };
}

static bool is_clean(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		struct piece piece = piece_at(text + i, len - i);

		if (piece.instead)
			return false;
		i += piece.len;
	}
	return true;
}

/* Copies @text with U+FFFD for what jansson would refuse; @out has room for three times @len. */
static size_t clean(char *out, const uint8_t *text, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len;) {
		struct piece piece = piece_at(text + i, len - i);
		size_t n = piece.instead ? strlen(piece.instead) : piece.len;

		memcpy(out + used, piece.instead ? (const void *)piece.instead : text + i, n);
		used += n;
		i += piece.len;
	}
	return used;
}

static json_t *load_object(const char *text, size_t len, json_error_t *error)
{
	/* Of duplicates jansson keeps the last. NUL is let in so that the field is judged. */
	json_t *root = json_loadb(text, len, JSON_ALLOW_NUL, error);

	if (root && !json_is_object(root)) {
		json_decref(root);
		return NULL;
	}
	return root;
}

static void free_wiped(void *p)
{
	if (p)
		crypto_wipe(p, malloc_usable_size(p));
	free(p);
}

bool json_wipe_memory(bool on)
{
	static bool is_on;
	bool before = is_on;

	is_on = on;
	json_set_alloc_funcs(malloc, on ? free_wiped : free);
	return before;
}

json_t *json_parse(const void *text, size_t len, json_error_t *error)
{
	json_error_t ignored;
	json_t *root;
	char *copy;

	if (!error)
		error = &ignored;
	*error = (json_error_t) { .line = 1 };
	if (is_clean(text, len))
		return load_object(text, len, error);
	copy = malloc(3 * len);
	if (!copy)
		return NULL;
	root = load_object(copy, clean(copy, text, len), error);
	/* A damaged key file comes this way too. */
	crypto_wipe(copy, 3 * len);
	free(copy);
	return root;
}

json_t *json_member(json_t *object, const char *name)
{
	json_t *found = NULL;
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		if (strcasecmp(key, name) == 0)
			found = value;
	}
	return json_is_null(found) ? NULL : found;
}

int json_text_copy(char *dst, size_t size, const struct json_text *text)
{
	dst[0] = '\0';
	if (text->len >= size || memchr(text->s, '\0', text->len))
		return -EINVAL;
	str_cut(dst, size, text->s, text->len);
	return 0;
}

int json_as_text(struct json_text *out, const json_t *value)
{
	*out = (struct json_text) { "", 0 };
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return -EINVAL;
	*out = (struct json_text) { json_string_value(value), json_string_length(value) };
	return 0;
}

int json_member_text(struct json_text *out, json_t *object, const char *name)
{
	return json_as_text(out, json_member(object, name));
}

int json_member_int(int64_t *out, json_t *object, const char *name)
{
	const json_t *value = json_member(object, name);

	*out = json_integer_value(value);
	return !value || json_is_integer(value) ? 0 : -EINVAL;
}

int json_member_bool(bool *out, json_t *object, const char *name)
{
	const json_t *value = json_member(object, name);

	*out = json_is_true(value);
	return !value || json_is_boolean(value) ? 0 : -EINVAL;
}

int json_member_list(const json_t **out, json_t *object, const char *name)
{
	*out = json_member(object, name);
	if (!*out || json_is_array(*out))
		return 0;
	*out = NULL;
	return -EINVAL;
}

static void put(struct json_writer *w, const char *s, size_t len)
{
	if (w->len < w->size) {
		size_t room = w->size - w->len;

		memcpy(w->out + w->len, s, len < room ? len : room);
	}
	w->len += len;
}

static void put_text(struct json_writer *w, const char *s)
{
	put(w, s, strlen(s));
}

static void put_quoted(struct json_writer *w, const char *s)
{
	char escape[ESCAPE_LEN + 1];

	put_text(w, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			put_text(w, "\\");
			put(w, s, 1);
		} else if (c < 0x20 || c == '<' || c == '>' || c == '&') {
			(void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)c);
			put_text(w, escape);
		} else {
			put(w, s, 1);
		}
	}
	put_text(w, "\"");
}

static void put_break(struct json_writer *w)
{
	if (!w->indented)
		return;
	put_text(w, "\n");
	for (unsigned int i = 0; i < w->depth; i++)
		put_text(w, "  ");
}

/* What stands before a value: comma, line break, name. */
static void put_head(struct json_writer *w, const char *name)
{
	if (!w->is_first)
		put_text(w, ",");
	if (w->depth > 0)
		put_break(w);
	w->is_first = false;
	if (!name)
		return;
	put_quoted(w, name);
	put_text(w, w->indented ? ": " : ":");
}

void json_write_init(struct json_writer *w, char *out, size_t size, bool indented)
{
	*w = (struct json_writer) { .size = size, .indented = indented, .is_first = true };
	w->out = out;
}

void json_write_open(struct json_writer *w, const char *name, char bracket)
{
	put_head(w, name);
	put(w, &bracket, 1);
	w->depth++;
	w->is_first = true;
}

void json_write_close(struct json_writer *w, char bracket)
{
	w->depth--;
	if (!w->is_first)
		put_break(w);
	put(w, &bracket, 1);
	w->is_first = false;
}

void json_write_text(struct json_writer *w, const char *name, const char *text)
{
	put_head(w, name);
	put_quoted(w, text);
}

void json_write_int(struct json_writer *w, const char *name, int64_t number)
{
	char digits[24];

	put_head(w, name);
	(void)snprintf(digits, sizeof(digits), "%" PRId64, number);
	put_text(w, digits);
}

void json_write_true(struct json_writer *w, const char *name)
{
	put_head(w, name);
	put_text(w, "true");
}

void json_write_null(struct json_writer *w, const char *name)
{
	put_head(w, name);
	put_text(w, "null");
}

long json_write_end(struct json_writer *w)
{
	if (w->len >= w->size)
		return -EMSGSIZE;
	w->out[w->len] = '\0';
	return (long)w->len;
}

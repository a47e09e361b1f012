/* SPDX-License-Identifier: MIT */
#include "daemon/dht/bencode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_SIZE 24 /* a sign, nineteen digits, a letter, NUL */

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Digits in their one form: no sign, no leading zero; at most INT64_MAX. */
static bool take_digits(struct cursor *c, uint64_t *out)
{
	const uint8_t *begin = c->at;
	uint64_t value = 0;

	for (; c->at < c->end && is_digit(*c->at); c->at++) {
		unsigned int digit = (unsigned int)(*c->at - '0');

		if (value > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return c->at > begin && (*begin != '0' || c->at == begin + 1);
}

static bool take_integer(struct cursor *c, struct bencode *out)
{
	bool is_negative;
	uint64_t value;

	c->at++; /* 'i' */
	is_negative = c->at < c->end && *c->at == '-';
	if (is_negative)
		c->at++;
	if (!take_digits(c, &value) || c->at == c->end || *c->at != 'e' ||
	    (is_negative && value == 0))
		return false;
	c->at++;
	out->type = BENCODE_INTEGER;
	out->integer = is_negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool take_string(struct cursor *c, struct bencode *out)
{
	uint64_t len;

	if (!take_digits(c, &len) || c->at == c->end || *c->at != ':')
		return false;
	c->at++;
	if (len > (size_t)(c->end - c->at))
		return false;
	out->type = BENCODE_STRING;
	out->data = c->at;
	out->len = (size_t)len;
	c->at += len;
	return true;
}

/* One value that holds no others. */
static bool take_leaf(struct cursor *c, struct bencode *out)
{
	*out = (struct bencode) { .type = BENCODE_NONE };
	return *c->at == 'i' ? take_integer(c, out) : take_string(c, out);
}

/* What is open around the cursor: a list, or a dictionary and whether a key comes next. */
enum frame { FRAME_LIST, FRAME_KEY, FRAME_VALUE };

struct nest {
	size_t depth;
	enum frame frame[BENCODE_DEPTH_MAX];
};

/* A value of this kind may stand here; afterwards the frame waits for what follows it. */
static bool may_stand(struct nest *nest, uint8_t first)
{
	enum frame *top;

	if (nest->depth == 0)
		return true;
	top = &nest->frame[nest->depth - 1];
	if (*top == FRAME_KEY && !is_digit(first))
		return false;
	if (*top != FRAME_LIST)
		*top = *top == FRAME_KEY ? FRAME_VALUE : FRAME_KEY;
	return true;
}

static bool open_frame(struct nest *nest, uint8_t first)
{
	if (nest->depth == BENCODE_DEPTH_MAX)
		return false;
	nest->frame[nest->depth++] = first == 'l' ? FRAME_LIST : FRAME_KEY;
	return true;
}

static bool close_frame(struct nest *nest)
{
	if (nest->depth == 0 || nest->frame[nest->depth - 1] == FRAME_VALUE)
		return false;
	nest->depth--;
	return true;
}

/* Goes over one value and all that is in it. */
static bool skip_value(struct cursor *c)
{
	struct nest nest = { 0 };
	struct bencode leaf;
	bool is_ok = true;

	do {
		uint8_t first;

		if (c->at == c->end)
			return false;
		first = *c->at;
		if (first == 'e') {
			is_ok = close_frame(&nest);
			c->at++;
		} else if (first == 'l' || first == 'd') {
			is_ok = may_stand(&nest, first) && open_frame(&nest, first);
			c->at++;
		} else {
			is_ok = may_stand(&nest, first) && take_leaf(c, &leaf);
		}
	} while (is_ok && nest.depth > 0);
	return is_ok;
}

/* One value of a message that was checked. */
static bool take_value(struct cursor *c, struct bencode *out)
{
	const uint8_t *begin = c->at;

	if (c->at == c->end)
		return false;
	if (*begin != 'l' && *begin != 'd')
		return take_leaf(c, out);
	if (!skip_value(c))
		return false;
	*out = (struct bencode) {
		.type = *begin == 'l' ? BENCODE_LIST : BENCODE_DICT,
		.data = begin + 1,
		.len = (size_t)(c->at - begin) - 2,
	};
	return true;
}

int bencode_parse(struct bencode *out, const void *buf, size_t len)
{
	struct cursor c = { .at = buf, .end = (const uint8_t *)buf + len };

	*out = (struct bencode) { .type = BENCODE_NONE };
	if (len == 0 || len > BENCODE_LEN_MAX)
		return -EBADMSG;
	if (take_value(&c, out) && c.at == c.end)
		return 0;
	*out = (struct bencode) { .type = BENCODE_NONE };
	return -EBADMSG;
}

struct bencode bencode_find(const struct bencode *dict, const char *key)
{
	struct bencode name;
	struct bencode value;
	struct cursor c;

	if (dict->type != BENCODE_DICT)
		return (struct bencode) { .type = BENCODE_NONE };
	c = (struct cursor) { .at = dict->data, .end = dict->data + dict->len };
	while (take_value(&c, &name) && take_value(&c, &value))
		if (bencode_is(&name, key))
			return value;
	return (struct bencode) { .type = BENCODE_NONE };
}

bool bencode_next(struct bencode *out, struct bencode *rest)
{
	struct cursor c;

	if (rest->type != BENCODE_LIST)
		return false;
	c = (struct cursor) { .at = rest->data, .end = rest->data + rest->len };
	if (!take_value(&c, out))
		return false;
	rest->data = c.at;
	rest->len = (size_t)(c.end - c.at);
	return true;
}

bool bencode_is(const struct bencode *value, const char *text)
{
	size_t len = strlen(text);

	return value->type == BENCODE_STRING && value->len == len &&
	       (len == 0 || memcmp(value->data, text, len) == 0);
}

static void put(struct bencode_out *out, const void *data, size_t len)
{
	if (out->is_full || len > out->size - out->len) {
		out->is_full = true;
		return;
	}
	if (len > 0)
		memcpy(out->buf + out->len, data, len);
	out->len += len;
}

void bencode_put_dict(struct bencode_out *out)
{
	put(out, "d", 1);
}

void bencode_put_list(struct bencode_out *out)
{
	put(out, "l", 1);
}

void bencode_put_end(struct bencode_out *out)
{
	put(out, "e", 1);
}

void bencode_put_integer(struct bencode_out *out, int64_t value)
{
	char text[NUMBER_SIZE];
	int len = snprintf(text, sizeof(text), "i%" PRId64 "e", value);

	put(out, text, (size_t)len);
}

void bencode_put_string(struct bencode_out *out, const void *data, size_t len)
{
	char text[NUMBER_SIZE];
	int n = snprintf(text, sizeof(text), "%zu:", len);

	put(out, text, (size_t)n);
	put(out, data, len);
}

void bencode_put_text(struct bencode_out *out, const char *text)
{
	bencode_put_string(out, text, strlen(text));
}

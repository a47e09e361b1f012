/* SPDX-License-Identifier: MIT */
#include "daemon/net/dnsmsg.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define HEADER_LEN   12
#define LABEL_MAX    63
#define RECORD_LEN   10 /* type, class, time to live, length: all that follows the name */
#define OPT_LEN	     11
#define TYPE_A	     1
#define TYPE_AAAA    28
#define TYPE_OPT     41
#define CLASS_IN     1
#define POINTER	     0xc0
#define RECURSE	     0x0100
#define IS_ANSWER    0x8000
#define OPCODE	     0x7800
#define IS_CUT	     0x0200
#define CODE	     0x000f
#define CODE_FORMAT  1
#define CODE_NAME    3
#define CODE_UNKNOWN 4
#define ROOM	     1232 /* never fragmented; sixty-four addresses fit */

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint8_t *put16(uint8_t *b, unsigned int value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
	return b + 2;
}

static unsigned int type_of(uint8_t family)
{
	return family == AF_INET ? TYPE_A : TYPE_AAAA;
}

/* --- asking ---------------------------------------------------------------------------------- */

/* Returns where it ends, NULL for what is no name. */
static uint8_t *put_name(uint8_t *out, const char *name)
{
	size_t left = strlen(name);

	if (left == 0 || left >= DNSMSG_NAME_SIZE - 2)
		return NULL;
	while (left > 0) {
		const char *dot = memchr(name, '.', left);
		size_t len = dot ? (size_t)(dot - name) : left;

		if (len == 0 || len > LABEL_MAX || (dot && len + 1 == left))
			return NULL;
		*out++ = (uint8_t)len;
		memcpy(out, name, len);
		out += len;
		name += len + (dot ? 1 : 0);
		left -= len + (dot ? 1 : 0);
	}
	*out++ = 0;
	return out;
}

static uint8_t *put_opt(uint8_t *b)
{
	memset(b, 0, OPT_LEN);
	b[2] = TYPE_OPT;
	(void)put16(b + 3, ROOM);
	return b + OPT_LEN;
}

long dnsmsg_ask(uint8_t out[static DNSMSG_QUERY_MAX], const struct dnsmsg_question *q)
{
	uint8_t *b;

	memset(out, 0, HEADER_LEN);
	(void)put16(out, q->id);
	(void)put16(out + 2, RECURSE);
	(void)put16(out + 4, 1);
	out[HEADER_LEN - 1] = q->is_plain ? 0 : 1;
	b = put_name(out + HEADER_LEN, q->name);
	if (!b)
		return -EINVAL;
	b = put16(b, type_of(q->family));
	b = put16(b, CLASS_IN);
	if (!q->is_plain)
		b = put_opt(b);
	return b - out;
}

/* --- reading --------------------------------------------------------------------------------- */

/**
 * struct reader - A place in the datagram
 */
struct reader {
	const uint8_t *bytes;
	size_t len;
	size_t at;
};

static bool has(const struct reader *r, size_t n)
{
	return r->len - r->at >= n;
}

/* Passes over a name; where a pointer leads is of no interest. */
static bool skip_name(struct reader *r)
{
	while (has(r, 1)) {
		uint8_t len = r->bytes[r->at];

		if ((len & POINTER) == POINTER) {
			if (!has(r, 2))
				return false;
			r->at += 2;
			return true;
		}
		if (len > LABEL_MAX || !has(r, 1U + len))
			return false;
		r->at += 1U + len;
		if (len == 0)
			return true;
	}
	return false;
}

/* The question comes back as it was sent: whoever could not read it cannot know it. */
static bool skip_question(struct reader *r, const struct dnsmsg_question *q)
{
	uint8_t sent[DNSMSG_QUERY_MAX];
	long len = dnsmsg_ask(sent, q);
	size_t n = len < 0 ? 0 : (size_t)len - HEADER_LEN - (q->is_plain ? 0 : OPT_LEN);

	if (n < 4 || !has(r, n) ||
	    strncasecmp((const char *)r->bytes + r->at, (const char *)sent + HEADER_LEN, n - 5) !=
		    0 ||
	    memcmp(r->bytes + r->at + n - 5, sent + HEADER_LEN + n - 5, 5) != 0)
		return false;
	r->at += n;
	return true;
}

static void add(struct dnsmsg_answer *out, const struct ip *ip, uint32_t ttl_s)
{
	for (size_t i = 0; i < out->n; i++)
		if (ip_equal(&out->ip[i], ip))
			return;
	if (out->n == DNSMSG_ADDRESSES_MAX)
		return;
	if (out->n == 0 || ttl_s < out->ttl_s)
		out->ttl_s = ttl_s;
	out->ip[out->n++] = *ip;
}

/* False when there is no whole record any more. */
static bool take_record(struct dnsmsg_answer *out, struct reader *r, uint8_t family)
{
	struct ip ip = { .family = family };
	size_t want = family == AF_INET ? 4 : 16;
	const uint8_t *b;
	size_t len;

	if (!skip_name(r) || !has(r, RECORD_LEN))
		return false;
	b = r->bytes + r->at;
	len = get16(b + 8);
	r->at += RECORD_LEN;
	if (!has(r, len))
		return false;
	if (get16(b) == type_of(family) && get16(b + 2) == CLASS_IN && len == want) {
		memcpy(ip.b, b + RECORD_LEN, want);
		add(out, &ip, (uint32_t)get16(b + 4) << 16 | get16(b + 6));
	}
	r->at += len;
	return true;
}

enum dnsmsg_verdict dnsmsg_read(struct dnsmsg_answer *out, const uint8_t *bytes, size_t len,
				const struct dnsmsg_question *q)
{
	struct reader r = { .bytes = bytes, .len = len, .at = HEADER_LEN };
	unsigned int flags;
	unsigned int code;

	out->n = 0;
	out->ttl_s = 0;
	if (len < HEADER_LEN || get16(bytes) != q->id)
		return DNSMSG_NOT_AN_ANSWER;
	flags = get16(bytes + 2);
	code = flags & CODE;
	if (!(flags & IS_ANSWER) || (flags & OPCODE))
		return DNSMSG_NOT_AN_ANSWER;
	/* Who does not understand the question need not repeat it. */
	if ((code == CODE_FORMAT || code == CODE_UNKNOWN) && !q->is_plain)
		return DNSMSG_NO_EDNS;
	if (get16(bytes + 4) != 1 || !skip_question(&r, q))
		return DNSMSG_NOT_AN_ANSWER;
	if (code == CODE_NAME)
		return DNSMSG_NONE;
	if (code != 0)
		return DNSMSG_FAILED;
	for (unsigned int i = get16(bytes + 6); i > 0 && take_record(out, &r, q->family); i--)
		;
	if (out->n > 0)
		return DNSMSG_FOUND;
	return flags & IS_CUT ? DNSMSG_FAILED : DNSMSG_NONE;
}

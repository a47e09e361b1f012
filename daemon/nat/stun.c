/* SPDX-License-Identifier: MIT */
#include "daemon/nat/stun.h"

#include <string.h>
#include <sys/socket.h>

#define HEADER_LEN	 20
#define COOKIE		 0x2112a442u
#define TYPE_REQUEST	 0x0001
#define TYPE_SUCCESS	 0x0101
#define TYPE_ERROR	 0x0111
#define ATTR_HEADER_LEN	 4
#define ATTR_MAPPED	 0x0001
#define ATTR_XOR_MAPPED	 0x0020
#define FAMILY_V4	 1
#define FAMILY_V6	 2
#define ADDRESS_HEAD_LEN 4 /* zero, family, port */
#define V4_LEN		 4
#define V6_LEN		 16

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)((unsigned int)p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

void stun_request(uint8_t out[static STUN_REQUEST_LEN], const struct stun_transaction *t)
{
	put16(out, TYPE_REQUEST);
	put16(out + 2, 0);
	put32(out + 4, COOKIE);
	memcpy(out + 8, t->b, sizeof(t->b));
}

/* The header is ours as far as its transaction: what does it announce? */
static enum stun_result judge_header(const uint8_t *msg, size_t len,
				     const struct stun_transaction *t)
{
	uint16_t type;

	if (len < HEADER_LEN || len > STUN_ANSWER_MAX || get32(msg + 4) != COOKIE ||
	    memcmp(msg + 8, t->b, sizeof(t->b)) != 0)
		return STUN_NOT_OURS;
	type = get16(msg);
	if (type != TYPE_SUCCESS && type != TYPE_ERROR)
		return STUN_NOT_OURS;
	/* Attributes are padded to four bytes, and a datagram holds one message. */
	if (len % 4 != 0 || get16(msg + 2) != len - HEADER_LEN)
		return STUN_MALFORMED;
	return type == TYPE_ERROR ? STUN_REFUSED : STUN_OK;
}

/* Reads an attribute's address, XORed with @mask where that is wanted; "none" when it is none. */
static struct endpoint read_address(const uint8_t *value, size_t len, const uint8_t *mask)
{
	static const uint8_t no_mask[V6_LEN];
	struct endpoint out = { .port = 0 };
	size_t ip_len;

	if (len < ADDRESS_HEAD_LEN)
		return out;
	ip_len = value[1] == FAMILY_V4 ? V4_LEN : V6_LEN;
	if ((value[1] != FAMILY_V4 && value[1] != FAMILY_V6) || len != ADDRESS_HEAD_LEN + ip_len)
		return out;
	if (!mask)
		mask = no_mask;
	out.ip.family = value[1] == FAMILY_V4 ? AF_INET : AF_INET6;
	for (size_t i = 0; i < ip_len; i++)
		out.ip.b[i] = value[ADDRESS_HEAD_LEN + i] ^ mask[i];
	out.port = (uint16_t)(get16(value + 2) ^ get16(mask));
	ip_unmap(&out.ip);
	if (out.port == 0 || ip_is_wildcard(&out.ip))
		return (struct endpoint) { .port = 0 };
	return out;
}

/**
 * struct found - Addresses of an answer; "none" where it has none
 */
struct found {
	struct endpoint plain;
	struct endpoint xored;
};

static int read_attributes(struct found *out, const uint8_t *msg, size_t len)
{
	const uint8_t *mask = msg + 4; /* cookie and transaction */

	for (size_t at = HEADER_LEN; at < len;) {
		const uint8_t *attr = msg + at;
		size_t attr_len = get16(attr + 2);

		if (attr_len > len - at - ATTR_HEADER_LEN)
			return -1;
		if (get16(attr) == ATTR_XOR_MAPPED && out->xored.ip.family == 0)
			out->xored = read_address(attr + ATTR_HEADER_LEN, attr_len, mask);
		if (get16(attr) == ATTR_MAPPED && out->plain.ip.family == 0)
			out->plain = read_address(attr + ATTR_HEADER_LEN, attr_len, NULL);
		at += ATTR_HEADER_LEN + (attr_len + 3) / 4 * 4;
	}
	return 0;
}

enum stun_result stun_parse(struct endpoint *out, const void *buf, size_t len,
			    const struct stun_transaction *t)
{
	const uint8_t *msg = buf;
	struct found found = { 0 };
	enum stun_result r = judge_header(msg, len, t);

	*out = (struct endpoint) { .port = 0 };
	if (r != STUN_OK)
		return r;
	if (read_attributes(&found, msg, len) < 0)
		return STUN_MALFORMED;
	*out = found.xored.ip.family != 0 ? found.xored : found.plain;
	return out->ip.family != 0 ? STUN_OK : STUN_MALFORMED;
}

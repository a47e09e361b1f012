/* SPDX-License-Identifier: MIT */
#include "daemon/dht/nodeid.h"

#include <string.h>

#define CRC32C_POLYNOMIAL 0x82f63b78U /* Castagnoli's, bits reversed (RFC 3720 section 12.1) */

bool nodeid_equal(const struct nodeid *a, const struct nodeid *b)
{
	return memcmp(a->b, b->b, NODEID_LEN) == 0;
}

unsigned int nodeid_prefix(const struct nodeid *a, const struct nodeid *b)
{
	for (unsigned int i = 0; i < NODEID_LEN; i++) {
		unsigned int differ = a->b[i] ^ b->b[i];

		if (differ != 0)
			return i * 8 + (unsigned int)__builtin_clz(differ) - 24;
	}
	return NODEID_BITS;
}

int nodeid_compare(const struct nodeid *target, const struct nodeid *a, const struct nodeid *b)
{
	for (size_t i = 0; i < NODEID_LEN; i++) {
		int da = a->b[i] ^ target->b[i];
		int db = b->b[i] ^ target->b[i];

		if (da != db)
			return da - db;
	}
	return 0;
}

/* Eight bytes at most, a few times a second: no table is worth its kilobyte. */
static uint32_t crc32c(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ ((crc & 1) ? CRC32C_POLYNOMIAL : 0);
	}
	return ~crc;
}

/* The first 21 bits of the result count; the last byte of the id takes part with three bits. */
static uint32_t expected(const struct ip *ip, uint8_t last)
{
	static const uint8_t mask4[4] = { 0x03, 0x0f, 0x3f, 0xff };
	static const uint8_t mask6[8] = { 0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff };
	const uint8_t *mask = ip->family == AF_INET ? mask4 : mask6;
	size_t len = ip->family == AF_INET ? sizeof(mask4) : sizeof(mask6);
	uint8_t bytes[sizeof(mask6)] = { 0 };

	for (size_t i = 0; i < len; i++)
		bytes[i] = ip->b[i] & mask[i];
	bytes[0] = (uint8_t)(bytes[0] | ((last & 7) << 5));
	return crc32c(bytes, len);
}

void nodeid_make(struct nodeid *id, const struct ip *ip)
{
	uint32_t crc = expected(ip, id->b[NODEID_LEN - 1]);

	id->b[0] = (uint8_t)(crc >> 24);
	id->b[1] = (uint8_t)(crc >> 16);
	id->b[2] = (uint8_t)(((crc >> 8) & 0xf8) | (id->b[2] & 0x07));
}

bool nodeid_fits(const struct nodeid *id, const struct ip *ip)
{
	uint32_t crc;

	if (nodeid_scope(ip) != SCOPE_GLOBAL)
		return true;
	crc = expected(ip, id->b[NODEID_LEN - 1]);
	return id->b[0] == (uint8_t)(crc >> 24) && id->b[1] == (uint8_t)(crc >> 16) &&
	       (id->b[2] & 0xf8) == ((crc >> 8) & 0xf8);
}

static enum nodeid_scope scope4(const uint8_t *b)
{
	if (b[0] == 127)
		return SCOPE_LOOPBACK;
	/* 0.0.0.0/8, link-local, multicast, reserved and broadcast */
	if (b[0] == 0 || b[0] >= 224 || (b[0] == 169 && b[1] == 254))
		return SCOPE_NONE;
	if (b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
	    (b[0] == 100 && (b[1] & 0xc0) == 64))
		return SCOPE_PRIVATE;
	return SCOPE_GLOBAL;
}

static enum nodeid_scope scope6(const uint8_t *b)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	if (memcmp(b, loopback, sizeof(loopback)) == 0)
		return SCOPE_LOOPBACK;
	if ((b[0] & 0xfe) == 0xfc)
		return SCOPE_PRIVATE;
	/* 2000::/3 is all that is given out; it leaves out mapped, link-local and multicast ones. */
	return (b[0] & 0xe0) == 0x20 ? SCOPE_GLOBAL : SCOPE_NONE;
}

enum nodeid_scope nodeid_scope(const struct ip *ip)
{
	if (ip->family == AF_INET)
		return scope4(ip->b);
	return ip->family == AF_INET6 ? scope6(ip->b) : SCOPE_NONE;
}

bool nodeid_may_tell(const struct ip *teller, const struct endpoint *at)
{
	enum nodeid_scope scope = nodeid_scope(&at->ip);
	enum nodeid_scope from = nodeid_scope(teller);

	return at->port != 0 && from != SCOPE_NONE && scope >= from;
}

bool nodeid_neighbours(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family || nodeid_scope(a) != SCOPE_GLOBAL)
		return false;
	return memcmp(a->b, b->b, a->family == AF_INET ? 3 : 8) == 0;
}

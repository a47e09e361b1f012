/* SPDX-License-Identifier: MIT */
#include "daemon/dht/writetoken.h"
#include "daemon/wire/crypto.h"

#include <string.h>

void writetoken_init(struct writetoken *t, const uint8_t random[static WRITETOKEN_RANDOM_LEN],
		     int64_t now_ms)
{
	memcpy(t->key, random, sizeof(t->key));
	t->since_ms = now_ms;
}

bool writetoken_is_due(const struct writetoken *t, int64_t now_ms)
{
	return now_ms - t->since_ms >= WRITETOKEN_PERIOD_MS;
}

void writetoken_rotate(struct writetoken *t, const uint8_t fresh[static WRITETOKEN_KEY_LEN],
		       int64_t now_ms)
{
	memcpy(t->key[1], t->key[0], WRITETOKEN_KEY_LEN);
	memcpy(t->key[0], fresh, WRITETOKEN_KEY_LEN);
	t->since_ms = now_ms - t->since_ms < 2 * WRITETOKEN_PERIOD_MS
			      ? t->since_ms + WRITETOKEN_PERIOD_MS
			      : now_ms - WRITETOKEN_PERIOD_MS;
}

static void make_with(const uint8_t key[static WRITETOKEN_KEY_LEN], const struct ip *ip,
		      uint8_t out[static WRITETOKEN_LEN])
{
	const struct crypto_part salt = { key, WRITETOKEN_KEY_LEN };
	const struct crypto_part address = { ip->b, ip->family == AF_INET6 ? 16 : 4 };
	const struct crypto_part info = { "", 0 };

	crypto_hkdf_salted(out, WRITETOKEN_LEN, &salt, &address, &info);
}

void writetoken_make(const struct writetoken *t, const struct ip *ip,
		     uint8_t out[static WRITETOKEN_LEN])
{
	make_with(t->key[0], ip, out);
}

bool writetoken_check(const struct writetoken *t, const struct ip *ip, const uint8_t *token,
		      size_t len)
{
	uint8_t want[WRITETOKEN_LEN];

	if (len != WRITETOKEN_LEN)
		return false;
	for (size_t i = 0; i < 2; i++) {
		make_with(t->key[i], ip, want);
		if (crypto_equal(want, token, WRITETOKEN_LEN))
			return true;
	}
	return false;
}

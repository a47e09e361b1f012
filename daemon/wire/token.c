/* SPDX-License-Identifier: MIT */
#include "daemon/wire/token.h"
#include "common/defs.h"

#include <stdio.h>
#include <string.h>

#define SECONDS_AN_HOUR 3600
#define NUMBER_SIZE	24

void token_make(uint8_t out[static TOKEN_LEN], const uint8_t membership[static CRYPTO_KEY_LEN],
		const char *pubkey_text, int64_t hour)
{
	char number[NUMBER_SIZE];
	int len = snprintf(number, sizeof(number), "|%lld", (long long)hour);
	const struct crypto_part parts[] = { { pubkey_text, strlen(pubkey_text) },
					     { number, (size_t)len } };

	crypto_hmac(out, membership, parts, ARRAY_LEN(parts));
}

bool token_check(const uint8_t token[static TOKEN_LEN],
		 const uint8_t membership[static CRYPTO_KEY_LEN], const char *pubkey_text,
		 int64_t unix_s)
{
	bool is_good = false;

	for (int64_t hour = -1; hour <= 1; hour++) {
		uint8_t want[TOKEN_LEN];

		token_make(want, membership, pubkey_text, unix_s / SECONDS_AN_HOUR + hour);
		is_good |= crypto_equal(token, want, sizeof(want));
	}
	return is_good;
}

void rotation_announce(struct rotation *out, const struct secret *new_secret, int64_t grace_s,
		       int64_t timestamp)
{
	const struct crypto_part text = { new_secret->text, new_secret->len };

	crypto_sha256(out->new_hash, &text, 1);
	out->grace_s = grace_s;
	out->timestamp = timestamp;
}

void rotation_sign(uint8_t out[static CRYPTO_SHA256_LEN], const struct rotation *r,
		   const uint8_t old_membership[static CRYPTO_KEY_LEN])
{
	char hex[2 * CRYPTO_SHA256_LEN + 1];
	char numbers[2 * NUMBER_SIZE];
	int len = snprintf(numbers, sizeof(numbers), "|%lld|%lld", (long long)r->grace_s,
			   (long long)r->timestamp);
	const struct crypto_part parts[] = { { hex, sizeof(hex) - 1 }, { numbers, (size_t)len } };

	crypto_hex(hex, sizeof(hex), r->new_hash, sizeof(r->new_hash));
	crypto_hmac(out, old_membership, parts, ARRAY_LEN(parts));
}

bool rotation_check(const struct rotation *r, const uint8_t signature[static CRYPTO_SHA256_LEN],
		    const uint8_t old_membership[static CRYPTO_KEY_LEN])
{
	uint8_t want[CRYPTO_SHA256_LEN];

	rotation_sign(want, r, old_membership);
	return crypto_equal(signature, want, sizeof(want));
}

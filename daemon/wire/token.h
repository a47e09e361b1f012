/* SPDX-License-Identifier: MIT */
/*
 * token - membership tokens and rotation announcements (protocol.md section 6); pure
 *
 * No message carries either: existing nodes do not send or check them. They are here, with the
 * vectors that hold them, for the day that secrets are rotated.
 */
#ifndef DAEMON_WIRE_TOKEN_H
#define DAEMON_WIRE_TOKEN_H

#include "daemon/wg/wg.h"
#include "daemon/wire/crypto.h"
#include "daemon/wire/derive.h"

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_LEN CRYPTO_SHA256_LEN

/**
 * token_make() - What proves that the holder of a key knew the secret in an hour
 * @out:	Receives the token
 * @membership:	Membership key
 * @pubkey_text: The key as 44 characters
 * @hour:	Unix time in hours
 */
void token_make(uint8_t out[static TOKEN_LEN], const uint8_t membership[static CRYPTO_KEY_LEN],
		const char *pubkey_text, int64_t hour);

/**
 * token_check() - Is it that key's token of this hour, of the one before or of the one after?
 */
bool token_check(const uint8_t token[static TOKEN_LEN],
		 const uint8_t membership[static CRYPTO_KEY_LEN], const char *pubkey_text,
		 int64_t unix_s);

/**
 * struct rotation - Announcement of another secret
 * @new_hash:	SHA-256 of the new secret
 * @grace_s:	How long the old one is still good
 * @timestamp:	Unix time
 */
struct rotation {
	uint8_t new_hash[CRYPTO_SHA256_LEN];
	int64_t grace_s;
	int64_t timestamp;
};

/**
 * rotation_announce() - Make one for a new secret
 */
void rotation_announce(struct rotation *out, const struct secret *new_secret, int64_t grace_s,
		       int64_t timestamp);

/**
 * rotation_sign() / rotation_check() - With the membership key of the old secret
 */
void rotation_sign(uint8_t out[static CRYPTO_SHA256_LEN], const struct rotation *r,
		   const uint8_t old_membership[static CRYPTO_KEY_LEN]);
bool rotation_check(const struct rotation *r, const uint8_t signature[static CRYPTO_SHA256_LEN],
		    const uint8_t old_membership[static CRYPTO_KEY_LEN]);

#endif /* DAEMON_WIRE_TOKEN_H */

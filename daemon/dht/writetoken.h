/* SPDX-License-Identifier: MIT */
/*
 * writetoken - who asked for peers may announce itself, from the same address (BEP 5); pure
 *
 * A token is an HMAC over the address under a key that nobody else knows. The key is changed every
 * five minutes, and the one before it still counts: a token is good for five to ten minutes.
 */
#ifndef DAEMON_DHT_WRITETOKEN_H
#define DAEMON_DHT_WRITETOKEN_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRITETOKEN_LEN	      8
#define WRITETOKEN_KEY_LEN    32
#define WRITETOKEN_RANDOM_LEN (2 * WRITETOKEN_KEY_LEN)
#define WRITETOKEN_PERIOD_MS  (5 * 60 * 1000)

/**
 * struct writetoken - The keys
 * @key:	The one that makes tokens, then the one before it
 * @since_ms:	Since when key 0 counts as in use
 */
struct writetoken {
	uint8_t key[2][WRITETOKEN_KEY_LEN];
	int64_t since_ms;
};

/**
 * writetoken_init() - Begin
 * @t:		Keys
 * @random:	Random bytes
 * @now_ms:	Monotonic milliseconds
 */
void writetoken_init(struct writetoken *t, const uint8_t random[static WRITETOKEN_RANDOM_LEN],
		     int64_t now_ms);

/**
 * writetoken_is_due() - Is the key five minutes old?
 *
 * Has to be asked, and writetoken_rotate() called until it is not, before a token is made or checked.
 */
bool writetoken_is_due(const struct writetoken *t, int64_t now_ms);

/**
 * writetoken_rotate() - Change the key
 * @t:		Keys, of which one is due; after a long time both are, one after the other
 * @fresh:	Random bytes
 * @now_ms:	Monotonic milliseconds
 */
void writetoken_rotate(struct writetoken *t, const uint8_t fresh[static WRITETOKEN_KEY_LEN],
		       int64_t now_ms);

/**
 * writetoken_make() - The token of an address
 */
void writetoken_make(const struct writetoken *t, const struct ip *ip,
		     uint8_t out[static WRITETOKEN_LEN]);

/**
 * writetoken_check() - Did we give this token to this address, lately?
 */
bool writetoken_check(const struct writetoken *t, const struct ip *ip, const uint8_t *token,
		      size_t len);

#endif /* DAEMON_DHT_WRITETOKEN_H */

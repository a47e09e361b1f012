/* SPDX-License-Identifier: MIT */
/* envelope - seal and open one datagram (protocol.md section 5); pure */
#ifndef DAEMON_WIRE_ENVELOPE_H
#define DAEMON_WIRE_ENVELOPE_H

#include "daemon/wire/crypto.h"

#include <stddef.h>
#include <stdint.h>

#define ENVELOPE_DATAGRAM_MAX 65507 /* largest UDP payload over IPv4 */
#define ENVELOPE_MAX_AGE_S    600
#define ENVELOPE_PROTOCOL     "wgmesh-v1"

enum message_type {
	MESSAGE_UNKNOWN, /* a type of a later version, or none */
	MESSAGE_HELLO,
	MESSAGE_REPLY,
	MESSAGE_ANNOUNCE,
	MESSAGE_GOODBYE,
	MESSAGE_RENDEZVOUS_OFFER,
	MESSAGE_RENDEZVOUS_START,
};

enum envelope_result {
	ENVELOPE_OK = 0,
	ENVELOPE_BAD_JSON = 1,	 /* the datagram is no envelope */
	ENVELOPE_BAD_NONCE,	 /* nonce is not 12 bytes */
	ENVELOPE_FORGED,	 /* wrong secret, or altered */
	ENVELOPE_BAD_PAYLOAD,	 /* plaintext is no object with protocol and timestamp */
	ENVELOPE_WRONG_PROTOCOL, /* another protocol than wgmesh-v1 */
	ENVELOPE_TOO_OLD,
	ENVELOPE_IN_FUTURE,
};

/* Name of a verdict as in the vectors: "accept", "decrypt", "too-old", ... */
const char *envelope_result_name(enum envelope_result r);
const char *message_type_name(enum message_type t);
enum message_type message_type_parse(const char *name);

/**
 * struct envelope - An opened datagram
 * @type:	Claimed type; it is not authenticated, so check the body's shape against it
 * @timestamp:	Sender's Unix time; of one that is too old or in the future, too
 * @body:	Parsed plaintext, a json_t object (daemon/wire/json.h); owned: envelope_free()
 */
struct envelope {
	enum message_type type;
	int64_t timestamp;
	void *body;
};

/**
 * envelope_seal() - Make the datagram for a plaintext
 * @out:	Receives the datagram and a NUL
 * @size:	Room in @out
 * @type:	Type name to write
 * @plain:	Plaintext JSON; borrowed
 * @len:	Bytes in @plain
 * @nonce:	12 fresh random bytes
 * @key:	Gossip key
 *
 * Return: bytes without the NUL, -EMSGSIZE, or -ENOMEM
 */
long envelope_seal(char *out, size_t size, enum message_type type, const char *plain, size_t len,
		   const uint8_t nonce[static CRYPTO_NONCE_LEN],
		   const uint8_t key[static CRYPTO_KEY_LEN]);

/**
 * envelope_open() - Open a datagram (the "raw open"); fields are judged by announce.h
 * @out:	Receives the envelope; nothing to free unless ENVELOPE_OK
 * @datagram:	Bytes from anybody; borrowed
 * @len:	Bytes in @datagram
 * @key:	Gossip key
 * @now:	Unix time
 *
 * Member names are matched without regard to case, the last duplicate counts, null is absent, as
 * existing nodes do. There is no replay cache: a HELLO is resent byte for byte and must be answered.
 *
 * Return: enum envelope_result; remote input never yields a negative code
 */
enum envelope_result envelope_open(struct envelope *out, const void *datagram, size_t len,
				   const uint8_t key[static CRYPTO_KEY_LEN], int64_t now);

void envelope_free(struct envelope *env);

#endif /* DAEMON_WIRE_ENVELOPE_H */

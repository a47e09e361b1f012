/* SPDX-License-Identifier: MIT */
/*
 * sealed - bytes sealed with a passphrase: the outer form of `wgmesh state export`; pure
 *
 *	0	8	"wgmesh\r\n": a copy that went through a text conversion is known at once
 *	8	4	version, 1
 *	12	4	method, 1: Argon2id (RFC 9106), then XChaCha20-Poly1305
 *	16	8	Argon2id: passes
 *	24	8	Argon2id: bytes of memory
 *	32	16	salt
 *	48	24	nonce
 *	72	8	bytes of plaintext
 *	80		ciphertext, then 16 bytes of tag
 *
 * Numbers are big endian. The header is authenticated with the ciphertext. What it asks for is
 * checked before any memory is taken for it.
 */
#ifndef DAEMON_STATE_SEALED_H
#define DAEMON_STATE_SEALED_H

#include "common/err.h"
#include "daemon/wire/crypto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEALED_VERSION	      1
#define SEALED_HEADER	      80
#define SEALED_PLAIN_MAX      (32U << 20)
#define SEALED_MAX	      (SEALED_HEADER + SEALED_PLAIN_MAX + CRYPTO_TAG_LEN)
#define SEALED_PASSPHRASE_MIN 8

/* What a seal is made with: some 200 ms of a core, and memory that a small machine has. */
#define SEALED_PASSES 8
#define SEALED_MEMORY (64U << 20)
/* What an opener is willing to spend. */
#define SEALED_PASSES_MAX 32
#define SEALED_MEMORY_MAX (256U << 20)

/**
 * struct sealed_how - What a seal is made with
 * @effort:	Work that a guess takes; within the limits above
 * @salt:	Fresh random bytes
 * @nonce:	Fresh random bytes
 */
struct sealed_how {
	struct crypto_effort effort;
	uint8_t salt[CRYPTO_SALT_LEN];
	uint8_t nonce[CRYPTO_LONG_NONCE_LEN];
};

/**
 * sealed_looks_so() - Do these bytes begin like a sealed file?
 */
bool sealed_looks_so(const void *buf, size_t len);

/**
 * sealed_size() - Bytes that a seal of so many takes
 */
static inline size_t sealed_size(size_t plain_len)
{
	return SEALED_HEADER + plain_len + CRYPTO_TAG_LEN;
}

/**
 * sealed_seal() - Seal bytes
 * @out:	Receives sealed_size(@plain->len) bytes
 * @plain:	At most SEALED_PLAIN_MAX bytes; borrowed
 * @passphrase:	At least SEALED_PASSPHRASE_MIN bytes; borrowed
 * @how:	Effort, salt and nonce
 * @e:		Receives the reason on failure
 *
 * Return: 0, -EINVAL for what is out of range, or -ENOMEM
 */
int sealed_seal(uint8_t *out, const struct crypto_part *plain, const struct crypto_part *passphrase,
		const struct sealed_how *how, struct err *e);

/**
 * sealed_check() - Judge the outside of a sealed file, before anybody is asked for a passphrase
 * @plain_len:	Receives the bytes of plaintext
 * @buf:	Bytes from anybody; borrowed
 * @len:	Bytes in @buf
 * @e:		What is wrong, to be read after the file's name
 *
 * Return: 0; -EBADMSG when it is damaged or no sealed file; -EPROTONOSUPPORT when it is of a later
 *         release
 */
int sealed_check(size_t *plain_len, const void *buf, size_t len, struct err *e);

/**
 * sealed_open() - Open a sealed file
 * @out:	Receives the plaintext, as many bytes as sealed_check() said; zeros on failure
 * @buf:	Bytes from anybody; borrowed
 * @len:	Bytes in @buf
 * @passphrase:	Passphrase; borrowed
 * @e:		What is wrong, to be read after the file's name
 *
 * Return: as sealed_check(), and -EKEYREJECTED for another passphrase or an altered file, which
 *         cannot be told apart; or -ENOMEM
 */
int sealed_open(uint8_t *out, const void *buf, size_t len, const struct crypto_part *passphrase,
		struct err *e);

#endif /* DAEMON_STATE_SEALED_H */

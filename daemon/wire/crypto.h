/* SPDX-License-Identifier: MIT */
/*
 * crypto - the only file that includes libsodium's and nettle's headers
 *
 * AES-256-GCM comes from libsodium where the CPU has AES instructions, otherwise from nettle: nodes
 * on a Raspberry Pi 4 must be able to join. HKDF (RFC 5869) is built on libsodium's HMAC-SHA256.
 */
#ifndef DAEMON_WIRE_CRYPTO_H
#define DAEMON_WIRE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_KEY_LEN	  32
#define CRYPTO_NONCE_LEN  12
#define CRYPTO_TAG_LEN	  16
#define CRYPTO_SHA256_LEN 32

/* Sealing with a passphrase: Argon2id, then XChaCha20-Poly1305. */
#define CRYPTO_SALT_LEN	      16
#define CRYPTO_LONG_NONCE_LEN 24

/**
 * crypto_init() - Start the library; must be called before anything else here
 *
 * Return: 0, or -ENOSYS when no good source of randomness can be had
 */
int crypto_init(void);

void crypto_random(void *buf, size_t len);

/**
 * crypto_wipe() - Overwrite memory that held a secret, in a way no compiler removes
 */
void crypto_wipe(void *buf, size_t len);

/**
 * crypto_equal() - Compare secrets without telling by the time it takes where they differ
 */
bool crypto_equal(const void *a, const void *b, size_t len);

/**
 * crypto_sha256() - Hash the concatenation of parts
 * @out:	Receives 32 bytes
 * @parts:	Pairs of pointer and length; borrowed
 * @n:		Entries in @parts
 */
struct crypto_part {
	const void *data;
	size_t len;
};
void crypto_sha256(uint8_t out[static CRYPTO_SHA256_LEN], const struct crypto_part *parts,
		   size_t n);

/**
 * crypto_hmac() - HMAC-SHA256 of the concatenation of parts
 * @out:	Receives 32 bytes
 * @key:	Key
 * @parts:	Borrowed
 * @n:		Entries in @parts
 */
void crypto_hmac(uint8_t out[static CRYPTO_SHA256_LEN], const uint8_t key[static CRYPTO_KEY_LEN],
		 const struct crypto_part *parts, size_t n);

/**
 * crypto_hkdf() - HKDF-SHA256 with absent salt (protocol.md section 2)
 * @out:	Receives @out_len bytes
 * @out_len:	At most 255 * 32
 * @ikm:	Input keying material; borrowed
 * @ikm_len:	Bytes in @ikm
 * @info:	ASCII label
 */
void crypto_hkdf(uint8_t *out, size_t out_len, const void *ikm, size_t ikm_len, const char *info);

/**
 * crypto_hkdf_salted() - HKDF-SHA256 as RFC 5869 has it, for its own test cases
 */
void crypto_hkdf_salted(uint8_t *out, size_t out_len, const struct crypto_part *salt,
			const struct crypto_part *ikm, const struct crypto_part *info);

/**
 * crypto_seal() - AES-256-GCM, no additional data
 * @out:	Receives @len + CRYPTO_TAG_LEN bytes, the tag last
 * @plain:	Plaintext; borrowed
 * @len:	Bytes in @plain
 * @nonce:	Never twice under one key
 * @key:	Key
 */
void crypto_seal(uint8_t *out, const uint8_t *plain, size_t len,
		 const uint8_t nonce[static CRYPTO_NONCE_LEN],
		 const uint8_t key[static CRYPTO_KEY_LEN]);

/**
 * crypto_open() - Open what crypto_seal() made
 * @out:	Receives @len - CRYPTO_TAG_LEN bytes, no plaintext on failure; may be @sealed itself
 * @sealed:	Ciphertext and tag; borrowed
 * @len:	Bytes in @sealed
 * @nonce:	Nonce
 * @key:	Key
 *
 * Return: true when the tag is right
 */
bool crypto_open(uint8_t *out, const uint8_t *sealed, size_t len,
		 const uint8_t nonce[static CRYPTO_NONCE_LEN],
		 const uint8_t key[static CRYPTO_KEY_LEN]);

/**
 * struct crypto_effort - How much work a guess at a passphrase takes
 * @passes:	Passes over the memory
 * @memory:	Bytes of memory
 */
struct crypto_effort {
	uint64_t passes;
	uint64_t memory;
};

/**
 * crypto_password_key() - Make a key of a passphrase (Argon2id, RFC 9106)
 * @key:	Receives the key
 * @passphrase:	Passphrase; borrowed
 * @salt:	Random bytes, CRYPTO_SALT_LEN of them
 * @effort:	Taken as it is: the caller has bounded it
 *
 * Return: 0, or -ENOMEM
 */
int crypto_password_key(uint8_t key[static CRYPTO_KEY_LEN], const struct crypto_part *passphrase,
			const uint8_t *salt, const struct crypto_effort *effort);

/**
 * crypto_seal_with() / crypto_open_with() - XChaCha20-Poly1305 with additional data
 * @out:	Receives the bytes and the tag behind them, or the bytes alone
 * @in:		Plaintext, or ciphertext and tag; borrowed
 * @extra:	Data that is authenticated too; borrowed
 * @nonce:	CRYPTO_LONG_NONCE_LEN bytes, which may be random
 * @key:	Key
 *
 * Return: crypto_open_with(): true when the tag is right
 */
void crypto_seal_with(uint8_t *out, const struct crypto_part *in, const struct crypto_part *extra,
		      const uint8_t *nonce, const uint8_t key[static CRYPTO_KEY_LEN]);
bool crypto_open_with(uint8_t *out, const struct crypto_part *in, const struct crypto_part *extra,
		      const uint8_t *nonce, const uint8_t key[static CRYPTO_KEY_LEN]);

/**
 * crypto_use_software_aes() - Take nettle's AES even where the CPU has instructions; for tests
 */
void crypto_use_software_aes(bool on);

/**
 * crypto_wg_keypair() - Make a WireGuard key pair: a clamped X25519 scalar and its public key
 */
void crypto_wg_keypair(uint8_t private_key[static CRYPTO_KEY_LEN],
		       uint8_t public_key[static CRYPTO_KEY_LEN]);

/**
 * crypto_wg_public() - Public key of a private one
 */
void crypto_wg_public(uint8_t public_key[static CRYPTO_KEY_LEN],
		      const uint8_t private_key[static CRYPTO_KEY_LEN]);

/**
 * crypto_base64() - Encode with the standard alphabet and padding
 * @out:	Receives the text and a NUL
 * @size:	Room in @out: at least crypto_base64_size(@len)
 * @in:		Bytes; borrowed
 * @len:	Bytes in @in
 */
void crypto_base64(char *out, size_t size, const uint8_t *in, size_t len);
void crypto_base64_url(char *out, size_t size, const uint8_t *in, size_t len); /* no padding */
size_t crypto_base64_size(size_t len);

/**
 * crypto_hex() - Encode in lower-case hexadecimal digits
 * @out:	Receives the text and a NUL
 * @size:	Room in @out: at least 2 * @len + 1
 * @in:		Bytes; borrowed
 * @len:	Bytes in @in
 */
void crypto_hex(char *out, size_t size, const uint8_t *in, size_t len);

/**
 * crypto_unbase64() - Decode padded standard base64
 * @out:	Receives the bytes
 * @size:	Room in @out
 * @text:	Text; CR and LF inside are skipped when @tolerant; borrowed
 * @len:	Bytes in @text
 * @tolerant:	Accept what Go's decoder accepts (CR, LF, non-zero tail bits), as the envelope must;
 *		otherwise only the canonical form
 *
 * Return: bytes decoded, or -EINVAL
 */
long crypto_unbase64(uint8_t *out, size_t size, const char *text, size_t len, bool tolerant);

#endif /* DAEMON_WIRE_CRYPTO_H */

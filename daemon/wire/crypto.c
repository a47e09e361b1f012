/* SPDX-License-Identifier: MIT */
#include "daemon/wire/crypto.h"

#include <assert.h>
#include <errno.h>
#include <nettle/gcm.h>
#include <sodium.h>
#include <string.h>

#define HKDF_MAX ((size_t)255 * CRYPTO_SHA256_LEN)

static_assert(CRYPTO_KEY_LEN == crypto_aead_aes256gcm_KEYBYTES, "key length");
static_assert(CRYPTO_NONCE_LEN == crypto_aead_aes256gcm_NPUBBYTES, "nonce length");
static_assert(CRYPTO_TAG_LEN == crypto_aead_aes256gcm_ABYTES, "tag length");
static_assert(CRYPTO_NONCE_LEN == GCM_IV_SIZE && CRYPTO_TAG_LEN == GCM_DIGEST_SIZE, "nettle");
static_assert(CRYPTO_SHA256_LEN == crypto_hash_sha256_BYTES, "digest length");
static_assert(CRYPTO_KEY_LEN == crypto_scalarmult_SCALARBYTES, "X25519");
static_assert(CRYPTO_SALT_LEN == crypto_pwhash_SALTBYTES, "Argon2id salt");
static_assert(CRYPTO_LONG_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
static_assert(CRYPTO_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag length");

static bool software_aes;

int crypto_init(void)
{
	return sodium_init() < 0 ? -ENOSYS : 0;
}

void crypto_random(void *buf, size_t len)
{
	randombytes_buf(buf, len);
}

void crypto_wipe(void *buf, size_t len)
{
	sodium_memzero(buf, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void crypto_sha256(uint8_t out[static CRYPTO_SHA256_LEN], const struct crypto_part *parts, size_t n)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < n; i++)
		crypto_hash_sha256_update(&state, parts[i].data, parts[i].len);
	crypto_hash_sha256_final(&state, out);
	crypto_wipe(&state, sizeof(state));
}

/* RFC 5869 section 2.3: T(i) = HMAC(PRK, T(i-1) | info | i). */
static void hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[static CRYPTO_SHA256_LEN],
			const struct crypto_part *info)
{
	crypto_auth_hmacsha256_state state;
	uint8_t block[CRYPTO_SHA256_LEN];
	uint8_t counter = 0;

	for (size_t done = 0; done < out_len;) {
		size_t n = out_len - done < sizeof(block) ? out_len - done : sizeof(block);

		crypto_auth_hmacsha256_init(&state, prk, CRYPTO_SHA256_LEN);
		if (counter > 0)
			crypto_auth_hmacsha256_update(&state, block, sizeof(block));
		counter++;
		crypto_auth_hmacsha256_update(&state, info->data, info->len);
		crypto_auth_hmacsha256_update(&state, &counter, 1);
		crypto_auth_hmacsha256_final(&state, block);
		memcpy(out + done, block, n);
		done += n;
	}
	crypto_wipe(&state, sizeof(state));
	crypto_wipe(block, sizeof(block));
}

void crypto_hkdf_salted(uint8_t *out, size_t out_len, const struct crypto_part *salt,
			const struct crypto_part *ikm, const struct crypto_part *info)
{
	crypto_auth_hmacsha256_state state;
	uint8_t prk[CRYPTO_SHA256_LEN];

	if (out_len > HKDF_MAX)
		sodium_misuse();
	/* HMAC pads its key with zeros, so an absent salt and 32 zero bytes are the same key. */
	crypto_auth_hmacsha256_init(&state, salt->data, salt->len);
	crypto_auth_hmacsha256_update(&state, ikm->data, ikm->len);
	crypto_auth_hmacsha256_final(&state, prk);
	crypto_wipe(&state, sizeof(state));
	hkdf_expand(out, out_len, prk, info);
	crypto_wipe(prk, sizeof(prk));
}

void crypto_hmac(uint8_t out[static CRYPTO_SHA256_LEN], const uint8_t key[static CRYPTO_KEY_LEN],
		 const struct crypto_part *parts, size_t n)
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, CRYPTO_KEY_LEN);
	for (size_t i = 0; i < n; i++)
		crypto_auth_hmacsha256_update(&state, parts[i].data, parts[i].len);
	crypto_auth_hmacsha256_final(&state, out);
	crypto_wipe(&state, sizeof(state));
}

void crypto_hkdf(uint8_t *out, size_t out_len, const void *ikm, size_t ikm_len, const char *info)
{
	const struct crypto_part salt = { "", 0 };
	const struct crypto_part key = { ikm, ikm_len };
	const struct crypto_part label = { info, strlen(info) };

	crypto_hkdf_salted(out, out_len, &salt, &key, &label);
}

void crypto_use_software_aes(bool on)
{
	software_aes = on;
}

static bool has_hardware_aes(void)
{
	return !software_aes && crypto_aead_aes256gcm_is_available();
}

void crypto_seal(uint8_t *out, const uint8_t *plain, size_t len,
		 const uint8_t nonce[static CRYPTO_NONCE_LEN],
		 const uint8_t key[static CRYPTO_KEY_LEN])
{
	struct gcm_aes256_ctx ctx;

	if (has_hardware_aes()) {
		crypto_aead_aes256gcm_encrypt(out, NULL, plain, len, NULL, 0, NULL, nonce, key);
		return;
	}
	gcm_aes256_set_key(&ctx, key);
	gcm_aes256_set_iv(&ctx, CRYPTO_NONCE_LEN, nonce);
	gcm_aes256_encrypt(&ctx, len, out, plain);
	gcm_aes256_digest(&ctx, CRYPTO_TAG_LEN, out + len);
	crypto_wipe(&ctx, sizeof(ctx));
}

bool crypto_open(uint8_t *out, const uint8_t *sealed, size_t len,
		 const uint8_t nonce[static CRYPTO_NONCE_LEN],
		 const uint8_t key[static CRYPTO_KEY_LEN])
{
	struct gcm_aes256_ctx ctx;
	uint8_t tag[CRYPTO_TAG_LEN];
	size_t plain_len;
	bool ok;

	if (len < CRYPTO_TAG_LEN)
		return false;
	if (has_hardware_aes())
		return crypto_aead_aes256gcm_decrypt(out, NULL, NULL, sealed, len, NULL, 0, nonce,
						     key) == 0;
	plain_len = len - CRYPTO_TAG_LEN;
	gcm_aes256_set_key(&ctx, key);
	gcm_aes256_set_iv(&ctx, CRYPTO_NONCE_LEN, nonce);
	gcm_aes256_decrypt(&ctx, plain_len, out, sealed);
	gcm_aes256_digest(&ctx, sizeof(tag), tag);
	crypto_wipe(&ctx, sizeof(ctx));
	ok = crypto_equal(tag, sealed + plain_len, sizeof(tag));
	if (!ok)
		crypto_wipe(out, plain_len);
	return ok;
}

int crypto_password_key(uint8_t key[static CRYPTO_KEY_LEN], const struct crypto_part *passphrase,
			const uint8_t *salt, const struct crypto_effort *effort)
{
	return crypto_pwhash(key, CRYPTO_KEY_LEN, passphrase->data, passphrase->len, salt,
			     effort->passes, (size_t)effort->memory,
			     crypto_pwhash_ALG_ARGON2ID13) < 0
		       ? -ENOMEM
		       : 0;
}

void crypto_seal_with(uint8_t *out, const struct crypto_part *in, const struct crypto_part *extra,
		      const uint8_t *nonce, const uint8_t key[static CRYPTO_KEY_LEN])
{
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, in->data, in->len, extra->data,
							 extra->len, NULL, nonce, key);
}

bool crypto_open_with(uint8_t *out, const struct crypto_part *in, const struct crypto_part *extra,
		      const uint8_t *nonce, const uint8_t key[static CRYPTO_KEY_LEN])
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in->data, in->len,
							  extra->data, extra->len, nonce, key) == 0;
}

void crypto_wg_keypair(uint8_t private_key[static CRYPTO_KEY_LEN],
		       uint8_t public_key[static CRYPTO_KEY_LEN])
{
	crypto_random(private_key, CRYPTO_KEY_LEN);
	/* Clamped as `wg genkey` does, so that the file is the same whoever made it (RFC 7748). */
	private_key[0] &= 248;
	private_key[31] = (uint8_t)((private_key[31] & 127) | 64);
	crypto_wg_public(public_key, private_key);
}

void crypto_wg_public(uint8_t public_key[static CRYPTO_KEY_LEN],
		      const uint8_t private_key[static CRYPTO_KEY_LEN])
{
	(void)crypto_scalarmult_base(public_key, private_key);
}

size_t crypto_base64_size(size_t len)
{
	return (len + 2) / 3 * 4 + 1;
}

void crypto_base64(char *out, size_t size, const uint8_t *in, size_t len)
{
	(void)sodium_bin2base64(out, size, in, len, sodium_base64_VARIANT_ORIGINAL);
}

void crypto_base64_url(char *out, size_t size, const uint8_t *in, size_t len)
{
	(void)sodium_bin2base64(out, size, in, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void crypto_hex(char *out, size_t size, const uint8_t *in, size_t len)
{
	(void)sodium_bin2hex(out, size, in, len);
}

/* Value of a base64 digit, or -1. Private keys pass here: no table whose cache lines would tell. */
static int digit_value(int c)
{
	int upper = ((c - 'A') | ('Z' - c)) >> 8;
	int lower = ((c - 'a') | ('z' - c)) >> 8;
	int digit = ((c - '0') | ('9' - c)) >> 8;
	int plus = ((c - '+') | ('+' - c)) >> 8;
	int slash = ((c - '/') | ('/' - c)) >> 8;

	return (~upper & (c - 'A' + 1)) + (~lower & (c - 'a' + 27)) + (~digit & (c - '0' + 53)) +
	       (~plus & 63) + (~slash & 64) - 1;
}

/**
 * struct digits - Progress through base64 text
 * @acc:	Bits not yet written out, the newest lowest
 * @n:		Digits seen
 * @pad:	Padding characters seen
 */
struct digits {
	unsigned int acc;
	size_t n;
	size_t pad;
};

/* Takes one character; returns 1 when @d->acc ends in a new byte, 0, or -EINVAL. */
static int take_digit(struct digits *d, char c)
{
	int value;

	if (c == '=') {
		d->pad++;
		return 0;
	}
	value = digit_value((unsigned char)c);
	if (value < 0 || d->pad > 0)
		return -EINVAL;
	d->acc = d->acc << 6 | (unsigned int)value;
	return d->n++ % 4 != 0;
}

long crypto_unbase64(uint8_t *out, size_t size, const char *text, size_t len, bool tolerant)
{
	/* Bits of the last digit that belong to no byte: four after "xx==", two after "xxx=". */
	static const unsigned int tail_mask[] = { 0, 0, 0xf, 0x3 };
	struct digits d = { 0 };
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		int r;

		if (tolerant && (text[i] == '\r' || text[i] == '\n'))
			continue;
		r = take_digit(&d, text[i]);
		if (r < 0 || (r > 0 && used == size))
			return -EINVAL;
		if (r > 0)
			out[used++] = (uint8_t)(d.acc >> (6 - 2 * ((d.n - 1) % 4)));
	}
	if (d.n % 4 == 1 || d.pad != (4 - d.n % 4) % 4)
		return -EINVAL;
	if (!tolerant && (d.acc & tail_mask[d.n % 4]) != 0)
		return -EINVAL;
	return (long)used;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/wire/crypto.h"
#include "tests/unit/vectors.h"

#include <errno.h>

#define TEXT_MAX 300

struct rfc5869_case {
	const char *ikm;
	const char *salt;
	const char *info;
	const char *okm;
};

static void assert_hkdf(const struct rfc5869_case *c)
{
	uint8_t ikm[128];
	uint8_t salt[128];
	uint8_t info[128];
	uint8_t okm[128];
	size_t len = strlen(c->okm) / 2;
	const struct crypto_part parts[] = {
		{ salt, from_hex(salt, sizeof(salt), c->salt) },
		{ ikm, from_hex(ikm, sizeof(ikm), c->ikm) },
		{ info, from_hex(info, sizeof(info), c->info) },
	};

	crypto_hkdf_salted(okm, len, &parts[0], &parts[1], &parts[2]);
	assert_hex(okm, len, c->okm);
}

static void hkdf_agrees_with_rfc_5869(void **state)
{
	static const struct rfc5869_case cases[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		  "f0f1f2f3f4f5f6f7f8f9",
		  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_hkdf(&cases[i]);
}

/* FIPS 197's key schedule under NIST's GCM: test case 14 of the GCM specification. */
static void both_ciphers_agree_with_the_specification(void **state)
{
	static const uint8_t zero[32];
	uint8_t sealed[16 + CRYPTO_TAG_LEN];

	(void)state;
	for (int software = 0; software < 2; software++) {
		crypto_use_software_aes(software);
		crypto_seal(sealed, zero, 16, zero, zero);
		assert_hex(sealed, sizeof(sealed),
			   "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
	}
	crypto_use_software_aes(false);
}

static void seal(uint8_t *out, const uint8_t *plain, size_t len, const uint8_t *key, bool software)
{
	crypto_use_software_aes(software);
	crypto_seal(out, plain, len, key + 1, key);
}

static bool open_sealed(uint8_t *out, const uint8_t *sealed, size_t len, const uint8_t *key,
			bool software)
{
	crypto_use_software_aes(software);
	return crypto_open(out, sealed, len, key + 1, key);
}

static void hardware_and_software_ciphers_agree_at_every_length(void **state)
{
	uint8_t plain[TEXT_MAX];
	uint8_t key[CRYPTO_KEY_LEN];

	(void)state;
	crypto_random(plain, sizeof(plain));
	crypto_random(key, sizeof(key));
	for (size_t len = 0; len <= TEXT_MAX; len++) {
		uint8_t a[TEXT_MAX + CRYPTO_TAG_LEN];
		uint8_t b[TEXT_MAX + CRYPTO_TAG_LEN];

		seal(a, plain, len, key, false);
		seal(b, plain, len, key, true);
		assert_memory_equal(a, b, len + CRYPTO_TAG_LEN);
		/* In place, as the envelope does it; each opens what the other sealed. */
		assert_true(open_sealed(a, a, len + CRYPTO_TAG_LEN, key, true));
		assert_true(open_sealed(b, b, len + CRYPTO_TAG_LEN, key, false));
		assert_memory_equal(a, plain, len);
		assert_memory_equal(b, plain, len);
	}
	crypto_use_software_aes(false);
}

static void no_flipped_bit_and_no_truncation_opens(void **state)
{
	static const uint8_t zero[40];
	uint8_t key[CRYPTO_KEY_LEN] = { 7 };
	uint8_t sealed[40 + CRYPTO_TAG_LEN];
	uint8_t out[40];

	(void)state;
	seal(sealed, (const uint8_t *)"0123456789012345678901234567890123456789", 40, key, false);
	for (int software = 0; software < 2; software++) {
		for (size_t i = 0; i < sizeof(sealed) * 8; i++) {
			sealed[i / 8] ^= (uint8_t)(1 << i % 8);
			assert_false(open_sealed(out, sealed, sizeof(sealed), key, software));
			assert_memory_equal(out, zero, sizeof(out));
			sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		}
		for (size_t len = 0; len < sizeof(sealed); len++)
			assert_false(open_sealed(out, sealed, len, key, software));
		assert_true(open_sealed(out, sealed, sizeof(sealed), key, software));
	}
	crypto_use_software_aes(false);
}

static long decode(const char *text, bool tolerant)
{
	uint8_t out[64];

	return crypto_unbase64(out, sizeof(out), text, strlen(text), tolerant);
}

static void base64_round_trips_at_every_length(void **state)
{
	uint8_t bytes[64];
	uint8_t back[64];
	char text[100];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 250);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		crypto_base64(text, crypto_base64_size(len), bytes, len);
		assert_int_equal(strlen(text), crypto_base64_size(len) - 1);
		assert_int_equal(crypto_unbase64(back, len, text, strlen(text), false), len);
		assert_memory_equal(back, bytes, len);
		if (len > 0)
			assert_int_equal(crypto_unbase64(back, len - 1, text, strlen(text), false),
					 -EINVAL);
	}
}

static void base64_knows_its_alphabet(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *place = c == 0 ? NULL : strchr(alphabet, c);
		const char text[4] = { 'A', (char)c, 'A', 'A' };
		uint8_t out[3];
		long n = crypto_unbase64(out, sizeof(out), text, sizeof(text), false);

		assert_int_equal(n, place ? 3 : -EINVAL);
		if (place)
			assert_int_equal(out[0] << 4 | out[1] >> 4, place - alphabet);
	}
}

static void strict_base64_takes_the_canonical_form_only(void **state)
{
	static const char *const malformed[] = {
		"A",	 "AA",	  "AAA",      "AA=",   "A===",	"=",	"====", "AA=A",	   "AA==A",
		"AAA=A", "AAAA=", "AAAA====", "AA== ", " AA==", "A A=", "AA-_", "AA==AA=="
	};
	static const char *const sloppy[] = { "AB==", "AAB=", "AA=\n=", "\r\nAA==", "AA==\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		assert_int_equal(decode(malformed[i], false), -EINVAL);
		assert_int_equal(decode(malformed[i], true), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(sloppy) / sizeof(sloppy[0]); i++) {
		assert_int_equal(decode(sloppy[i], false), -EINVAL);
		assert_in_range(decode(sloppy[i], true), 1, 2);
	}
}

static void a_new_key_pair_is_clamped_and_never_the_same(void **state)
{
	uint8_t private_keys[2][CRYPTO_KEY_LEN];
	uint8_t public_keys[2][CRYPTO_KEY_LEN];
	uint8_t again[CRYPTO_KEY_LEN];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		crypto_wg_keypair(private_keys[i], public_keys[i]);
		assert_int_equal(private_keys[i][0] & 7, 0);
		assert_int_equal(private_keys[i][31] & 0xc0, 0x40);
		crypto_wg_public(again, private_keys[i]);
		assert_memory_equal(again, public_keys[i], CRYPTO_KEY_LEN);
	}
	assert_memory_not_equal(public_keys[0], public_keys[1], CRYPTO_KEY_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hkdf_agrees_with_rfc_5869),
		cmocka_unit_test(both_ciphers_agree_with_the_specification),
		cmocka_unit_test(hardware_and_software_ciphers_agree_at_every_length),
		cmocka_unit_test(no_flipped_bit_and_no_truncation_opens),
		cmocka_unit_test(base64_round_trips_at_every_length),
		cmocka_unit_test(base64_knows_its_alphabet),
		cmocka_unit_test(strict_base64_takes_the_canonical_form_only),
		cmocka_unit_test(a_new_key_pair_is_clamped_and_never_the_same),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

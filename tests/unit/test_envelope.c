/* SPDX-License-Identifier: MIT */
#include "daemon/wire/envelope.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1767225600)
/* With the tag a multiple of three bytes long: its base64 has no bits to spare. */
#define PLAIN "{\"protocol\":\"wgmesh-v1\",\"timestamp\":1767225600,\"x\":[1,{\"yyy\":null}]}"

static const uint8_t key[CRYPTO_KEY_LEN] = { 1, 2, 3 };
static const uint8_t nonce[CRYPTO_NONCE_LEN] = { 9, 8, 7 };

static enum envelope_result reopen(const char *plain, int64_t now)
{
	char datagram[8192];
	long len = envelope_seal(datagram, sizeof(datagram), MESSAGE_HELLO, plain, strlen(plain),
				 nonce, key);
	struct envelope env;
	enum envelope_result r;

	assert_true(len > 0);
	r = envelope_open(&env, datagram, (size_t)len, key, now);
	if (r == ENVELOPE_OK)
		envelope_free(&env);
	return r;
}

static enum envelope_result open_text(const char *datagram)
{
	struct envelope env;
	enum envelope_result r = envelope_open(&env, datagram, strlen(datagram), key, NOW);

	if (r == ENVELOPE_OK)
		envelope_free(&env);
	return r;
}

static void a_datagram_opens_with_its_key_only(void **state)
{
	static const uint8_t other[CRYPTO_KEY_LEN] = { 1, 2, 4 };
	char datagram[512];
	struct envelope env;
	long len;

	(void)state;
	len = envelope_seal(datagram, sizeof(datagram), MESSAGE_GOODBYE, PLAIN, strlen(PLAIN),
			    nonce, key);
	assert_int_equal(envelope_open(&env, datagram, (size_t)len, other, NOW), ENVELOPE_FORGED);
	assert_null(env.body);
	assert_int_equal(envelope_open(&env, datagram, (size_t)len, key, NOW), ENVELOPE_OK);
	assert_int_equal(env.type, MESSAGE_GOODBYE);
	assert_int_equal(env.timestamp, NOW);
	envelope_free(&env);
	/* A HELLO is resent byte for byte, and has to be answered each time. */
	assert_int_equal(envelope_open(&env, datagram, (size_t)len, key, NOW), ENVELOPE_OK);
	envelope_free(&env);
}

static void clocks_may_differ_by_ten_minutes(void **state)
{
	(void)state;
	assert_int_equal(reopen(PLAIN, NOW + 600), ENVELOPE_OK);
	assert_int_equal(reopen(PLAIN, NOW + 601), ENVELOPE_TOO_OLD);
	assert_int_equal(reopen(PLAIN, NOW - 600), ENVELOPE_OK);
	assert_int_equal(reopen(PLAIN, NOW - 601), ENVELOPE_IN_FUTURE);
	assert_int_equal(
		reopen("{\"protocol\":\"wgmesh-v1\",\"timestamp\":9223372036854775807}", NOW),
		ENVELOPE_IN_FUTURE);
	assert_int_equal(
		reopen("{\"protocol\":\"wgmesh-v1\",\"timestamp\":-9223372036854775808}", NOW),
		ENVELOPE_TOO_OLD);
	assert_int_equal(
		reopen("{\"protocol\":\"wgmesh-v1\",\"timestamp\":9223372036854775808}", NOW),
		ENVELOPE_BAD_PAYLOAD);
}

static void plaintexts_are_judged(void **state)
{
	(void)state;
	assert_int_equal(reopen("", NOW), ENVELOPE_BAD_PAYLOAD);
	assert_int_equal(reopen("{", NOW), ENVELOPE_BAD_PAYLOAD);
	assert_int_equal(reopen("{\"protocol\":1}", NOW), ENVELOPE_BAD_PAYLOAD);
	assert_int_equal(reopen("{\"protocol\":\"wgmesh-v1\",\"timestamp\":true}", NOW),
			 ENVELOPE_BAD_PAYLOAD);
	assert_int_equal(reopen("{\"timestamp\":1767225600}", NOW), ENVELOPE_WRONG_PROTOCOL);
	assert_int_equal(
		reopen("{\"protocol\":\"wgmesh-v1\\u0000\",\"timestamp\":1767225600}", NOW),
		ENVELOPE_WRONG_PROTOCOL);
	assert_int_equal(reopen("{\"protocol\":\"WGMESH-V1\",\"timestamp\":1767225600}", NOW),
			 ENVELOPE_WRONG_PROTOCOL);
	assert_int_equal(reopen("{\"Timestamp\":1767225600,\"PROTOCOL\":\"wgmesh-v1\"}\n", NOW),
			 ENVELOPE_OK);
	assert_int_equal(reopen("{\"protocol\":\"wgmesh-v1\",\"timestamp\":1767225600,"
				"\"x\":\"\xff\"}",
				NOW),
			 ENVELOPE_OK);
}

static void wrappers_are_judged(void **state)
{
	(void)state;
	assert_int_equal(open_text("{}"), ENVELOPE_BAD_NONCE);
	assert_int_equal(open_text("{\"nonce\":null,\"ciphertext\":null}"), ENVELOPE_BAD_NONCE);
	assert_int_equal(open_text("{\"nonce\":\"AAAAAAAAAAAAAAAA\"}"), ENVELOPE_FORGED);
	assert_int_equal(open_text("{\"type\":1,\"nonce\":\"AAAAAAAAAAAAAAAA\"}"),
			 ENVELOPE_BAD_JSON);
	assert_int_equal(open_text("{\"nonce\":\"AAAAAAAAAAAAAAAA\",\"ciphertext\":[]}"),
			 ENVELOPE_BAD_JSON);
	assert_int_equal(open_text("{\"nonce\":\"AAAAAAAAAAAAAAAA\",\"ciphertext\":\"A\"}"),
			 ENVELOPE_BAD_JSON);
	assert_int_equal(open_text("{\"nonce\":\"AAAAAAAAAAAAAAAA\\u0000\"}"), ENVELOPE_BAD_JSON);
	assert_int_equal(open_text("null"), ENVELOPE_BAD_JSON);
}

/* What nodes write is read in a shorter way, which must not be able to tell. */
static void members_may_be_written_otherwise(void **state)
{
	char datagram[512];
	char other[600];
	long len = envelope_seal(datagram, sizeof(datagram), MESSAGE_REPLY, PLAIN, strlen(PLAIN),
				 nonce, key);
	const char *rest = datagram + strlen("{\"type\":\"REPLY\",");
	struct envelope env;

	(void)state;
	assert_true(len > 0);
	(void)snprintf(other, sizeof(other), "{ \"type\": \"REPLY\", %s", rest);
	assert_int_equal(open_text(other), ENVELOPE_OK);
	(void)snprintf(other, sizeof(other), "{\"TYPE\":\"\\u0052EPLY\",%s \n", rest);
	assert_int_equal(envelope_open(&env, other, strlen(other), key, NOW), ENVELOPE_OK);
	assert_int_equal(env.type, MESSAGE_REPLY);
	envelope_free(&env);
	(void)snprintf(other, sizeof(other), "{\"type\":\"REPLY\",\"x\":1,%s", rest);
	assert_int_equal(open_text(other), ENVELOPE_OK);
	(void)snprintf(other, sizeof(other), "%sx", datagram);
	assert_int_equal(open_text(other), ENVELOPE_BAD_JSON);
	(void)snprintf(other, sizeof(other), "{\"type\":\"a-type-with-a-very-very-long-name\",%s",
		       rest);
	assert_int_equal(envelope_open(&env, other, strlen(other), key, NOW), ENVELOPE_OK);
	assert_int_equal(env.type, MESSAGE_UNKNOWN);
	envelope_free(&env);
}

static void no_truncation_and_no_flipped_bit_opens(void **state)
{
	char datagram[512];
	struct envelope env;
	long len = envelope_seal(datagram, sizeof(datagram), MESSAGE_HELLO, PLAIN, strlen(PLAIN),
				 nonce, key);
	size_t type_end = strlen("{\"type\":\"HELLO\"");

	(void)state;
	for (long n = 0; n < len; n++)
		assert_int_equal(envelope_open(&env, datagram, (size_t)n, key, NOW),
				 ENVELOPE_BAD_JSON);
	assert_int_equal((strlen(PLAIN) + CRYPTO_TAG_LEN) % 3, 0);
	/* The type is not authenticated; a letter's case bit in a member name changes nothing. */
	for (size_t i = type_end * 8; i < (size_t)len * 8; i++) {
		datagram[i / 8] = (char)(datagram[i / 8] ^ (1 << i % 8));
		if (envelope_open(&env, datagram, (size_t)len, key, NOW) == ENVELOPE_OK) {
			assert_int_equal(i % 8, 5);
			envelope_free(&env);
		}
		datagram[i / 8] = (char)(datagram[i / 8] ^ (1 << i % 8));
	}
}

static void sizes_are_bounded(void **state)
{
	static char plain[60000];
	static char datagram[90000];
	struct envelope env;
	size_t len = 49000;
	long n;

	(void)state;
	memset(plain, ' ', sizeof(plain));
	memcpy(plain, PLAIN, strlen(PLAIN));
	n = envelope_seal(datagram, sizeof(datagram), MESSAGE_HELLO, plain, len, nonce, key);
	assert_in_range(n, 60000, ENVELOPE_DATAGRAM_MAX);
	assert_int_equal(envelope_seal(datagram, (size_t)n, MESSAGE_HELLO, plain, len, nonce, key),
			 -EMSGSIZE);
	assert_int_equal(
		envelope_seal(datagram, (size_t)n + 1, MESSAGE_HELLO, plain, len, nonce, key), n);
	assert_int_equal(envelope_open(&env, datagram, (size_t)n, key, NOW), ENVELOPE_OK);
	envelope_free(&env);
	memset(datagram + n, ' ', sizeof(datagram) - (size_t)n);
	assert_int_equal(envelope_open(&env, datagram, ENVELOPE_DATAGRAM_MAX, key, NOW),
			 ENVELOPE_OK);
	envelope_free(&env);
	assert_int_equal(envelope_open(&env, datagram, ENVELOPE_DATAGRAM_MAX + 1, key, NOW),
			 ENVELOPE_BAD_JSON);
	assert_int_equal(envelope_seal(datagram, sizeof(datagram), MESSAGE_HELLO, plain,
				       sizeof(plain), nonce, key),
			 -EMSGSIZE);
	assert_int_equal(envelope_seal(datagram, 10, MESSAGE_HELLO, plain, 10, nonce, key),
			 -EMSGSIZE);
}

static void types_have_names(void **state)
{
	(void)state;
	for (int t = MESSAGE_HELLO; t <= MESSAGE_RENDEZVOUS_START; t++)
		assert_int_equal(message_type_parse(message_type_name((enum message_type)t)), t);
	assert_int_equal(message_type_parse(""), MESSAGE_UNKNOWN);
	assert_int_equal(message_type_parse("hello"), MESSAGE_UNKNOWN);
	assert_int_equal(message_type_parse(message_type_name(MESSAGE_UNKNOWN)), MESSAGE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_opens_with_its_key_only),
		cmocka_unit_test(clocks_may_differ_by_ten_minutes),
		cmocka_unit_test(plaintexts_are_judged),
		cmocka_unit_test(wrappers_are_judged),
		cmocka_unit_test(members_may_be_written_otherwise),
		cmocka_unit_test(no_truncation_and_no_flipped_bit_opens),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(types_have_names),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/dht/peerstore.h"
#include "daemon/dht/writetoken.h"
#include "daemon/wire/crypto.h"

#include <string.h>

static struct peerstore s;
static const struct nodeid one = { { 1 } };
static const struct nodeid two = { { 2 } };

static struct endpoint at(unsigned int host, uint16_t port)
{
	struct endpoint e = { .ip = { AF_INET, { 10, 9 } }, .port = port };

	e.ip.b[2] = (uint8_t)(host >> 8);
	e.ip.b[3] = (uint8_t)host;
	return e;
}

static bool add(const struct nodeid *hash, struct endpoint e, int64_t now_ms)
{
	return peerstore_add(&s, hash, &e, now_ms);
}

static size_t find(const struct nodeid *hash, struct endpoint *out, size_t max, int64_t now_ms)
{
	struct peerstore_query q = { .infohash = hash, .family = AF_INET, .seed = 12345 };

	return peerstore_find(&s, &q, out, max, now_ms);
}

static int begin(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	return crypto_init();
}

static void a_peer_is_found_under_what_it_was_announced_for(void **state)
{
	struct endpoint out[8];

	(void)state;
	assert_true(add(&one, at(1, 100), 1));
	assert_true(add(&one, at(1, 100), 2));
	assert_true(add(&one, at(2, 100), 2));
	assert_true(add(&two, at(3, 100), 2));
	assert_int_equal(find(&one, out, 8, 3), 2);
	assert_int_equal(find(&one, out, 1, 3), 1);
	assert_int_equal(find(&two, out, 8, 3), 1);
	assert_int_equal(out[0].ip.b[3], 3);
}

static void a_peer_of_the_other_family_is_not_told_of(void **state)
{
	struct endpoint six;
	struct endpoint out[8];

	(void)state;
	assert_int_equal(endpoint_parse(&six, "[2001:db8::1]:5"), 0);
	assert_true(add(&one, six, 1));
	assert_int_equal(find(&one, out, 8, 3), 0);
}

static void a_peer_that_is_not_announced_again_is_forgotten(void **state)
{
	struct endpoint out[8];

	(void)state;
	(void)add(&one, at(1, 100), 1);
	(void)add(&one, at(2, 100), PEERSTORE_AGE_MS);
	assert_int_equal(find(&one, out, 8, PEERSTORE_AGE_MS), 2);
	assert_int_equal(find(&one, out, 8, PEERSTORE_AGE_MS + 1), 1);
	assert_int_equal(s.n, 1);
}

static void one_source_cannot_fill_an_infohash_nor_the_store(void **state)
{
	struct nodeid hash = { { 0 } };
	unsigned int taken = 0;

	(void)state;
	for (uint16_t port = 1; port < 100; port++)
		taken += add(&one, at(1, port), 1);
	assert_int_equal(taken, PEERSTORE_PER_HASH);
	for (uint8_t i = 1; i < 200; i++) {
		hash.b[5] = i;
		taken += add(&hash, at(1, 1), 1);
	}
	assert_int_equal(taken, PEERSTORE_PER_SOURCE);
	assert_true(add(&one, at(2, 1), 1));
	/* What it has it may announce again. */
	assert_true(add(&one, at(1, 1), 2));
}

static void a_64_of_ipv6_is_one_source(void **state)
{
	struct endpoint six;
	unsigned int taken = 0;

	(void)state;
	assert_int_equal(endpoint_parse(&six, "[2001:db8::1]:5"), 0);
	for (uint8_t i = 0; i < 100; i++) {
		six.ip.b[15] = i;
		taken += add(&one, six, 1);
	}
	assert_int_equal(taken, PEERSTORE_PER_HASH);
}

static void a_flood_pushes_out_the_oldest_and_grows_nothing(void **state)
{
	struct endpoint out[8];

	(void)state;
	(void)add(&one, at(9000, 1), 1);
	(void)add(&two, at(9001, 1), 5000);
	for (unsigned int i = 0; i < PEERSTORE_MAX - 1; i++)
		(void)add(&one, at(i, 1), 10000);
	assert_int_equal(s.n, PEERSTORE_MAX);
	assert_int_equal(find(&two, out, 8, 10000), 1);
	for (unsigned int i = 0; i < s.n; i++)
		assert_false(s.entry[i].announced_ms == 1);
}

static void a_token_counts_for_its_address_for_five_to_ten_minutes(void **state)
{
	const uint8_t random[WRITETOKEN_RANDOM_LEN] = { 1, [WRITETOKEN_KEY_LEN] = 2 };
	const uint8_t fresh[WRITETOKEN_KEY_LEN] = { 3 };
	const uint8_t fresher[WRITETOKEN_KEY_LEN] = { 4 };
	uint8_t token[WRITETOKEN_LEN];
	struct endpoint a = at(1, 1);
	struct endpoint b = at(2, 1);
	struct writetoken t;

	(void)state;
	writetoken_init(&t, random, 1000);
	writetoken_make(&t, &a.ip, token);
	assert_true(writetoken_check(&t, &a.ip, token, sizeof(token)));
	assert_false(writetoken_check(&t, &b.ip, token, sizeof(token)));
	assert_false(writetoken_check(&t, &a.ip, token, sizeof(token) - 1));
	assert_false(writetoken_check(&t, &a.ip, token, 0));
	assert_false(writetoken_is_due(&t, 1000 + WRITETOKEN_PERIOD_MS - 1));
	assert_true(writetoken_is_due(&t, 1000 + WRITETOKEN_PERIOD_MS));
	writetoken_rotate(&t, fresh, 1000 + WRITETOKEN_PERIOD_MS);
	assert_false(writetoken_is_due(&t, 1000 + WRITETOKEN_PERIOD_MS));
	assert_true(writetoken_check(&t, &a.ip, token, sizeof(token)));
	writetoken_rotate(&t, fresher, 1000 + 2 * WRITETOKEN_PERIOD_MS);
	assert_false(writetoken_check(&t, &a.ip, token, sizeof(token)));
	writetoken_make(&t, &a.ip, token);
	token[0] ^= 1;
	assert_false(writetoken_check(&t, &a.ip, token, sizeof(token)));
}

static void after_a_long_silence_both_keys_are_due_and_then_none(void **state)
{
	const uint8_t random[WRITETOKEN_RANDOM_LEN] = { 1, [WRITETOKEN_KEY_LEN] = 2 };
	const uint8_t fresh[WRITETOKEN_KEY_LEN] = { 3 };
	const int64_t later = 1000 + 1000 * WRITETOKEN_PERIOD_MS;
	struct writetoken t;

	(void)state;
	writetoken_init(&t, random, 1000);
	for (size_t i = 0; i < 2; i++) {
		assert_true(writetoken_is_due(&t, later));
		writetoken_rotate(&t, fresh, later);
	}
	assert_false(writetoken_is_due(&t, later));
	assert_memory_equal(t.key[0], t.key[1], WRITETOKEN_KEY_LEN);
	/* A change that comes late makes the next one come no later. */
	writetoken_rotate(&t, fresh, later + 2 * WRITETOKEN_PERIOD_MS - 1);
	assert_true(writetoken_is_due(&t, later + 2 * WRITETOKEN_PERIOD_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_peer_is_found_under_what_it_was_announced_for, begin),
		cmocka_unit_test_setup(a_peer_of_the_other_family_is_not_told_of, begin),
		cmocka_unit_test_setup(a_peer_that_is_not_announced_again_is_forgotten, begin),
		cmocka_unit_test_setup(one_source_cannot_fill_an_infohash_nor_the_store, begin),
		cmocka_unit_test_setup(a_64_of_ipv6_is_one_source, begin),
		cmocka_unit_test(after_a_long_silence_both_keys_are_due_and_then_none),
		cmocka_unit_test_setup(a_flood_pushes_out_the_oldest_and_grows_nothing, begin),
		cmocka_unit_test_setup(a_token_counts_for_its_address_for_five_to_ten_minutes,
				       begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/wire/token.h"
#include "tests/unit/test.h"

#include <string.h>

#define HOUR_S 3600
#define NOW_S  1767225600
#define BOB    "cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
#define CAROL  "bf0GTbhoB86DZjM/aQKoJxN7499Y7jdigZ+GBQmMbXY="

static const uint8_t membership[CRYPTO_KEY_LEN] = { 1, 2, 3 };
static const uint8_t other_mesh[CRYPTO_KEY_LEN] = { 1, 2, 4 };

static bool is_good_after(int64_t seconds)
{
	uint8_t token[TOKEN_LEN];

	token_make(token, membership, BOB, NOW_S / HOUR_S);
	return token_check(token, membership, BOB, NOW_S + seconds);
}

static void a_token_is_good_for_its_hour_and_the_ones_beside_it(void **state)
{
	(void)state;
	assert_true(is_good_after(0));
	assert_true(is_good_after(2 * HOUR_S - 1));
	assert_false(is_good_after(2 * HOUR_S));
	assert_true(is_good_after(-HOUR_S));
	assert_false(is_good_after(-HOUR_S - 1));
}

static void a_token_is_of_one_key_in_one_mesh(void **state)
{
	uint8_t token[TOKEN_LEN];

	(void)state;
	token_make(token, membership, BOB, NOW_S / HOUR_S);
	assert_true(token_check(token, membership, BOB, NOW_S));
	assert_false(token_check(token, membership, CAROL, NOW_S));
	assert_false(token_check(token, other_mesh, BOB, NOW_S));
	token[TOKEN_LEN - 1] ^= 1;
	assert_false(token_check(token, membership, BOB, NOW_S));
}

static void a_rotation_is_signed_whole(void **state)
{
	struct rotation r = { .new_hash = { 9 }, .grace_s = 86400, .timestamp = NOW_S };
	uint8_t signature[CRYPTO_SHA256_LEN];

	(void)state;
	rotation_sign(signature, &r, membership);
	assert_true(rotation_check(&r, signature, membership));
	assert_false(rotation_check(&r, signature, other_mesh));
	r.grace_s++;
	assert_false(rotation_check(&r, signature, membership));
	r.grace_s--;
	r.timestamp++;
	assert_false(rotation_check(&r, signature, membership));
	r.timestamp--;
	r.new_hash[31] ^= 1;
	assert_false(rotation_check(&r, signature, membership));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_good_for_its_hour_and_the_ones_beside_it),
		cmocka_unit_test(a_token_is_of_one_key_in_one_mesh),
		cmocka_unit_test(a_rotation_is_signed_whole),
	};

	if (crypto_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}

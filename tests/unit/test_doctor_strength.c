/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/doctor/strength.h"
#include "daemon/wire/derive.h"

#include <string.h>

static unsigned int bits(const char *text)
{
	return strength_bits(text, strlen(text));
}

static void a_generated_secret_is_strong(void **state)
{
	char uri[SECRET_URI_SIZE];

	(void)state;
	assert_int_equal(crypto_init(), 0);
	for (int i = 0; i < 100; i++) {
		secret_generate(uri);
		assert_in_range(bits(uri), 500, 1500);
	}
}

static void what_tools_make_at_random_is_strong_enough(void **state)
{
	static const char *const strong[] = {
		"9f86d081884c7d659a2feaa0c55ad015",	    /* openssl rand -hex 16 */
		"3q2+7wE6kM1zQpLr8sVxYw==",		    /* openssl rand -base64 16 */
		"6ba7b810-9dad-41d1-80b4-00c04fd430c8",	    /* uuidgen */
		"qzxwvkjpfhmtrbgdnslcqzvkwxpjmhtfrgbdnlsc", /* 40 random letters */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strong) / sizeof(strong[0]); i++)
		assert_in_range(bits(strong[i]), STRENGTH_ENOUGH, 1000);
}

static void what_people_make_up_is_not(void **state)
{
	static const char *const weak[] = {
		"correct horse battery staple",	      "my-home-mesh-secret",
		"Summer2026!Summer2026!Summer2026!",  "passwordpassword",
		"1234567890123456789012345678901234", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"abcdefghijklmnopqrstuvwxyz",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		assert_in_range(bits(weak[i]), 0, STRENGTH_ENOUGH - 1);
}

static void repetition_adds_nothing(void **state)
{
	(void)state;
	assert_int_equal(bits("k7Qp"), bits("k7Qpk7Qpk7Qpk7Qp"));
	assert_int_equal(bits("k7Qp"), bits("k7Qpk7Qpk7Qpk7"));
	assert_int_equal(bits(""), 0);
}

static void words_count_for_the_same_whatever_their_length(void **state)
{
	(void)state;
	assert_int_equal(bits("horse"), 11);
	assert_int_equal(bits("secretary"), 11);
	assert_int_equal(bits("Horse"), 11);
	assert_int_equal(bits("horse battery"), 22);
	/* No vowel, or the case of no word. */
	assert_in_range(bits("hxk"), 12, 20);
	assert_in_range(bits("hORsE"), 20, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_generated_secret_is_strong),
		cmocka_unit_test(what_tools_make_at_random_is_strong_enough),
		cmocka_unit_test(what_people_make_up_is_not),
		cmocka_unit_test(repetition_adds_nothing),
		cmocka_unit_test(words_count_for_the_same_whatever_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

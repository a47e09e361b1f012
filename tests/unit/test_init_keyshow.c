/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/state/keyshow.h"

#include <stdio.h>
#include <string.h>

#define A "cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
#define B "bf0GTbhoB86DZjM/aQKoJxN7499Y7jdigZ+GBQmMbXY="

static void takes_the_key_at_the_end_of_each_line(void **state)
{
	struct keypair k;

	(void)state;
	assert_true(keyshow_parse("/a file/wg0.json " A "\nfd:7 " B "\n", &k));
	assert_string_equal(k.here, A);
	assert_string_equal(k.there, B);
}

static void a_file_without_a_key_has_none(void **state)
{
	struct keypair k;

	(void)state;
	assert_false(keyshow_parse("/v/wg0.json -\nfd:7 " B "\n", &k));
	assert_string_equal(k.here, "");
	assert_string_equal(k.there, B);
	assert_false(keyshow_parse("/v/wg0.json " A "\n", &k));
	assert_string_equal(k.here, A);
	assert_string_equal(k.there, "");
}

static void what_is_no_key_is_not_passed_on(void **state)
{
	static const char *const wrong[] = {
		"", "\n\n", " ", A, "x" A "\nx" B, "x " A "x\n", "x\n" A "\n" B,
	};
	char text[128];
	struct keypair k;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(keyshow_parse(wrong[i], &k));
		assert_string_equal(k.here, "");
	}
	/* Every byte counts. */
	for (size_t i = 0; i < strlen(A); i++) {
		(void)snprintf(text, sizeof(text), "x %s\nx %s\n", A, B);
		text[2 + i] = '\x1b';
		assert_false(keyshow_parse(text, &k));
		assert_string_equal(k.here, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_key_at_the_end_of_each_line),
		cmocka_unit_test(a_file_without_a_key_has_none),
		cmocka_unit_test(what_is_no_key_is_not_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

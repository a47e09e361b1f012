/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/wire/derive.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SIXTEEN "0123456789abcdef"

static int parse(struct secret *out, const char *input, size_t len, struct err *e)
{
	return secret_parse(out, input, len, e);
}

static void every_kind_of_white_space_is_trimmed(void **state)
{
	static const char *const spaces[] = {
		"\t",
		"\n",
		"\v",
		"\f",
		"\r",
		" ",
		"\xc2\x85",
		"\xc2\xa0",
		"\xe1\x9a\x80",
		"\xe2\x80\x80",
		"\xe2\x80\x8a",
		"\xe2\x80\xa8",
		"\xe2\x80\xa9",
		"\xe2\x80\xaf",
		"\xe2\x81\x9f",
		"\xe3\x80\x80",
		"\r\n\xe3\x80\x80 ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		struct secret secret;
		char text[64];

		(void)snprintf(text, sizeof(text), "%s" SIXTEEN "%s", spaces[i], spaces[i]);
		assert_int_equal(parse(&secret, text, strlen(text), NULL), 0);
		assert_string_equal(secret.text, SIXTEEN);
	}
}

static void other_bytes_are_kept(void **state)
{
	/* Zero-width space, half of a no-break space, a lone continuation byte. */
	static const char *const kept[] = { "\xe2\x80\x8b", "\xc2", "\x85", "\xa0", "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		struct secret secret;
		char text[64];

		(void)snprintf(text, sizeof(text), "%s" SIXTEEN "%s", kept[i], kept[i]);
		assert_int_equal(parse(&secret, text, strlen(text), NULL), 0);
		assert_string_equal(secret.text, text);
	}
}

static void unusable_secrets_are_refused_and_not_quoted(void **state)
{
	static char big[SECRET_MAX + 1];
	struct secret zero = { 0 };
	struct secret secret;
	struct err e = { 0 };

	(void)state;
	memset(&secret, 1, sizeof(secret));
	assert_int_equal(parse(&secret, "hunter2hunter2", 14, &e), -EINVAL);
	assert_int_equal(e.exit_code, EXITS_USAGE);
	assert_non_null(strstr(e.msg, "secret must be at least 16 characters"));
	assert_non_null(strstr(e.msg, "wgmesh init --secret"));
	assert_null(strstr(e.msg, "hunter2"));
	assert_memory_equal(&secret, &zero, sizeof(secret));

	memset(big, 'x', sizeof(big));
	assert_int_equal(parse(&secret, big, SECRET_MAX, NULL), 0);
	assert_int_equal(parse(&secret, big, SECRET_MAX + 1, &e), -EINVAL);
	assert_null(strstr(e.msg, "xx"));
	assert_int_equal(parse(&secret, "0123456789\0abcdefghijkl", 23, &e), -EINVAL);
	assert_null(strstr(e.msg, "0123"));
}

static void a_generated_secret_is_a_uri_that_parses(void **state)
{
	char uri[2][SECRET_URI_SIZE];
	struct secret secret;

	(void)state;
	secret_generate(uri[0]);
	secret_generate(uri[1]);
	assert_string_not_equal(uri[0], uri[1]);
	assert_memory_equal(uri[0], "wgmesh://v1/", 12);
	assert_true(secret_has_uri_form(uri[0], strlen(uri[0])));
	assert_int_equal(parse(&secret, uri[0], strlen(uri[0]), NULL), 0);
	assert_int_equal(secret.len, 171);
	assert_string_equal(secret.text, uri[0] + 12);
	assert_null(strpbrk(secret.text, "+/="));
}

static void raw_secrets_are_told_from_uris(void **state)
{
	(void)state;
	assert_true(secret_has_uri_form(" \nwgmesh://x", 12));
	assert_false(secret_has_uri_form("WGMESH://v1/x", 13));
	assert_false(secret_has_uri_form("wgmesh:/", 8));
	assert_false(secret_has_uri_form("", 0));
}

static void host_bits_of_a_custom_subnet_are_cleared(void **state)
{
	struct prefix subnet;
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	assert_int_equal(derive_custom_subnet(&subnet, "192.168.7.99/25"), 0);
	assert_string_equal(prefix_format(text, &subnet), "192.168.7.0/25");
	assert_int_equal(derive_custom_subnet(&subnet, "10.0.0.0/31"), -EINVAL);
}

static void wiped_keys_leave_nothing(void **state)
{
	static const struct mesh_keys none;
	struct secret secret;
	struct mesh_keys keys;

	(void)state;
	assert_int_equal(parse(&secret, SIXTEEN, 16, NULL), 0);
	derive_keys(&keys, &secret);
	assert_memory_not_equal(&keys, &none, sizeof(keys));
	derive_keys_wipe(&keys);
	assert_memory_equal(&keys, &none, sizeof(keys));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_white_space_is_trimmed),
		cmocka_unit_test(other_bytes_are_kept),
		cmocka_unit_test(unusable_secrets_are_refused_and_not_quoted),
		cmocka_unit_test(a_generated_secret_is_a_uri_that_parses),
		cmocka_unit_test(raw_secrets_are_told_from_uris),
		cmocka_unit_test(host_bits_of_a_custom_subnet_are_cleared),
		cmocka_unit_test(wiped_keys_leave_nothing),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

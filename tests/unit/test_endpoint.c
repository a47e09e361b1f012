/* SPDX-License-Identifier: MIT */
#include "daemon/wire/endpoint.h"
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

static void acceptable_endpoints_are_host_and_port(void **state)
{
	static const char *const good[] = {
		"",	    "1.2.3.4:1",       "1.2.3.4:65535",	   "1.2.3.4:+51820",
		":51820",   "[::]:51820",      "[fe80::1%eth0]:1", "host.example:1",
		"[host]:1", "1.2.3.4:0051820",
	};
	static const char *const bad[] = {
		"1.2.3.4",
		"1.2.3.4:",
		"1.2.3.4:0",
		"1.2.3.4:65536",
		"1.2.3.4:-1",
		"1.2.3.4:++1",
		"1.2.3.4: 1",
		"1.2.3.4:1x",
		"::1:51820",
		"[::1]51820",
		"[::1]:1:1",
		"[::1:1",
		"::1]:1",
		"[[::1]]:1",
		"a[b:1",
		"a b:1",
		"a\tb:1",
		"\xc4\x85:1",
		"a\x7f:1",
		":",
		"1.2.3.4:1]",
		"[::1]:[1",
		"[]",
		"1.2.3.4:00000051820",
		"1.2.3.4:18446744073709551617",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!endpoint_is_acceptable(good[i]))
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (endpoint_is_acceptable(bad[i]))
			fail_msg("\"%s\" was accepted", bad[i]);
}

static void host_names_have_a_limit(void **state)
{
	char text[300];

	(void)state;
	(void)snprintf(text, sizeof(text), "%0253d:51820", 1);
	assert_true(endpoint_is_acceptable(text));
	(void)snprintf(text, sizeof(text), "[%0253d]:+51820", 1);
	assert_true(endpoint_is_acceptable(text));
	(void)snprintf(text, sizeof(text), "%0254d:51820", 1);
	assert_false(endpoint_is_acceptable(text));
}

static void results_always_fit(void **state)
{
	struct ip v6 = { AF_INET6, { 0x20, 0x01, [15] = 1 } };
	char out[ENDPOINT_OUT_SIZE + 1];
	char text[600];

	(void)state;
	for (size_t n = 0; n < 500; n += 7) {
		memset(text, 'a', n);
		(void)snprintf(text + n, sizeof(text) - n, ":51820");
		memset(out, '#', sizeof(out));
		endpoint_from_lan(out, text, NULL);
		endpoint_from_exchange(out, text, NULL);
		endpoint_from_known_peer(out, text);
		endpoint_control(out, text, 65535);
		endpoint_from_lan(out, text, &v6);
		assert_int_equal(out[ENDPOINT_OUT_SIZE], '#');
	}
	assert_string_equal(out, "[2001::1]:51820");
}

static void every_spelling_of_a_wildcard_is_replaced(void **state)
{
	static const char *const wildcards[] = { "0.0.0.0:7", "[::]:7", "[0:0:0:0:0:0:0:0]:7",
						 "[::ffff:0.0.0.0]:7", ":7" };
	struct ip sender = { AF_INET6, { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } };
	char out[ENDPOINT_OUT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(wildcards) / sizeof(wildcards[0]); i++) {
		endpoint_from_exchange(out, wildcards[i], &sender);
		assert_string_equal(out, "192.0.2.1:7");
		endpoint_from_known_peer(out, wildcards[i]);
		assert_string_equal(out, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acceptable_endpoints_are_host_and_port),
		cmocka_unit_test(host_names_have_a_limit),
		cmocka_unit_test(results_always_fit),
		cmocka_unit_test(every_spelling_of_a_wildcard_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

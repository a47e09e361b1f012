/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "daemon/http/address.h"
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

static struct settings with(const char *http, const char *metrics)
{
	struct settings s;

	settings_init(&s);
	if (http)
		s.v[SETTING_HTTP] = (struct setting_value) { .text = http, .source = SOURCE_FLAG };
	if (metrics)
		s.v[SETTING_METRICS] =
			(struct setting_value) { .text = metrics, .source = SOURCE_ENV };
	return s;
}

/* What the settings come to, each address as text, with a space between. */
static const char *read_as(const char *http, const char *metrics)
{
	static char text[HTTP_ADDRESSES_MAX * HTTP_PATH_SIZE];
	struct settings s = with(http, metrics);
	struct http_addresses all;
	struct err e = { 0 };
	size_t len = 0;

	if (http_addresses_load(&all, &s, &e) < 0) {
		assert_int_equal(e.exit_code, EXITS_USAGE);
		return e.msg[0] ? "refused" : "refused without a word";
	}
	text[0] = '\0';
	for (size_t i = 0; i < all.n; i++) {
		char one[HTTP_PATH_SIZE];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					http_address_format(one, &all.list[i]));
	}
	return text;
}

static void expect_refusal(const char *http, const char *words)
{
	struct settings s = with(http, NULL);
	struct http_addresses all;
	struct err e = { 0 };

	assert_true(http_addresses_load(&all, &s, &e) < 0);
	assert_int_equal(e.exit_code, EXITS_USAGE);
	assert_ptr_equal(strstr(e.msg, "--http: \""), e.msg);
	if (!strstr(e.msg, words))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, words);
}

static void without_settings_it_is_loopback(void **state)
{
	(void)state;
	assert_string_equal(read_as(NULL, NULL), "127.0.0.1:9464");
}

static void every_form_is_read(void **state)
{
	static const struct {
		const char *text;
		const char *meaning;
	} cases[] = {
		{ "9464", "127.0.0.1:9464" },
		{ "localhost:80", "127.0.0.1:80" },
		{ ":9464", ":9464" },
		{ "*:9464", ":9464" },
		{ "0.0.0.0:1", "0.0.0.0:1" },
		{ "[::]:65535", "[::]:65535" },
		{ "192.0.2.7:9464", "192.0.2.7:9464" },
		{ "[2001:db8::7]:80", "[2001:db8::7]:80" },
		{ "/run/w.sock", "/run/w.sock" },
		{ "unix:/run/w.sock", "/run/w.sock" },
		{ "none", "" },
		{ "", "" },
		{ "9464,:80, [::1]:9464 ,/run/w", "127.0.0.1:9464 :80 [::1]:9464 /run/w" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(read_as(cases[i].text, NULL), cases[i].meaning);
}

static void of_ipv6_without_brackets_the_last_number_is_the_port(void **state)
{
	(void)state;
	assert_string_equal(read_as("2001:db8::7:9464", NULL), "[2001:db8::7]:9464");
	assert_string_equal(read_as("::1:9464", NULL), "[::1]:9464");
	assert_string_equal(read_as("fd00:1:2:3:4:5:6:7:9464", NULL), "[fd00:1:2:3:4:5:6:7]:9464");
}

static void ipv6_without_a_port_says_how_to_give_one(void **state)
{
	static const char *const cases[] = { "::1", "fd00::abcd", "fe80::1:fffe",
					     "2001:db8:0:0:0:0:1:80", "[::1]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_refusal(cases[i], "[");
	expect_refusal("::1", "write [ADDRESS]:PORT");
}

static void what_is_no_address_is_refused_and_says_why(void **state)
{
	(void)state;
	expect_refusal("0", "PORT");
	expect_refusal("65536", "is no address");
	expect_refusal("x", "is no address");
	expect_refusal("-1", "is no address");
	expect_refusal(":", "needs a port");
	expect_refusal(":0", "needs a port");
	expect_refusal(":http", "needs a port");
	expect_refusal("127.0.0.1:", "needs a port");
	expect_refusal("127.0.0.1:99999", "needs a port");
	expect_refusal("127.0.0.1", "write ADDRESS:PORT");
	expect_refusal("[127.0.0.1]:80", "names no address");
	expect_refusal("node7.example:80", "names are not looked up");
	expect_refusal("[::1:80", "names no address");
	expect_refusal("unix:w.sock", "whole path");
	expect_refusal("http://127.0.0.1:9464", "names no address");
	expect_refusal("9464,none", "stands alone");
	expect_refusal("1,2,3,4,5,6,7,8,9", "one address too many");
}

static void a_path_is_as_long_as_the_kernel_takes_it(void **state)
{
	char text[200] = "unix:/";

	(void)state;
	memset(text + 6, 'a', 106);
	assert_string_equal(read_as(text, NULL), text + 5);
	text[6 + 106] = 'a';
	expect_refusal(text, "longer than the 107 bytes");
	memset(text + 6, 'a', 190);
	expect_refusal(text, "longer than the 107 bytes");
}

static void metrics_is_one_more_address(void **state)
{
	(void)state;
	assert_string_equal(read_as(NULL, ":9090"), "127.0.0.1:9464 :9090");
	assert_string_equal(read_as("none", "localhost:9090"), "127.0.0.1:9090");
}

static void the_same_address_twice_is_one(void **state)
{
	(void)state;
	assert_string_equal(read_as(NULL, "localhost:9464"), "127.0.0.1:9464");
	assert_string_equal(read_as("/run/w,/run/w,:1,*:1", ":1"), "/run/w :1");
	assert_string_equal(read_as(":1,0.0.0.0:1", NULL), ":1 0.0.0.0:1");
}

static void the_reason_names_the_setting_that_was_given(void **state)
{
	struct settings s = with(NULL, "nine");
	struct http_addresses all;
	struct err e = { 0 };

	(void)state;
	assert_true(http_addresses_load(&all, &s, &e) < 0);
	assert_non_null(strstr(e.msg, "WGMESH_METRICS: \"nine\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_settings_it_is_loopback),
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(of_ipv6_without_brackets_the_last_number_is_the_port),
		cmocka_unit_test(ipv6_without_a_port_says_how_to_give_one),
		cmocka_unit_test(what_is_no_address_is_refused_and_says_why),
		cmocka_unit_test(a_path_is_as_long_as_the_kernel_takes_it),
		cmocka_unit_test(metrics_is_one_more_address),
		cmocka_unit_test(the_same_address_twice_is_one),
		cmocka_unit_test(the_reason_names_the_setting_that_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

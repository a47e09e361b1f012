/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/net/hostport.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

static int parse(struct hostports *out, const char *text, enum hostport_kind kind, struct err *e)
{
	memset(e, 0, sizeof(*e));
	return hostports_parse(out, text, kind, "--peer", e);
}

static void addresses_may_have_ports_and_brackets(void **state)
{
	struct hostports l;
	struct err e;

	(void)state;
	assert_int_equal(parse(&l, "192.0.2.1, 192.0.2.2:7,[2001:db8::1]:9 2001:db8::2",
			       HOSTPORT_LITERAL, &e),
			 0);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.at[0].name, "192.0.2.1");
	assert_int_equal(l.at[0].port, 0);
	assert_int_equal(l.at[1].port, 7);
	assert_string_equal(l.at[2].name, "2001:db8::1");
	assert_int_equal(l.at[2].ip.family, AF_INET6);
	assert_int_equal(l.at[2].port, 9);
	assert_int_equal(l.at[3].port, 0);
}

static void names_may_have_ports(void **state)
{
	struct hostports l;
	struct err e;

	(void)state;
	assert_int_equal(
		parse(&l, "node.example.org,_mesh._udp.example.org.:52101", HOSTPORT_NAME, &e), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.at[0].ip.family, 0);
	assert_int_equal(l.at[0].port, 0);
	assert_int_equal(l.at[1].port, 52101);
	assert_int_equal(parse(&l, "192.0.2.1:1,a.example", HOSTPORT_ANY, &e), 0);
	assert_int_equal(l.at[0].ip.family, AF_INET);
	assert_int_equal(l.at[1].ip.family, 0);
	assert_int_equal(parse(&l, " ,, ", HOSTPORT_ANY, &e), 0);
	assert_int_equal(l.n, 0);
}

static void what_is_neither_is_named(void **state)
{
	static const struct {
		const char *text;
		enum hostport_kind kind;
		const char *named;
	} bad[] = {
		{ "192.0.2.1,node.example.org", HOSTPORT_LITERAL, "\"node.example.org\"" },
		{ "192.0.2.1", HOSTPORT_NAME, "\"192.0.2.1\"" },
		{ "a.example:0", HOSTPORT_NAME, "\"a.example:0\"" },
		{ "a.example:65536", HOSTPORT_ANY, "\"a.example:65536\"" },
		{ "a.example:", HOSTPORT_ANY, "\"a.example:\"" },
		{ "a..example", HOSTPORT_NAME, "\"a..example\"" },
		{ ".example", HOSTPORT_NAME, "\".example\"" },
		{ "0.0.0.0:1", HOSTPORT_LITERAL, "\"0.0.0.0:1\"" },
		{ "[::]:1", HOSTPORT_ANY, "\"[::]:1\"" },
		{ "a/b", HOSTPORT_ANY, "\"a/b\"" },
		{ "1.2.3", HOSTPORT_ANY, "\"1.2.3\"" },
	};
	struct hostports l;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(&l, bad[i].text, bad[i].kind, &e), -EINVAL);
		assert_int_equal(e.exit_code, EXITS_USAGE);
		assert_non_null(strstr(e.msg, "--peer"));
		assert_non_null(strstr(e.msg, bad[i].named));
	}
}

static void what_is_too_long_or_too_much_is_refused(void **state)
{
	char text[4000] = "";
	struct hostports l;
	struct err e;

	(void)state;
	memset(text, 'a', 300);
	assert_int_equal(parse(&l, text, HOSTPORT_ANY, &e), -EINVAL);
	memset(text, 'a', 64);
	memcpy(text + 64, ".example", sizeof(".example"));
	assert_int_equal(parse(&l, text, HOSTPORT_ANY, &e), -EINVAL);
	memmove(text, text + 1, sizeof(text) - 1);
	assert_int_equal(parse(&l, text, HOSTPORT_ANY, &e), 0);
	text[0] = '\0';
	for (size_t i = 0; i <= HOSTPORTS_MAX; i++)
		memcpy(text + 2 * i, "a,", 3);
	assert_int_equal(parse(&l, text, HOSTPORT_ANY, &e), -E2BIG);
	text[2 * (size_t)HOSTPORTS_MAX] = '\0';
	assert_int_equal(parse(&l, text, HOSTPORT_ANY, &e), 0);
	assert_int_equal(l.n, HOSTPORTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_may_have_ports_and_brackets),
		cmocka_unit_test(names_may_have_ports),
		cmocka_unit_test(what_is_neither_is_named),
		cmocka_unit_test(what_is_too_long_or_too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

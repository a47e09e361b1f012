/* SPDX-License-Identifier: MIT */
#include "daemon/node/reload.h"
#include "tests/unit/fixtures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/state/wg0.reload"

static struct reload what;

static void taken(const char *text)
{
	struct err e = { 0 };

	if (reload_parse(&what, text, strlen(text), PATH, &e) < 0)
		fail_msg("%s", e.msg);
}

/* It is refused with a sentence that names the file, the line and what else to write. */
static void refused(const char *text, const char *line, const char *hint)
{
	struct err e = { 0 };

	assert_int_equal(reload_parse(&what, text, strlen(text), PATH, &e), -EINVAL);
	if (!strstr(e.msg, PATH) || !strstr(e.msg, line) || !strstr(e.msg, hint))
		fail_msg("\"%s\" names not all of \"%s\" and \"%s\"", e.msg, line, hint);
}

static void an_empty_file_changes_nothing(void **state)
{
	(void)state;
	taken("");
	assert_false(what.has_routes || what.has_levels);
	taken("\n  \n# advertise-routes=10.0.0.0/8\n\t# x\r\n");
	assert_false(what.has_routes || what.has_levels);
}

static void both_keys_are_taken_with_any_white_space(void **state)
{
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	taken("# ours\r\n advertise-routes = 192.168.10.7/24, fd00:1::/64 \r\nlog-level=info,exchange=debug");
	assert_true(what.has_routes);
	assert_int_equal(what.routes.n, 2);
	assert_string_equal(prefix_format(text, &what.routes.net[0]), "192.168.10.0/24");
	assert_string_equal(prefix_format(text, &what.routes.net[1]), "fd00:1::/64");
	assert_true(what.has_levels);
	assert_string_equal(what.levels, "info,exchange=debug");
	assert_int_equal(what.levels_line, 3);
}

static void a_missing_key_leaves_its_value(void **state)
{
	(void)state;
	taken("log-level=debug\n");
	assert_false(what.has_routes);
	taken("advertise-routes=10.9.0.0/16\n");
	assert_false(what.has_levels);
}

static void an_empty_list_of_routes_takes_them_back(void **state)
{
	(void)state;
	taken("advertise-routes=\n");
	assert_true(what.has_routes);
	assert_int_equal(what.routes.n, 0);
}

static void peers_are_taken_as_the_options_have_them(void **state)
{
	(void)state;
	taken("peer=192.0.2.1,[2001:db8::1]:52101\npeer-dns=mesh.example.org:7\n");
	assert_true(what.has_peers && what.has_dns);
	assert_int_equal(what.peers.n, 2);
	assert_int_equal(what.peers.at[1].port, 52101);
	assert_string_equal(what.dns.at[0].name, "mesh.example.org");
	taken("peer=\n");
	assert_true(what.has_peers);
	assert_false(what.has_dns);
	assert_int_equal(what.peers.n, 0);
	refused("peer=node.example.org\n", "line 1", "node.example.org");
	refused("log-level=info\npeer-dns=192.0.2.1\n", "line 2", "192.0.2.1");
}

static void what_comes_last_counts(void **state)
{
	(void)state;
	taken("advertise-routes=10.8.0.0/16,10.9.0.0/16\nlog-level=info\nlog-level=warn\nadvertise-routes=10.7.0.0/16\n");
	assert_int_equal(what.routes.n, 1);
	assert_string_equal(what.levels, "warn");
	assert_int_equal(what.levels_line, 3);
}

static void a_bad_line_refuses_the_whole_file_and_names_the_cure(void **state)
{
	(void)state;
	refused("log-level=info\nnothing\n", "line 2", "KEY=VALUE");
	refused("log-level=info\n\nlisten-port=7\n", "line 3", "restart");
	refused("advertise-routes=10.0.0.0/8,bad\n", "line 1", "192.168.10.0/24");
	refused("advertise-routes=0.0.0.0/0\n", "line 1", "networks behind this node");
	refused("log-level=\n", "line 1", "log-level=info,exchange=debug");
	refused("=7\n", "line 1", "restart");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const char nul[] = "log-level=info\0\n";
	struct err e = { 0 };
	char *longest = malloc(RELOAD_FILE_MAX);

	(void)state;
	assert_non_null(longest);
	assert_int_equal(reload_parse(&what, nul, sizeof(nul) - 1, PATH, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "line 1"));
	memset(longest, 'x', RELOAD_FILE_MAX);
	assert_int_equal(reload_parse(&what, longest, RELOAD_FILE_MAX, PATH, &e), -EINVAL);
	free(longest);
	/* A name that nobody could print does not get into the log as it is. */
	assert_int_equal(reload_parse(&what, "\x1b[2J=7", 6, PATH, &e), -EINVAL);
	assert_null(strchr(e.msg, '\x1b'));
}

static void a_file_cut_anywhere_is_taken_or_refused(void **state)
{
	static const char text[] = "# c\nadvertise-routes=10.9.0.0/16\nlog-level=info,a=debug\n";
	struct err e = { 0 };

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len ? len : 1); /* a byte too many is noticed */

		assert_non_null(copy);
		memcpy(copy, text, len);
		(void)reload_parse(&what, copy, len, PATH, &e);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_changes_nothing),
		cmocka_unit_test(both_keys_are_taken_with_any_white_space),
		cmocka_unit_test(a_missing_key_leaves_its_value),
		cmocka_unit_test(an_empty_list_of_routes_takes_them_back),
		cmocka_unit_test(peers_are_taken_as_the_options_have_them),
		cmocka_unit_test(what_comes_last_counts),
		cmocka_unit_test(a_bad_line_refuses_the_whole_file_and_names_the_cure),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(a_file_cut_anywhere_is_taken_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/net/dnsconf.h"
#include "tests/unit/fixtures.h"

#include <string.h>

static struct dnsconf parsed(const char *text)
{
	struct dnsconf c;

	memset(&c, 0xa5, sizeof(c));
	dnsconf_parse(&c, text);
	return c;
}

static void a_file_of_a_pod_is_understood(void **state)
{
	struct dnsconf c = parsed("nameserver 10.96.0.10\n"
				  "search ns.svc.cluster.local svc.cluster.local cluster.local.\n"
				  "options ndots:5 timeout:2 attempts:4 edns0\n");

	(void)state;
	assert_int_equal(c.n_servers, 1);
	assert_endpoint(&c.server[0], "10.96.0.10:53");
	assert_int_equal(c.n_search, 3);
	assert_string_equal(c.search[0], "ns.svc.cluster.local");
	assert_string_equal(c.search[2], "cluster.local");
	assert_int_equal(c.ndots, 5);
	assert_int_equal(c.timeout_s, 2);
	assert_int_equal(c.attempts, 4);
}

static void an_empty_file_means_the_server_of_this_machine(void **state)
{
	struct dnsconf c = parsed("");

	(void)state;
	assert_int_equal(c.n_servers, 1);
	assert_endpoint(&c.server[0], "127.0.0.1:53");
	assert_int_equal(c.n_search, 0);
	assert_int_equal(c.ndots, 1);
}

static void comments_unknown_lines_and_servers_that_are_none_are_passed_over(void **state)
{
	struct dnsconf c =
		parsed("# nameserver 192.0.2.1\n; x\n\n\t\nnameserver\nnameserver x\n"
		       "nameserver fe80::1%eth0\nsortlist 1\nnameservers 192.0.2.2\r\n"
		       "  nameserver\t2001:db8::53 # the one\r\nnameserver 127.0.0.1:5353");

	(void)state;
	assert_int_equal(c.n_servers, 2);
	assert_endpoint(&c.server[0], "[2001:db8::53]:53");
	assert_endpoint(&c.server[1], "127.0.0.1:5353");
}

static void the_last_search_counts_and_domain_is_another_word_for_it(void **state)
{
	struct dnsconf c = parsed("search a b\ndomain c\n");

	(void)state;
	assert_int_equal(c.n_search, 1);
	assert_string_equal(c.search[0], "c");
}

static void what_is_too_much_is_cut(void **state)
{
	char text[4096] = "search";
	struct dnsconf c;

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)strncat(text, " d", sizeof(text) - strlen(text) - 1);
	(void)strncat(text, "\noptions ndots:99 timeout:0 attempts:999999999999\n",
		      sizeof(text) - strlen(text) - 1);
	for (int i = 0; i < 5; i++)
		(void)strncat(text, "nameserver 192.0.2.1\n", sizeof(text) - strlen(text) - 1);
	c = parsed(text);
	assert_int_equal(c.n_search, DNSCONF_SEARCH_MAX);
	assert_int_equal(c.n_servers, DNSCONF_SERVERS_MAX);
	assert_int_equal(c.ndots, 15);
	assert_int_equal(c.timeout_s, 1);
	assert_int_equal(c.attempts, 5);
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "search ", 7);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parsed(text).n_search, 0);
}

static void the_longest_domain_may_end_in_a_dot(void **state)
{
	char text[300] = "search ";
	struct dnsconf c;

	(void)state;
	memset(text + 7, 'x', DNSCONF_DOMAIN_SIZE - 1);
	text[7 + DNSCONF_DOMAIN_SIZE - 1] = '.';
	c = parsed(text);
	assert_int_equal(c.n_search, 1);
	assert_int_equal(strlen(c.search[0]), DNSCONF_DOMAIN_SIZE - 1);
}

static void the_hosts_file_gives_all_addresses_of_a_name(void **state)
{
	static const char text[] =
		"127.0.0.1 localhost\n::1\tlocalhost ip6-localhost\n"
		"# 192.0.2.1 Node\n192.0.2.2 other Node alias\n"
		"192.0.2.3 node # 192.0.2.4 node\nnonsense node\n192.0.2.5 nodes\n"
		"2001:db8::5 node";
	struct ip list[4];

	(void)state;
	assert_int_equal(dnsconf_hosts(text, "node", list, 4), 3);
	assert_true(ip_equal(&list[0], &(struct ip) { AF_INET, { 192, 0, 2, 2 } }));
	assert_true(ip_equal(&list[1], &(struct ip) { AF_INET, { 192, 0, 2, 3 } }));
	assert_int_equal(list[2].family, AF_INET6);
	assert_int_equal(dnsconf_hosts(text, "localhost", list, 1), 1);
	assert_int_equal(dnsconf_hosts(text, "absent", list, 4), 0);
	assert_int_equal(dnsconf_hosts("", "node", list, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_a_pod_is_understood),
		cmocka_unit_test(an_empty_file_means_the_server_of_this_machine),
		cmocka_unit_test(comments_unknown_lines_and_servers_that_are_none_are_passed_over),
		cmocka_unit_test(the_last_search_counts_and_domain_is_another_word_for_it),
		cmocka_unit_test(what_is_too_much_is_cut),
		cmocka_unit_test(the_longest_domain_may_end_in_a_dot),
		cmocka_unit_test(the_hosts_file_gives_all_addresses_of_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

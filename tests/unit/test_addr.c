/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/net/addr.h"
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static struct ip ip(const char *text)
{
	struct ip out;

	assert_int_equal(ip_parse(&out, text), 0);
	return out;
}

static struct prefix prefix(const char *text)
{
	struct prefix out;

	assert_int_equal(prefix_parse(&out, text), 0);
	return out;
}

static struct endpoint endpoint(const char *text)
{
	struct endpoint out;

	assert_int_equal(endpoint_parse(&out, text), 0);
	return out;
}

static void addresses_are_written_as_rfc_5952_has_them(void **state)
{
	static const char *const cases[][2] = {
		{ "10.0.255.1", "10.0.255.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "0:0:0:0:0:0:0:1", "::1" },
		{ "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:0db8::0001", "2001:db8::1" },
		{ "1:0:0:2:0:0:0:3", "1:0:0:2::3" },
		{ "0:0:1:2:3:4:5:6", "::1:2:3:4:5:6" },
		{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
		{ "fd92:a58a:39ca:82:f290::c90f:bd75", "fd92:a58a:39ca:82:f290:0:c90f:bd75" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "::192.0.2.1", "::c000:201" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char text[IP_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ip a = ip(cases[i][0]);

		assert_string_equal(ip_format(text, &a), cases[i][1]);
		assert_true(ip_equal(&a, &(struct ip) { a.family, { 0 } }) == ip_is_wildcard(&a));
	}
}

static void what_is_written_is_read_back(void **state)
{
	char text[IP_TEXT_SIZE];
	struct ip back;

	(void)state;
	/* Every pattern of zero and non-zero groups. */
	for (unsigned int pattern = 0; pattern < 256; pattern++) {
		struct ip a = { .family = AF_INET6 };

		for (unsigned int i = 0; i < 8; i++)
			a.b[2 * i + 1] = (uint8_t)(pattern >> i & 1);
		assert_int_equal(ip_parse(&back, ip_format(text, &a)), 0);
		assert_true(ip_equal(&a, &back));
	}
}

static void malformed_addresses_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.00",
		"1.2.3.04",
		"1.2.3.",
		".1.2.3",
		"1..2.3",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.4/32",
		"1.2.3.4:5",
		"0x1.2.3.4",
		"1.2.3.-4",
		"+1.2.3.4",
		"1.2.3.4a",
		"fe80::1%eth0",
		"fe80::1%",
		":",
		":::",
		"1::2::3",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"12345::",
		"g::",
		"[::1]",
		"::1 ",
		"1:2:3:4:5:6:7:",
		":1:2:3:4:5:6:7",
		"::ffff:1.2.3",
		"::ffff:01.2.3.4",
		"::1.2.3.4:5",
		"localhost",
		"1:2:3:4:5:6:7:8::",
		"::1/128",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ip out = { .family = AF_INET };

		if (ip_parse(&out, bad[i]) != -EINVAL)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_int_equal(out.family, 0);
	}
}

static void no_address_is_written_as_nothing(void **state)
{
	struct endpoint none_endpoint = { 0 };
	char text[ENDPOINT_TEXT_SIZE] = "x";
	struct prefix none_prefix = { 0 };
	struct sockaddr_storage ss;

	(void)state;
	assert_string_equal(endpoint_format(text, &none_endpoint), "");
	assert_string_equal(prefix_format(text, &none_prefix), "");
	assert_int_equal(endpoint_to_sockaddr(&ss, &none_endpoint, true), 0);
	assert_false(ip_is_wildcard(&none_endpoint.ip));
	assert_false(ip_is_global(&none_endpoint.ip));
	assert_false(prefix_contains(&none_prefix, &none_endpoint.ip));
}

static void only_addresses_that_others_can_reach_are_global(void **state)
{
	static const char *const global[] = {
		"8.8.8.8",     "100.64.0.1",  "172.15.0.1", "172.32.0.1",     "192.167.0.1",
		"192.169.0.1", "169.253.0.1", "11.0.0.1",   "223.255.255.1",  "2001:db8::1",
		"2a02::1",     "fec0::1",     "fbff::1",    "::ffff:8.8.8.8", "128.0.0.1",
	};
	static const char *const local[] = {
		"0.0.0.0",    "127.0.0.1",	 "127.255.1.1",	    "10.0.0.1",
		"172.16.0.1", "172.31.9.9",	 "192.168.1.1",	    "169.254.1.1",
		"224.0.0.1",  "239.255.255.255", "255.255.255.255", "::",
		"::1",	      "fc00::1",	 "fdff::1",	    "fe80::1",
		"febf::1",    "ff02::1",	 "::ffff:10.0.0.1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(global); i++) {
		struct ip a = ip(global[i]);

		if (!ip_is_global(&a))
			fail_msg("%s is not global", global[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		struct ip a = ip(local[i]);

		if (ip_is_global(&a))
			fail_msg("%s is global", local[i]);
	}
}

static void mapped_addresses_are_unmapped(void **state)
{
	struct ip mapped = ip("::ffff:192.0.2.7");
	struct ip plain = ip("192.0.2.7");
	struct ip v6 = ip("2001:db8::7");
	struct ip same = v6;

	(void)state;
	ip_unmap(&mapped);
	assert_memory_equal(&mapped, &plain, sizeof(plain));
	ip_unmap(&same);
	assert_memory_equal(&same, &v6, sizeof(v6));
}

static void prefixes_are_read_with_their_host_bits(void **state)
{
	static const char *const cases[][2] = {
		{ "192.168.7.99/25", "192.168.7.0/25" },
		{ "10.1.2.3/0", "0.0.0.0/0" },
		{ "10.1.2.3/32", "10.1.2.3/32" },
		{ "10.255.255.255/9", "10.128.0.0/9" },
		{ "2001:db8::ffff/64", "2001:db8::/64" },
		{ "fd00::1/128", "fd00::1/128" },
		{ "ffff::/3", "e000::/3" },
		{ "::1/0", "::/0" },
	};
	char text[PREFIX_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct prefix p = prefix(cases[i][0]);

		assert_string_equal(prefix_format(text, &p), cases[i][0]);
		prefix_mask(&p);
		assert_string_equal(prefix_format(text, &p), cases[i][1]);
	}
}

static void malformed_prefixes_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"/8",
		"10.0.0.0",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/08",
		"10.0.0.0/00",
		"10.0.0.0/+8",
		"10.0.0.0/-1",
		"10.0.0.0/8 ",
		"10.0.0.0/ 8",
		"10.0.0/8",
		"10.0.0.0/8/8",
		"::/129",
		"::/0x10",
		"::/4294967296",
		"fe80::%1/64",
		"01.0.0.0/8",
		"10.0.0.0/8.0",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/64",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct prefix out;

		if (prefix_parse(&out, bad[i]) != -EINVAL)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_int_equal(out.ip.family, 0);
	}
}

static void networks_know_what_they_contain_and_overlap(void **state)
{
	struct prefix wide = prefix("10.128.0.0/9");
	struct prefix narrow = prefix("10.200.0.0/16");
	struct prefix beside = prefix("10.0.0.0/9");
	struct prefix all4 = prefix("0.0.0.0/0");
	struct prefix all6 = prefix("::/0");
	struct ip inside = ip("10.255.0.1");
	struct ip outside = ip("10.127.255.255");
	struct ip v6 = ip("::1");
	struct prefix host = prefix_host(&inside);

	(void)state;
	assert_true(prefix_contains(&wide, &inside));
	assert_false(prefix_contains(&wide, &outside));
	assert_true(prefix_contains(&all4, &outside));
	assert_false(prefix_contains(&all4, &v6));
	assert_true(prefix_contains(&all6, &v6));
	assert_int_equal(host.bits, 32);
	assert_true(prefix_contains(&host, &inside));
	assert_false(prefix_contains(&host, &outside));
	assert_true(prefix_overlaps(&wide, &narrow));
	assert_true(prefix_overlaps(&narrow, &wide));
	assert_false(prefix_overlaps(&wide, &beside));
	assert_false(prefix_overlaps(&all4, &all6));
	assert_true(prefix_equal(&wide, &wide));
	assert_false(prefix_equal(&wide, &beside));
	assert_int_equal(prefix_host(&v6).bits, 128);
}

static void endpoints_are_read_and_written(void **state)
{
	static const char *const good[] = {
		"203.0.113.9:41000", "[2001:db8::9]:51820",  "0.0.0.0:1",
		"[::]:65535",	     "[::ffff:192.0.2.1]:7",
	};
	char text[ENDPOINT_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct endpoint e = endpoint(good[i]);

		assert_string_equal(endpoint_format(text, &e), good[i]);
	}
}

static void malformed_endpoints_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		":51820",
		"bad",
		"host.example:51820",
		"203.0.113.9",
		"203.0.113.9:",
		"203.0.113.9:0",
		"203.0.113.9:65536",
		"203.0.113.9:+1",
		"203.0.113.9:-1",
		"203.0.113.9:080",
		"203.0.113.9:80 ",
		"203.0.113.9: 80",
		"203.0.113.9:8x",
		":::51820",
		"2001:db8::9:51820",
		"[2001:db8::9]",
		"[2001:db8::9]51820",
		"[2001:db8::9]:",
		"[2001:db8::9",
		"[]:51820",
		"[203.0.113.9]:80",
		"[fe80::1%eth0]:1",
		"01.2.3.4:80",
		"[::1]:1:2",
		"[[::1]]:1",
		"203.0.113.9:99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct endpoint out = { .port = 7 };

		if (endpoint_parse(&out, bad[i]) != -EINVAL)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_int_equal(out.ip.family, 0);
		assert_int_equal(out.port, 0);
	}
}

static void endpoints_survive_the_way_through_a_socket_address(void **state)
{
	static const char *const cases[] = { "203.0.113.9:41000", "[2001:db8::9]:51820" };
	struct endpoint back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct endpoint e = endpoint(cases[i]);
		struct sockaddr_storage ss;

		assert_true(endpoint_to_sockaddr(&ss, &e, false) > 0);
		assert_int_equal(ss.ss_family, e.ip.family);
		assert_int_equal(endpoint_from_sockaddr(&back, (const void *)&ss), 0);
		assert_true(endpoint_equal(&e, &back));
		assert_int_equal(endpoint_to_sockaddr(&ss, &e, true), sizeof(struct sockaddr_in6));
		assert_int_equal(ss.ss_family, AF_INET6);
		assert_int_equal(endpoint_from_sockaddr(&back, (const void *)&ss), 0);
		assert_true(endpoint_equal(&e, &back));
	}
}

static void other_socket_addresses_are_refused(void **state)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	struct endpoint out = { .port = 7 };

	(void)state;
	assert_int_equal(endpoint_from_sockaddr(&out, &sa), -EAFNOSUPPORT);
	assert_int_equal(out.port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_written_as_rfc_5952_has_them),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(malformed_addresses_are_refused),
		cmocka_unit_test(no_address_is_written_as_nothing),
		cmocka_unit_test(only_addresses_that_others_can_reach_are_global),
		cmocka_unit_test(mapped_addresses_are_unmapped),
		cmocka_unit_test(prefixes_are_read_with_their_host_bits),
		cmocka_unit_test(malformed_prefixes_are_refused),
		cmocka_unit_test(networks_know_what_they_contain_and_overlap),
		cmocka_unit_test(endpoints_are_read_and_written),
		cmocka_unit_test(malformed_endpoints_are_refused),
		cmocka_unit_test(endpoints_survive_the_way_through_a_socket_address),
		cmocka_unit_test(other_socket_addresses_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

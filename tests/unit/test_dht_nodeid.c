/* SPDX-License-Identifier: MIT */
#include "tests/unit/vectors.h"

#include "daemon/dht/nodeid.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(&ip, text), 0);
	return ip;
}

static void assert_prefix(const char *ip_text, uint8_t last, const char *hex)
{
	struct ip ip = ip_of(ip_text);
	struct nodeid id;
	uint8_t first[3];

	memset(id.b, 0xff, sizeof(id.b));
	id.b[NODEID_LEN - 1] = last;
	nodeid_make(&id, &ip);
	memcpy(first, id.b, sizeof(first));
	first[2] &= 0xf8;
	assert_hex(first, sizeof(first), hex);
	assert_int_equal(id.b[2] & 7, 7);
	assert_int_equal(id.b[3], 0xff);
	assert_int_equal(id.b[NODEID_LEN - 1], last);
	assert_true(nodeid_fits(&id, &ip));
	id.b[2] ^= 0x08;
	assert_false(nodeid_fits(&id, &ip));
	id.b[2] ^= 0x08;
	id.b[NODEID_LEN - 1] ^= 1;
	assert_false(nodeid_fits(&id, &ip));
}

static void ids_follow_from_addresses_as_the_vectors_say(void **state)
{
	const json_t *misc = vectors_section("misc");
	const json_t *item;
	size_t i;
	size_t n = 0;

	(void)state;
	json_array_foreach (json_object_get(misc, "bep42"), i, item) {
		assert_prefix(vector_text(item, "ip"), (uint8_t)vector_int(item, "rand"),
			      vector_text(item, "first_21_bits_hex"));
		n++;
	}
	assert_true(n >= 5);
}

static void an_ipv6_address_decides_with_its_first_half(void **state)
{
	struct ip one = ip_of("2001:db8:1:2::1");
	struct ip other = ip_of("2001:db8:1:2:ffff::9");
	struct ip elsewhere = ip_of("2001:db8:1:3::1");
	struct nodeid id;

	(void)state;
	memset(id.b, 0x5a, sizeof(id.b));
	nodeid_make(&id, &one);
	assert_true(nodeid_fits(&id, &one));
	assert_true(nodeid_fits(&id, &other));
	assert_false(nodeid_fits(&id, &elsewhere));
}

static void in_a_private_network_every_id_fits(void **state)
{
	static const char *const exempt[] = { "10.0.0.1",  "172.16.0.1", "192.168.3.4",
					      "127.0.0.1", "100.64.0.1", "fd00::1" };
	struct nodeid id;

	(void)state;
	memset(id.b, 0x5a, sizeof(id.b));
	for (size_t i = 0; i < sizeof(exempt) / sizeof(exempt[0]); i++) {
		struct ip ip = ip_of(exempt[i]);

		assert_true(nodeid_fits(&id, &ip));
	}
}

static void the_closer_id_is_the_one_that_shares_more_of_the_beginning(void **state)
{
	struct nodeid target = { { 0x80 } };
	struct nodeid near = { { 0x80, 1 } };
	struct nodeid far = { { 0x00 } };

	(void)state;
	assert_true(nodeid_compare(&target, &near, &far) < 0);
	assert_true(nodeid_compare(&target, &far, &near) > 0);
	assert_int_equal(nodeid_compare(&target, &far, &far), 0);
	assert_int_equal(nodeid_prefix(&target, &near), 15);
	assert_int_equal(nodeid_prefix(&target, &far), 0);
	assert_int_equal(nodeid_prefix(&target, &target), NODEID_BITS);
}

static void addresses_have_the_scope_that_decides_who_may_name_them(void **state)
{
	static const struct {
		const char *ip;
		enum nodeid_scope scope;
	} cases[] = {
		{ "8.8.8.8", SCOPE_GLOBAL },	   { "203.0.113.1", SCOPE_GLOBAL },
		{ "10.1.2.3", SCOPE_PRIVATE },	   { "172.15.0.1", SCOPE_GLOBAL },
		{ "172.31.0.1", SCOPE_PRIVATE },   { "172.32.0.1", SCOPE_GLOBAL },
		{ "192.168.0.1", SCOPE_PRIVATE },  { "100.63.0.1", SCOPE_GLOBAL },
		{ "100.127.0.1", SCOPE_PRIVATE },  { "100.128.0.1", SCOPE_GLOBAL },
		{ "127.9.9.9", SCOPE_LOOPBACK },   { "0.0.0.0", SCOPE_NONE },
		{ "0.1.2.3", SCOPE_NONE },	   { "169.254.169.254", SCOPE_NONE },
		{ "224.0.0.1", SCOPE_NONE },	   { "239.192.1.2", SCOPE_NONE },
		{ "240.0.0.1", SCOPE_NONE },	   { "255.255.255.255", SCOPE_NONE },
		{ "2001:db8::1", SCOPE_GLOBAL },   { "fd12::1", SCOPE_PRIVATE },
		{ "::1", SCOPE_LOOPBACK },	   { "::", SCOPE_NONE },
		{ "fe80::1", SCOPE_NONE },	   { "ff02::1", SCOPE_NONE },
		{ "::ffff:10.0.0.1", SCOPE_NONE }, { "64:ff9b::a00:1", SCOPE_NONE },
	};
	const struct ip none = { .family = 0 };

	(void)state;
	assert_int_equal(nodeid_scope(&none), SCOPE_NONE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip = ip_of(cases[i].ip);

		if (nodeid_scope(&ip) != cases[i].scope)
			fail_msg("%s", cases[i].ip);
	}
}

static bool may_tell(const char *teller, const char *at)
{
	struct ip from = ip_of(teller);
	struct endpoint to;

	assert_int_equal(endpoint_parse(&to, at), 0);
	return nodeid_may_tell(&from, &to);
}

static void nobody_is_sent_into_a_network_by_somebody_outside_of_it(void **state)
{
	struct endpoint no_port = { .ip = ip_of("8.8.8.8") };
	struct ip from = ip_of("8.8.4.4");

	(void)state;
	assert_true(may_tell("8.8.8.8", "1.2.3.4:1"));
	assert_false(may_tell("8.8.8.8", "10.0.0.1:1"));
	assert_false(may_tell("8.8.8.8", "127.0.0.1:1"));
	assert_false(may_tell("8.8.8.8", "[fd00::1]:1"));
	assert_false(may_tell("2001:db8::1", "192.168.1.1:1"));
	assert_true(may_tell("10.0.0.1", "10.0.0.2:1"));
	assert_true(may_tell("10.0.0.1", "8.8.8.8:1"));
	assert_false(may_tell("10.0.0.1", "127.0.0.1:1"));
	assert_true(may_tell("127.0.0.1", "127.0.0.2:1"));
	assert_false(may_tell("10.0.0.1", "224.0.0.1:1"));
	assert_false(may_tell("127.0.0.1", "0.0.0.0:1"));
	assert_false(may_tell("fe80::1", "8.8.8.8:1"));
	assert_false(nodeid_may_tell(&from, &no_port));
}

static void neighbours_are_who_one_owner_would_have(void **state)
{
	struct ip a = ip_of("203.0.113.1");
	struct ip b = ip_of("203.0.113.200");
	struct ip c = ip_of("203.0.114.1");
	struct ip d = ip_of("10.0.0.1");
	struct ip e = ip_of("2001:db8::1");
	struct ip f = ip_of("2001:db8::2:1");
	struct ip g = ip_of("2001:db8:0:1::1");

	(void)state;
	assert_true(nodeid_neighbours(&a, &b));
	assert_false(nodeid_neighbours(&a, &c));
	assert_false(nodeid_neighbours(&d, &d));
	assert_true(nodeid_neighbours(&e, &f));
	assert_false(nodeid_neighbours(&e, &g));
	assert_false(nodeid_neighbours(&a, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_follow_from_addresses_as_the_vectors_say),
		cmocka_unit_test(an_ipv6_address_decides_with_its_first_half),
		cmocka_unit_test(in_a_private_network_every_id_fits),
		cmocka_unit_test(the_closer_id_is_the_one_that_shares_more_of_the_beginning),
		cmocka_unit_test(addresses_have_the_scope_that_decides_who_may_name_them),
		cmocka_unit_test(nobody_is_sent_into_a_network_by_somebody_outside_of_it),
		cmocka_unit_test(neighbours_are_who_one_owner_would_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

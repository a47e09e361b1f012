/* SPDX-License-Identifier: MIT */
#include "daemon/nat/ownpoint.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/vectors.h"

#include <sys/socket.h>

#define PORT 51820

/**
 * struct fixture - A machine
 */
struct fixture {
	struct hostaddrs host;
	struct ownpoint_facts f;
	struct ownpoint own;
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->f.host = &f->host;
	f->f.port = PORT;
}

static struct hostaddr *has(struct fixture *f, const char *net)
{
	struct hostaddr *a = &f->host.at[f->host.n++];

	a->net = prefix_of(net);
	return a;
}

static void stun(struct fixture *f, const char *mapped, size_t agreeing, enum view_nat nat)
{
	struct endpoint e = endpoint_of(mapped);

	f->f.stun[e.ip.family == AF_INET6 ? 1 : 0] = (struct stunview) {
		.mapped = e,
		.n_asked = agreeing,
		.n_answered = agreeing,
		.n_agreeing = agreeing,
		.nat = nat,
	};
}

static void assert_own(struct fixture *f, const char *v4, const char *v6)
{
	ownpoint_decide(&f->own, &f->f);
	assert_endpoint(&f->own.v4, v4);
	assert_endpoint(&f->own.v6, v6);
}

static void ipv6_addresses_are_rated_as_existing_nodes_rate_them(void **state)
{
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach (vector_list(vectors_section("misc"), "public_ipv6"), i, item) {
		struct ip ip = ip_of(vector_text(item, "ip"));

		if (ownpoint_ip6_is_public(&ip) != json_is_true(json_object_get(item, "public")))
			fail_msg("%s: public or not", vector_text(item, "ip"));
		assert_int_equal(ownpoint_ip6_score(&ip), vector_int(item, "score"));
	}
}

static void a_carriers_nat_is_not_the_internet(void **state)
{
	static const char *const not_public[] = { "100.64.0.1", "100.127.255.254", "10.0.0.1",
						  "172.16.0.1", "192.168.1.1",	   "127.0.0.1",
						  "169.254.1.1" };
	struct ip ip = ip_of("100.128.0.1");

	(void)state;
	assert_true(ownpoint_ip4_is_public(&ip));
	for (size_t i = 0; i < sizeof(not_public) / sizeof(not_public[0]); i++) {
		ip = ip_of(not_public[i]);
		assert_false(ownpoint_ip4_is_public(&ip));
	}
}

static void a_machine_on_a_private_network_tells_no_address(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	has(&f, "192.168.1.5/24");
	has(&f, "fd00::5/64");
	assert_own(&f, "", "");
	assert_int_equal(f.own.nat, NAT_UNKNOWN);
}

static void each_family_has_an_endpoint_of_its_own(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	has(&f, "192.168.1.5/24");
	has(&f, "2a02::5/64");
	stun(&f, "203.0.113.9:4000", 2, NAT_CONE);
	assert_own(&f, "203.0.113.9:51820", "[2a02::5]:51820");
	assert_int_equal(f.own.nat, NAT_CONE);
	f.f.no_ipv6 = true;
	assert_own(&f, "203.0.113.9:51820", "");
}

static void a_lasting_address_counts_before_one_that_changes(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	has(&f, "2a02::1:1:1:1/64")->is_temporary = true;
	assert_own(&f, "", "[2a02::1:1:1:1]:51820");
	has(&f, "2a02::211:22ff:fe33:4455/64");
	assert_own(&f, "", "[2a02::211:22ff:fe33:4455]:51820");
	has(&f, "2a02::9/64");
	assert_own(&f, "", "[2a02::9]:51820");
	/* In whatever order the kernel tells of them. */
	has(&f, "2a02::8/64");
	assert_own(&f, "", "[2a02::8]:51820");
	has(&f, "2a02::1/64")->is_deprecated = true;
	has(&f, "2a02::2/64")->is_tentative = true;
	assert_own(&f, "", "[2a02::8]:51820");
}

static void a_public_address_of_an_interface_yields_only_to_two_servers(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	has(&f, "198.51.100.5/24");
	assert_own(&f, "198.51.100.5:51820", "");
	stun(&f, "203.0.113.66:4000", 1, NAT_UNKNOWN);
	assert_own(&f, "198.51.100.5:51820", "");
	stun(&f, "203.0.113.9:4000", 2, NAT_CONE);
	assert_own(&f, "203.0.113.9:51820", "");
	/* Of several, one server tells which is used. */
	has(&f, "198.51.100.6/24");
	stun(&f, "198.51.100.6:4000", 1, NAT_UNKNOWN);
	assert_own(&f, "198.51.100.6:51820", "");
}

static void what_peers_see_counts_when_nobody_else_knows(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	has(&f, "192.168.1.5/24");
	f.f.observed[0] = ip_of("203.0.113.9");
	f.f.nat = NAT_SYMMETRIC;
	assert_own(&f, "203.0.113.9:51820", "");
	assert_int_equal(f.own.nat, NAT_SYMMETRIC);
	stun(&f, "203.0.113.10:4000", 1, NAT_UNKNOWN);
	assert_own(&f, "203.0.113.10:51820", "");
	assert_int_equal(f.own.nat, NAT_SYMMETRIC);
	stun(&f, "203.0.113.10:4000", 2, NAT_CONE);
	assert_own(&f, "203.0.113.10:51820", "");
	assert_int_equal(f.own.nat, NAT_CONE);
}

static void an_address_that_is_not_public_is_no_answer(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	has(&f, "192.168.1.5/24");
	stun(&f, "10.0.0.9:4000", 2, NAT_CONE);
	assert_own(&f, "", "");
	stun(&f, "100.64.0.9:4000", 2, NAT_CONE);
	assert_own(&f, "", "");
	stun(&f, "127.0.0.1:4000", 2, NAT_CONE);
	assert_own(&f, "", "");
}

static void a_private_source_address_is_for_those_behind_the_same_nat(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.f.source = ip_of("192.168.1.5");
	assert_own(&f, "", "");
	assert_endpoint(&f.own.near, "192.168.1.5:51820");
	f.f.source = ip_of("198.51.100.5");
	assert_own(&f, "", "");
	assert_endpoint(&f.own.near, "");
}

/* --- what is told whom ------------------------------------------------------------------------ */

static const char *told(struct announcement *a, const struct ownpoint *own, const char *to)
{
	struct ownpoint_receiver who = { .to = endpoint_of(to) };

	memset(a, 0, sizeof(*a));
	ownpoint_tell(a, own, PORT, &who);
	return a->self.endpoint;
}

static void everybody_is_told_the_endpoint_of_the_family_it_is_reached_by(void **state)
{
	struct ownpoint own = {
		.v4 = endpoint_of("203.0.113.9:51820"),
		.v6 = endpoint_of("[2a02::5]:51820"),
		.near = endpoint_of("192.168.1.5:51820"),
		.nat = NAT_CONE,
	};
	struct announcement a;

	(void)state;
	assert_string_equal(told(&a, &own, "198.51.100.1:52000"), "203.0.113.9:51820");
	assert_int_equal(a.n_endpoints, 3);
	assert_endpoint(&a.endpoints[0], "[2a02::5]:51820");
	assert_string_equal(a.self.nat_type, "cone");
	assert_string_equal(told(&a, &own, "[2a02::1]:52000"), "[2a02::5]:51820");
	/* Here the receiver sees an address that is better than the outer one. */
	assert_string_equal(told(&a, &own, NULL), "0.0.0.0:51820");
	assert_string_equal(told(&a, &own, "192.168.1.7:52000"), "0.0.0.0:51820");
	assert_string_equal(told(&a, &own, "100.64.0.7:52000"), "0.0.0.0:51820");
	assert_string_equal(told(&a, &own, "[fe80::7]:52000"), "0.0.0.0:51820");
	assert_int_equal(a.n_endpoints, 3);
}

static void without_an_address_the_wildcard_is_told(void **state)
{
	struct ownpoint own = { .v6 = endpoint_of("[2a02::5]:51820") };
	struct announcement a;

	(void)state;
	/* One public IPv6 address does not hide what IPv4 there is (protocol.md B7). */
	assert_string_equal(told(&a, &own, "198.51.100.1:52000"), "0.0.0.0:51820");
	own.v6 = endpoint_of(NULL);
	assert_string_equal(told(&a, &own, "[2a02::1]:52000"), "0.0.0.0:51820");
	assert_int_equal(a.n_endpoints, 0);
	assert_string_equal(a.self.nat_type, "unknown");
	own.nat = NAT_NONE;
	(void)told(&a, &own, NULL);
	assert_string_equal(a.self.nat_type, "cone");
}

static void inside_the_tunnel_nothing_is_told_that_leads_it_into_itself(void **state)
{
	struct ownpoint_receiver who = { .to = endpoint_of("10.77.0.2:52000"), .is_inside = true };
	struct ownpoint own = { .near = endpoint_of("192.168.1.5:51820") };
	struct announcement a = { .n_known = 0 };
	char taken[ENDPOINT_OUT_SIZE];

	(void)state;
	/* An empty text means our mesh address to existing nodes: the caller withholds it all. */
	ownpoint_tell(&a, &own, PORT, &who);
	assert_string_equal(a.self.endpoint, "");
	own.v6 = endpoint_of("[2a02::5]:51820");
	ownpoint_tell(&a, &own, PORT, &who);
	assert_string_equal(a.self.endpoint, "[2a02::5]:51820");
	own.v4 = endpoint_of("203.0.113.9:51820");
	ownpoint_tell(&a, &own, PORT, &who);
	assert_string_equal(a.self.endpoint, "203.0.113.9:51820");
	/* Between neighbours the address that they share a network with. */
	who.on_link = ip_of("192.168.1.5");
	ownpoint_tell(&a, &own, PORT, &who);
	assert_string_equal(a.self.endpoint, "192.168.1.5:51820");
	endpoint_from_exchange(taken, a.self.endpoint, &who.to.ip);
	assert_string_equal(taken, a.self.endpoint);
}

static void nothing_is_told_twice_that_has_not_changed(void **state)
{
	struct ownpoint a = { .v4 = endpoint_of("203.0.113.9:51820") };
	struct ownpoint b = a;

	(void)state;
	assert_true(ownpoint_equal(&a, &b));
	b.nat = NAT_CONE;
	assert_false(ownpoint_equal(&a, &b));
	b = a;
	b.v6 = endpoint_of("[2a02::5]:51820");
	assert_false(ownpoint_equal(&a, &b));
	b = a;
	b.near = endpoint_of("10.0.0.1:51820");
	assert_false(ownpoint_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv6_addresses_are_rated_as_existing_nodes_rate_them),
		cmocka_unit_test(a_carriers_nat_is_not_the_internet),
		cmocka_unit_test(a_machine_on_a_private_network_tells_no_address),
		cmocka_unit_test(each_family_has_an_endpoint_of_its_own),
		cmocka_unit_test(a_lasting_address_counts_before_one_that_changes),
		cmocka_unit_test(a_public_address_of_an_interface_yields_only_to_two_servers),
		cmocka_unit_test(what_peers_see_counts_when_nobody_else_knows),
		cmocka_unit_test(an_address_that_is_not_public_is_no_answer),
		cmocka_unit_test(a_private_source_address_is_for_those_behind_the_same_nat),
		cmocka_unit_test(everybody_is_told_the_endpoint_of_the_family_it_is_reached_by),
		cmocka_unit_test(without_an_address_the_wildcard_is_told),
		cmocka_unit_test(inside_the_tunnel_nothing_is_told_that_leads_it_into_itself),
		cmocka_unit_test(nothing_is_told_twice_that_has_not_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

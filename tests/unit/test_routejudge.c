/* SPDX-License-Identifier: MIT */
#include "daemon/peers/routejudge.h"
#include "tests/unit/fixtures.h"

#include <stdlib.h>
#include <string.h>

#define SELF  10
#define OWNER 15
#define OTHER 16

/* A machine in 192.0.2.0/24 with a gateway that is not in it, and a peer at 198.51.100.7. */
struct fixture {
	struct reconcile_self self;
	struct underlay underlay;
	struct routelist allowed;
	struct peers *peers;
	struct peer *owner;
	struct routejudge judge;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct wg_key self = key_of(SELF);

	assert_non_null(f);
	f->self.subnet = prefix_of("10.77.0.0/16");
	f->self.prefix6 = prefix_of("fd12:3456:789a:bcde::/64");
	f->underlay.n = 2;
	f->underlay.net[0] = prefix_of("192.0.2.0/24");
	f->underlay.net[1] = prefix_of("2001:db8:1::/64");
	f->underlay.n_gateways = 1;
	f->underlay.gateway[0] = ip_of("172.31.1.1");
	f->peers = peers_new(&self);
	f->owner = see(f->peers, OWNER, METHOD_EXCHANGE, "198.51.100.7:51820", 0);
	f->judge = (struct routejudge) { .self = &f->self,
					 .underlay = &f->underlay,
					 .allowed = &f->allowed,
					 .peers = f->peers,
					 .now = at(0) };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	peers_free(f->peers);
	free(f);
	return 0;
}

static enum route_verdict verdict(struct fixture *f, const char *net)
{
	struct prefix p = prefix_of(net);

	return routejudge(&f->judge, f->owner, &p, ROUTE_UNJUDGED);
}

static void a_network_behind_a_peer_is_accepted(void **state)
{
	assert_int_equal(verdict(*state, "192.168.10.0/24"), ROUTE_ACCEPTED);
	assert_int_equal(verdict(*state, "fd00:1::/64"), ROUTE_ACCEPTED);
	assert_int_equal(verdict(*state, "10.0.0.0/10"), ROUTE_ACCEPTED);
}

static void default_routes_and_nearly_default_ones_are_refused(void **state)
{
	assert_int_equal(verdict(*state, "0.0.0.0/0"), ROUTE_DEFAULT);
	assert_int_equal(verdict(*state, "::/0"), ROUTE_DEFAULT);
	assert_int_equal(verdict(*state, "128.0.0.0/3"), ROUTE_DEFAULT);
	assert_int_equal(verdict(*state, "4000::/2"), ROUTE_DEFAULT);
}

static void the_mesh_itself_loopback_and_multicast_are_refused(void **state)
{
	static const char *const nets[] = {
		"10.77.5.0/24", "10.0.0.0/8",  "fd12:3456:789a:bcde:1::/80",
		"127.0.0.0/24", "224.0.0.0/8", "169.254.1.0/24",
		"fe80::/64",	"ff02::/16"
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		assert_int_equal(verdict(*state, nets[i]), ROUTE_RESERVED);
}

static void networks_this_machine_is_in_are_refused(void **state)
{
	assert_int_equal(verdict(*state, "192.0.2.0/24"), ROUTE_UNDERLAY);
	assert_int_equal(verdict(*state, "192.0.2.128/25"), ROUTE_UNDERLAY);
	assert_int_equal(verdict(*state, "192.0.0.0/16"), ROUTE_UNDERLAY);
	assert_int_equal(verdict(*state, "2001:db8:1::/48"), ROUTE_UNDERLAY);
}

static void a_network_with_the_peers_own_address_in_it_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(verdict(f, "198.51.100.0/24"), ROUTE_OWN_PATH);
	/* Where its packets come from counts as well. */
	f->owner->tunnel = endpoint_of("203.0.113.9:4444");
	assert_int_equal(verdict(f, "203.0.113.0/24"), ROUTE_OWN_PATH);
}

static void a_network_with_our_gateway_in_it_is_refused(void **state)
{
	assert_int_equal(verdict(*state, "172.16.0.0/12"), ROUTE_GATEWAY);
}

static void what_the_operator_allows_is_accepted(void **state)
{
	struct fixture *f = *state;

	f->allowed.n = 1;
	f->allowed.net[0] = prefix_of("192.0.2.0/24");
	assert_int_equal(verdict(f, "192.0.2.0/24"), ROUTE_ACCEPTED);
	assert_int_equal(verdict(f, "192.0.2.64/26"), ROUTE_ACCEPTED);
	assert_int_equal(verdict(f, "192.0.0.0/16"), ROUTE_UNDERLAY);
	f->allowed.net[0] = prefix_of("128.0.0.0/3");
	assert_int_equal(verdict(f, "128.0.0.0/3"), ROUTE_ACCEPTED);
}

/* A way that leads into itself is none, whatever anybody allows. */
static void no_permission_leads_the_tunnel_into_itself(void **state)
{
	struct fixture *f = *state;

	f->allowed.n = 3;
	f->allowed.net[0] = prefix_of("198.51.100.0/24");
	f->allowed.net[1] = prefix_of("172.16.0.0/12");
	f->allowed.net[2] = prefix_of("10.77.0.0/16");
	assert_int_equal(verdict(f, "198.51.100.0/24"), ROUTE_OWN_PATH);
	assert_int_equal(verdict(f, "172.16.0.0/12"), ROUTE_GATEWAY);
	assert_int_equal(verdict(f, "10.77.1.0/24"), ROUTE_RESERVED);
}

/* 192.0.0.0/16 beside our 192.0.2.0/24: the smaller network keeps the way to what is in it. */
static void a_smaller_network_of_ours_keeps_the_way_to_the_peer(void **state)
{
	struct fixture *f = *state;

	f->owner->endpoint = endpoint_of("192.0.2.7:51820");
	f->allowed.n = 1;
	f->allowed.net[0] = prefix_of("192.0.0.0/16");
	assert_int_equal(verdict(f, "192.0.0.0/16"), ROUTE_ACCEPTED);
	assert_int_equal(verdict(f, "192.0.2.0/24"), ROUTE_OWN_PATH);
}

static void a_member_cannot_take_over_the_way_to_another_one(void **state)
{
	struct fixture *f = *state;
	struct peer *other = see(f->peers, OTHER, METHOD_EXCHANGE, "203.0.113.5:51820", 0);
	struct prefix net = prefix_of("203.0.113.0/24");

	/* What is only said of an address keeps nobody's network away. */
	assert_int_equal(verdict(f, "203.0.113.0/24"), ROUTE_ACCEPTED);
	other->tunnel = other->endpoint;
	other->handshake_s = at(0).unix_s;
	assert_int_equal(verdict(f, "203.0.113.0/24"), ROUTE_OTHER_PATH);
	/* A node inside a network that is in use is reached through it. */
	assert_int_equal(routejudge(&f->judge, f->owner, &net, ROUTE_ACCEPTED), ROUTE_ACCEPTED);
}

static void where_this_machine_has_too_many_networks_to_tell_only_what_is_allowed_is_accepted(
	void **state)
{
	struct fixture *f = *state;

	f->underlay.is_cut = true;
	assert_int_equal(verdict(f, "10.99.0.0/16"), ROUTE_UNDERLAY);
	f->allowed.n = 1;
	f->allowed.net[0] = prefix_of("10.99.0.0/16");
	assert_int_equal(verdict(f, "10.99.0.0/16"), ROUTE_ACCEPTED);
}

static void without_the_kernels_tables_the_rest_is_still_judged(void **state)
{
	struct fixture *f = *state;

	f->judge.underlay = NULL;
	assert_int_equal(verdict(f, "192.0.2.0/24"), ROUTE_ACCEPTED);
	assert_int_equal(verdict(f, "198.51.100.0/24"), ROUTE_OWN_PATH);
	assert_int_equal(verdict(f, "0.0.0.0/0"), ROUTE_DEFAULT);
}

static void each_refusal_has_a_reason(void **state)
{
	(void)state;
	assert_string_equal(routejudge_why(ROUTE_UNJUDGED), "");
	assert_string_equal(routejudge_why(ROUTE_ACCEPTED), "");
	for (unsigned int v = ROUTE_FAILED; v <= ROUTE_NO_ROOM; v++)
		assert_true(strlen(routejudge_why((enum route_verdict)v)) > 20);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_network_behind_a_peer_is_accepted),
		T(default_routes_and_nearly_default_ones_are_refused),
		T(the_mesh_itself_loopback_and_multicast_are_refused),
		T(networks_this_machine_is_in_are_refused),
		T(a_network_with_the_peers_own_address_in_it_is_refused),
		T(a_network_with_our_gateway_in_it_is_refused),
		T(what_the_operator_allows_is_accepted),
		T(no_permission_leads_the_tunnel_into_itself),
		T(a_smaller_network_of_ours_keeps_the_way_to_the_peer),
		T(a_member_cannot_take_over_the_way_to_another_one),
		T(where_this_machine_has_too_many_networks_to_tell_only_what_is_allowed_is_accepted),
		T(without_the_kernels_tables_the_rest_is_still_judged),
		cmocka_unit_test(each_refusal_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

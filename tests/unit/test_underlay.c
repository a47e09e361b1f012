/* SPDX-License-Identifier: MIT */
#include "daemon/net/rtnl.h"
#include "daemon/net/rtnl_msg.h"
#include "daemon/net/underlaywatch.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"
#include "tests/unit/netns.h"

#include <stdio.h>

/**
 * struct fixture - A machine with the mesh's interface wg9 and an underlay eth9
 * @own:	Routes found by underlaywatch_own_routes()
 * @n_told:	How often a change was told
 */
struct fixture {
	struct event_base *base;
	struct rtnl *rtnl;
	struct rtnl_link mesh;
	struct underlaywatch *watch;
	char own[256];
	int n_told;
};

static void changed(void *arg)
{
	((struct fixture *)arg)->n_told++;
}

static int make_fixture(void **state)
{
	static struct fixture f;
	const struct underlaywatch_handler h = { &f, changed };

	f = (struct fixture) { .base = event_base_new() };
	NETNS_IP("link", "add", "wg9", "type", "bridge");
	NETNS_IP("link", "add", "eth9", "type", "bridge");
	NETNS_IP("link", "set", "wg9", "up");
	NETNS_IP("link", "set", "eth9", "up", "mtu", "1400");
	NETNS_IP("address", "add", "192.0.2.7/24", "dev", "eth9");
	NETNS_IP("address", "add", "10.77.0.1/16", "dev", "wg9");
	NETNS_IP("route", "add", "172.31.1.1", "dev", "eth9");
	NETNS_IP("route", "add", "default", "via", "172.31.1.1", "dev", "eth9", "onlink");
	assert_int_equal(rtnl_open(&f.rtnl, NULL), 0);
	assert_int_equal(rtnl_link_get(f.rtnl, "wg9", &f.mesh, NULL), 0);
	assert_int_equal(underlaywatch_open(&f.watch, f.base, f.mesh.index, &h, NULL), 0);
	*state = &f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	underlaywatch_close(f->watch);
	NETNS_IP("link", "delete", "wg9");
	NETNS_IP("link", "delete", "eth9");
	rtnl_close(f->rtnl);
	event_base_free(f->base);
	return 0;
}

static bool overlaps(const struct fixture *f, const char *net)
{
	struct prefix p = prefix_of(net);

	return underlay_overlap(underlaywatch_get(f->watch), &p) != NULL;
}

static bool loses(const struct fixture *f, const char *net, const char *ip)
{
	struct prefix p = prefix_of(net);
	struct ip to = ip_of(ip);

	return underlay_would_lose(underlaywatch_get(f->watch), &p, &to);
}

static bool is_told(void *arg)
{
	return ((struct fixture *)arg)->n_told > 0;
}

static void networks_and_gateways_are_known_at_once(void **state)
{
	struct fixture *f = *state;
	const struct underlay *u = underlaywatch_get(f->watch);
	struct ip gateway = ip_of("172.31.1.1");
	struct rtnl_link eth;

	assert_true(overlaps(f, "192.0.2.128/25"));
	assert_true(overlaps(f, "192.0.0.0/16"));
	assert_true(overlaps(f, "172.31.1.1/32"));
	assert_false(overlaps(f, "198.51.100.0/24"));
	assert_int_equal(u->n_gateways, 1);
	assert_true(ip_equal(&u->gateway[0], &gateway));
	assert_int_equal(rtnl_link_get(f->rtnl, "eth9", &eth, NULL), 0);
	assert_int_equal(underlay_mtu(u, eth.index), 1400);
	assert_int_equal(underlay_mtu(u, f->mesh.index), 0);
}

static void the_meshs_own_interface_does_not_count(void **state)
{
	assert_false(overlaps(*state, "10.77.0.0/16"));
}

static void the_smaller_network_keeps_what_is_in_it(void **state)
{
	assert_true(loses(*state, "198.51.100.0/24", "198.51.100.9"));
	assert_false(loses(*state, "198.51.100.0/24", "203.0.113.9"));
	assert_false(loses(*state, "192.0.0.0/16", "192.0.2.9"));
	assert_true(loses(*state, "192.0.2.0/24", "192.0.2.9"));
	assert_true(loses(*state, "192.0.2.8/30", "192.0.2.9"));
}

static void a_new_address_and_a_new_route_are_told(void **state)
{
	struct fixture *f = *state;

	NETNS_IP("address", "add", "198.51.100.7/24", "dev", "eth9");
	assert_true(loop_until(f->base, is_told, f));
	assert_true(overlaps(f, "198.51.100.0/24"));
	f->n_told = 0;
	NETNS_IP("route", "add", "203.0.113.0/24", "via", "192.0.2.1");
	assert_true(loop_until(f->base, is_told, f));
	assert_true(overlaps(f, "203.0.113.0/24"));
	f->n_told = 0;
	NETNS_IP("address", "delete", "198.51.100.7/24", "dev", "eth9");
	assert_true(loop_until(f->base, is_told, f));
	assert_false(overlaps(f, "198.51.100.0/24"));
}

/* Half of 0.0.0.0/0 is how some programs write a default route. */
static void a_route_to_everything_is_no_network(void **state)
{
	struct fixture *f = *state;

	NETNS_IP("route", "add", "128.0.0.0/1", "via", "192.0.2.1");
	assert_true(loop_until(f->base, is_told, f));
	assert_false(overlaps(f, "198.51.100.0/24"));
	assert_int_equal(underlaywatch_get(f->watch)->n_gateways, 2);
}

static int collect(const struct prefix *p, void *arg)
{
	struct fixture *f = arg;
	size_t used = strlen(f->own);
	char text[PREFIX_TEXT_SIZE];

	(void)snprintf(f->own + used, sizeof(f->own) - used, "%s ", prefix_format(text, p));
	return 0;
}

static void only_our_own_routes_are_listed(void **state)
{
	struct fixture *f = *state;
	struct prefix a = prefix_of("192.168.1.0/24");
	struct prefix b = prefix_of("fd00:1::/64");

	assert_int_equal(rtnl_route_add(f->rtnl, f->mesh.index, &a, NULL), 0);
	assert_int_equal(rtnl_route_add(f->rtnl, f->mesh.index, &b, NULL), 0);
	NETNS_IP("route", "add", "192.168.2.0/24", "dev", "wg9");
	underlaywatch_own_routes(f->watch, collect, f);
	assert_string_equal(f->own, "192.168.1.0/24 fd00:1::/64 ");
	/* And they raise no event: they are ours to know. */
	loop_drain(f->base);
	assert_int_equal(f->n_told, 0);
}

/* As the kernel tells of one, through an interface that is not ours. */
static void take_route(struct underlay *u, uint32_t number)
{
	struct prefix net = { .ip = { AF_INET, { 10, 0, 0, 0 } }, .bits = 32 };
	union rtnl_req req;

	net.ip.b[2] = (uint8_t)(number >> 8);
	net.ip.b[3] = (uint8_t)number;
	rtnl_msg_route(&req, true, 5, &net);
	assert_int_equal(underlay_take(u, &req.nlh), 0);
}

static void of_more_networks_than_there_is_room_for_it_is_known_that_some_are_missing(void **state)
{
	static struct underlay u;
	static struct underlay other;

	(void)state;
	underlay_init(&u, 9);
	for (uint32_t i = 0; i < UNDERLAY_NETS_MAX; i++)
		take_route(&u, i);
	/* One that is there needs no room. */
	take_route(&u, 7);
	assert_int_equal(u.n, UNDERLAY_NETS_MAX);
	assert_false(u.is_cut);
	other = u;
	take_route(&u, UNDERLAY_NETS_MAX);
	assert_true(u.is_cut);
	assert_false(underlay_equal(&u, &other));
	underlay_init(&u, 9);
	assert_false(u.is_cut);
	assert_int_equal(u.n, 0);
}

static void reading_long_tables_takes_a_twentieth_of_the_time(void **state)
{
	(void)state;
	assert_int_equal(underlay_pause_ms(0), 200);
	assert_int_equal(underlay_pause_ms(10), 200);
	assert_int_equal(underlay_pause_ms(1000), 20000);
	assert_int_equal(underlay_pause_ms(60000), 30000);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(networks_and_gateways_are_known_at_once),
		T(the_meshs_own_interface_does_not_count),
		T(the_smaller_network_keeps_what_is_in_it),
		T(a_new_address_and_a_new_route_are_told),
		T(a_route_to_everything_is_no_network),
		T(only_our_own_routes_are_listed),
		cmocka_unit_test(
			of_more_networks_than_there_is_room_for_it_is_known_that_some_are_missing),
		cmocka_unit_test(reading_long_tables_takes_a_twentieth_of_the_time),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

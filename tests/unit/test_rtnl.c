/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/net/nlcount.h"
#include "daemon/net/rtnl.h"
#include "tests/unit/netns.h"

#include <errno.h>
#include <stdio.h>

struct fixture {
	struct rtnl *rtnl;
	struct rtnl_link link;
};

static struct prefix prefix(const char *text)
{
	struct prefix out;

	assert_int_equal(prefix_parse(&out, text), 0);
	return out;
}

/* Each test has a bridge of its own, br0, which is up. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(rtnl_open(&f->rtnl, NULL), 0);
	assert_int_equal(rtnl_link_create(f->rtnl, "br0", "bridge", NULL), 0);
	assert_int_equal(rtnl_link_get(f->rtnl, "br0", &f->link, NULL), 0);
	assert_int_equal(rtnl_link_set_up(f->rtnl, f->link.index, true, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rtnl_link_delete(f->rtnl, "br0", NULL), 0);
	rtnl_close(f->rtnl);
	free(f);
	return 0;
}

/* What a list call hands out, as text with a blank behind each. */
struct list {
	char text[1024];
	size_t n;
	int result;
};

static int collect(const struct prefix *p, void *arg)
{
	struct list *list = arg;
	size_t used = strlen(list->text);
	char text[PREFIX_TEXT_SIZE];

	(void)snprintf(list->text + used, sizeof(list->text) - used, "%s ", prefix_format(text, p));
	list->n++;
	return list->result;
}

static void a_link_is_made_found_changed_and_deleted(void **state)
{
	struct fixture *f = *state;
	struct rtnl_link link;
	struct err e;

	assert_int_equal(rtnl_link_get(f->rtnl, "nosuch0", &link, &e), -ENODEV);
	assert_int_equal(rtnl_link_create(f->rtnl, "br0", "bridge", &e), -EEXIST);
	assert_int_equal(rtnl_link_create(f->rtnl, "x0", "nosuchkind", &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.msg, "Unknown device type"));
	assert_string_equal(f->link.kind, "bridge");
	assert_string_equal(f->link.alias, "");
	assert_false(f->link.is_up);
	assert_int_equal(rtnl_link_set_alias(f->rtnl, f->link.index, "wgmesh", &e), 0);
	assert_int_equal(rtnl_link_set_mtu(f->rtnl, f->link.index, 1380, &e), 0);
	assert_int_equal(rtnl_link_get(f->rtnl, "br0", &link, &e), 0);
	assert_string_equal(link.alias, "wgmesh");
	assert_int_equal(link.mtu, 1380);
	assert_true(link.is_up);
	assert_int_equal(rtnl_link_set_mtu(f->rtnl, f->link.index, 1, &e), -EINVAL);
	assert_int_equal(rtnl_link_delete(f->rtnl, "br0", &e), 0);
	assert_int_equal(rtnl_link_delete(f->rtnl, "br0", &e), 0);
	assert_int_equal(rtnl_link_set_up(f->rtnl, f->link.index, true, &e), -ENODEV);
}

static void addresses_are_added_once_and_removed_once(void **state)
{
	struct prefix v4 = prefix("10.36.1.2/16");
	struct prefix v6 = prefix("fd00::1/64");
	struct fixture *f = *state;
	struct list list = { 0 };
	struct err e;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &v4, &e), 0);
		assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &v6, &e), 0);
	}
	assert_int_equal(rtnl_addr_list(f->rtnl, f->link.index, collect, &list, &e), 0);
	assert_string_equal(list.text, "10.36.1.2/16 fd00::1/64 ");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rtnl_addr_del(f->rtnl, f->link.index, &v4, &e), 0);
		assert_int_equal(rtnl_addr_del(f->rtnl, f->link.index, &v6, &e), 0);
	}
	list = (struct list) { 0 };
	assert_int_equal(rtnl_addr_list(f->rtnl, f->link.index, collect, &list, &e), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(rtnl_addr_del(f->rtnl, 9999, &v4, &e), 0);
	assert_int_equal(rtnl_addr_add(f->rtnl, 9999, &v4, &e), -ENODEV);
}

static void addresses_of_other_interfaces_are_not_listed(void **state)
{
	struct prefix addr = prefix("10.37.0.1/24");
	struct fixture *f = *state;
	struct list list = { 0 };
	struct rtnl_link other;

	assert_int_equal(rtnl_link_create(f->rtnl, "br1", "bridge", NULL), 0);
	assert_int_equal(rtnl_link_get(f->rtnl, "br1", &other, NULL), 0);
	assert_int_equal(rtnl_addr_add(f->rtnl, other.index, &addr, NULL), 0);
	assert_int_equal(rtnl_addr_list(f->rtnl, f->link.index, collect, &list, NULL), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(rtnl_link_delete(f->rtnl, "br1", NULL), 0);
}

static void ipv6_that_is_disabled_is_told(void **state)
{
	struct prefix v6 = prefix("fd00::1/64");
	struct fixture *f = *state;
	FILE *knob = fopen("/proc/sys/net/ipv6/conf/br0/disable_ipv6", "we");

	assert_non_null(knob);
	assert_true(fputs("1", knob) >= 0);
	assert_int_equal(fclose(knob), 0);
	assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &v6, NULL), -EACCES);
}

static void routes_are_ours_by_protocol_number(void **state)
{
	struct prefix v4 = prefix("10.50.0.0/16");
	struct prefix v6 = prefix("fd50::/48");
	struct fixture *f = *state;
	struct list list = { 0 };
	struct err e;

	NETNS_IP("route", "add", "10.51.0.0/16", "dev", "br0");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rtnl_route_add(f->rtnl, f->link.index, &v4, &e), 0);
		assert_int_equal(rtnl_route_add(f->rtnl, f->link.index, &v6, &e), 0);
	}
	assert_int_equal(rtnl_route_list(f->rtnl, f->link.index, collect, &list, &e), 0);
	assert_string_equal(list.text, "10.50.0.0/16 fd50::/48 ");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rtnl_route_del(f->rtnl, f->link.index, &v4, &e), 0);
		assert_int_equal(rtnl_route_del(f->rtnl, f->link.index, &v6, &e), 0);
	}
	list = (struct list) { 0 };
	assert_int_equal(rtnl_route_list(f->rtnl, f->link.index, collect, &list, &e), 0);
	assert_int_equal(list.n, 0);
}

static void foreign_routes_stay_whatever_their_metric(void **state)
{
	static const char *const dsts[] = { "10.52.0.0/16", "10.53.0.0/16", "fd52::/48",
					    "0.0.0.0/0", "10.54.0.0/16" };
	struct fixture *f = *state;
	struct list list = { 0 };
	struct err e;

	NETNS_IP("route", "add", "10.52.0.0/16", "dev", "br0");
	NETNS_IP("route", "add", "10.53.0.0/16", "dev", "br0", "metric", "600");
	NETNS_IP("-6", "route", "add", "fd52::/48", "dev", "br0", "metric", "5");
	NETNS_IP("route", "add", "default", "dev", "br0", "metric", "100");
	NETNS_IP("route", "add", "blackhole", "10.54.0.0/16");
	for (size_t i = 0; i < ARRAY_LEN(dsts); i++) {
		struct prefix dst = prefix(dsts[i]);

		assert_int_equal(rtnl_route_add(f->rtnl, f->link.index, &dst, &e), -EEXIST);
		assert_non_null(strstr(e.msg, dsts[i]));
		assert_int_equal(rtnl_route_del(f->rtnl, f->link.index, &dst, &e), 0);
		/* Still there, as it still stands in the way. */
		assert_int_equal(rtnl_route_add(f->rtnl, f->link.index, &dst, &e), -EEXIST);
	}
	assert_int_equal(rtnl_route_list(f->rtnl, f->link.index, collect, &list, &e), 0);
	assert_int_equal(list.n, 0);
	NETNS_IP("route", "del", "blackhole", "10.54.0.0/16");
}

struct deleting {
	struct fixture *f;
	size_t n;
};

static int delete_route(const struct prefix *p, void *arg)
{
	struct deleting *d = arg;

	d->n++;
	return rtnl_route_del(d->f->rtnl, d->f->link.index, p, NULL);
}

static void a_callback_may_use_the_handle(void **state)
{
	struct fixture *f = *state;
	struct deleting deleting = { .f = f };
	struct list list = { 0 };

	for (uint8_t i = 0; i < 200; i++) {
		struct prefix p = { { AF_INET, { 10, 60, i, 0 } }, 24 };

		assert_int_equal(rtnl_route_add(f->rtnl, f->link.index, &p, NULL), 0);
	}
	assert_int_equal(rtnl_route_list(f->rtnl, f->link.index, delete_route, &deleting, NULL), 0);
	assert_int_equal(deleting.n, 200);
	assert_int_equal(rtnl_route_list(f->rtnl, f->link.index, collect, &list, NULL), 0);
	assert_int_equal(list.n, 0);
}

static void a_callback_stops_the_listing(void **state)
{
	struct prefix a = prefix("10.36.1.2/16");
	struct prefix b = prefix("10.37.1.2/16");
	struct fixture *f = *state;
	struct list list = { .result = 5 };

	assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &a, NULL), 0);
	assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &b, NULL), 0);
	assert_int_equal(rtnl_addr_list(f->rtnl, f->link.index, collect, &list, NULL), 5);
	assert_int_equal(list.n, 1);
}

static void the_underlay_is_what_carries_the_default_route(void **state)
{
	struct fixture *f = *state;
	struct err e;
	uint32_t mtu;

	assert_int_equal(rtnl_underlay_mtu(f->rtnl, f->link.index, &mtu, &e), -ENOENT);
	NETNS_IP("link", "add", "up0", "mtu", "1400", "type", "veth", "peer", "up0p");
	NETNS_IP("link", "add", "up1", "mtu", "1300", "type", "veth", "peer", "up1p");
	NETNS_IP("link", "set", "up0", "up");
	NETNS_IP("link", "set", "up1", "up");
	assert_int_equal(rtnl_underlay_mtu(f->rtnl, f->link.index, &mtu, &e), 0);
	assert_int_equal(mtu, 1300);
	NETNS_IP("addr", "add", "192.0.2.1/24", "dev", "up0");
	NETNS_IP("route", "add", "default", "via", "192.0.2.2");
	assert_int_equal(rtnl_underlay_mtu(f->rtnl, f->link.index, &mtu, &e), 0);
	assert_int_equal(mtu, 1400);
	NETNS_IP("-6", "route", "add", "default", "dev", "up1");
	assert_int_equal(rtnl_underlay_mtu(f->rtnl, f->link.index, &mtu, &e), 0);
	assert_int_equal(mtu, 1300);
	NETNS_IP("-6", "route", "del", "default", "dev", "up1");
	NETNS_IP("route", "replace", "default", "nexthop", "dev", "up0", "nexthop", "dev", "up1");
	assert_int_equal(rtnl_underlay_mtu(f->rtnl, f->link.index, &mtu, &e), 0);
	assert_int_equal(mtu, 1300);
	assert_int_equal(rtnl_link_delete(f->rtnl, "up0", &e), 0);
	assert_int_equal(rtnl_link_delete(f->rtnl, "up1", &e), 0);
}

#define with_bridge(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static uint64_t routes_sent(void)
{
	struct nlcount c;

	nlcount_read(&c);
	return c.n[NLCOUNT_ROUTE];
}

static void many_routes_come_and_go_at_once_and_a_bad_one_stops_no_other(void **state)
{
	struct rtnl_change list[RTNL_CHANGES_MAX] = { 0 };
	struct fixture *f = *state;
	struct list found = { 0 };
	uint64_t before;

	for (size_t i = 0; i < RTNL_CHANGES_MAX; i++) {
		list[i].dst = prefix(i % 2 == 0 ? "10.99.0.0/24" : "fd99::/64");
		list[i].dst.ip.b[i % 2 == 0 ? 2 : 7] = (uint8_t)i;
		list[i].add = true;
	}
	/* No network: the kernel refuses host bits. */
	list[4].dst.ip.b[3] = 1;
	before = routes_sent();
	rtnl_routes_change(f->rtnl, f->link.index, list, RTNL_CHANGES_MAX);
	assert_int_equal(routes_sent() - before, RTNL_CHANGES_MAX);
	for (size_t i = 0; i < RTNL_CHANGES_MAX; i++)
		assert_int_equal(list[i].error.code, i == 4 ? -EINVAL : 0);
	assert_int_equal(rtnl_route_list(f->rtnl, f->link.index, collect, &found, NULL), 0);
	assert_int_equal(found.n, RTNL_CHANGES_MAX - 1);
	/* What is there already is not sent again; what is not there can go. */
	before = routes_sent();
	rtnl_routes_change(f->rtnl, f->link.index, list, RTNL_CHANGES_MAX);
	assert_int_equal(routes_sent() - before, 1);
	for (size_t i = 0; i < RTNL_CHANGES_MAX; i++)
		list[i].add = false;
	list[4].dst.ip.b[3] = 0;
	rtnl_routes_change(f->rtnl, f->link.index, list, RTNL_CHANGES_MAX);
	for (size_t i = 0; i < RTNL_CHANGES_MAX; i++)
		assert_int_equal(list[i].error.code, 0);
	found = (struct list) { 0 };
	assert_int_equal(rtnl_route_list(f->rtnl, f->link.index, collect, &found, NULL), 0);
	assert_int_equal(found.n, 0);
	/* What was found the last time holds no longer. */
	for (size_t i = 0; i < RTNL_CHANGES_MAX; i++)
		list[i].add = true;
	rtnl_routes_change(f->rtnl, f->link.index, list, RTNL_CHANGES_MAX);
	found = (struct list) { 0 };
	assert_int_equal(rtnl_route_list(f->rtnl, f->link.index, collect, &found, NULL), 0);
	assert_int_equal(found.n, RTNL_CHANGES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_bridge(a_link_is_made_found_changed_and_deleted),
		with_bridge(addresses_are_added_once_and_removed_once),
		with_bridge(addresses_of_other_interfaces_are_not_listed),
		with_bridge(ipv6_that_is_disabled_is_told),
		with_bridge(routes_are_ours_by_protocol_number),
		with_bridge(foreign_routes_stay_whatever_their_metric),
		with_bridge(many_routes_come_and_go_at_once_and_a_bad_one_stops_no_other),
		with_bridge(a_callback_may_use_the_handle),
		with_bridge(a_callback_stops_the_listing),
		with_bridge(the_underlay_is_what_carries_the_default_route),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

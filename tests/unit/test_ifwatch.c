/* SPDX-License-Identifier: MIT */
#include "daemon/net/ifwatch.h"
#include "daemon/net/rtnl.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"
#include "tests/unit/netns.h"

#define LINK "br0"

/**
 * struct fixture - A bridge that is watched
 * @seen:	What was told last
 * @n_told:	How often something was told
 * @n_raised:	How often it came up again
 * @n_elsewhere: How often something may have changed elsewhere
 * @n_routes:	How often that was a default route
 */
struct fixture {
	struct event_base *base;
	struct rtnl *rtnl;
	struct rtnl_link link;
	struct ifwatch *watch;
	struct ifstate seen;
	int n_told;
	int n_raised;
	int n_elsewhere;
	int n_routes;
};

static void changed(void *arg, const struct ifstate *s)
{
	struct fixture *f = arg;

	f->seen = *s;
	f->n_told++;
}

static void raised(void *arg)
{
	((struct fixture *)arg)->n_raised++;
}

static void elsewhere(void *arg, bool is_route)
{
	struct fixture *f = arg;

	f->n_elsewhere++;
	f->n_routes += is_route ? 1 : 0;
}

static int make_fixture(void **state)
{
	static struct fixture f;
	const struct ifwatch_handler h = { &f, changed, raised, elsewhere };

	f = (struct fixture) { .base = event_base_new() };
	assert_int_equal(rtnl_open(&f.rtnl, NULL), 0);
	assert_int_equal(rtnl_link_create(f.rtnl, LINK, "bridge", NULL), 0);
	assert_int_equal(rtnl_link_get(f.rtnl, LINK, &f.link, NULL), 0);
	assert_int_equal(ifwatch_open(&f.watch, f.base, f.link.index, &h, NULL), 0);
	*state = &f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	ifwatch_close(f->watch);
	assert_int_equal(rtnl_link_delete(f->rtnl, LINK, NULL), 0);
	rtnl_close(f->rtnl);
	event_base_free(f->base);
	return 0;
}

static bool is_known(void *arg)
{
	return ((struct fixture *)arg)->seen.is_known;
}

static bool is_up(void *arg)
{
	return ((struct fixture *)arg)->seen.is_up;
}

static bool is_gone(void *arg)
{
	struct fixture *f = arg;

	return f->seen.is_known && !f->seen.exists;
}

static bool has_one_address(void *arg)
{
	return ((struct fixture *)arg)->seen.n == 1;
}

/* And perhaps a link-local one, which the kernel adds. */
static bool has_ours(void *arg)
{
	struct ip ours = ip_of("10.77.0.1");

	return ifstate_has(&((struct fixture *)arg)->seen, &ours);
}

static bool has_no_address(void *arg)
{
	return ((struct fixture *)arg)->seen.n == 0;
}

static void it_is_found_as_it_is(void **state)
{
	struct fixture *f = *state;

	assert_true(loop_until(f->base, is_known, f));
	assert_true(f->seen.exists);
	assert_false(f->seen.is_up);
	assert_int_equal(f->seen.n, 0);
	assert_int_equal(f->seen.ifindex, f->link.index);
	assert_ptr_equal(ifwatch_state(NULL), NULL);
}

static void changes_are_told_as_they_happen(void **state)
{
	struct prefix p = prefix_of("10.77.0.1/16");
	struct fixture *f = *state;

	assert_true(loop_until(f->base, is_known, f));
	assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &p, NULL), 0);
	assert_true(loop_until(f->base, has_one_address, f));
	assert_int_equal(rtnl_link_set_up(f->rtnl, f->link.index, true, NULL), 0);
	assert_true(loop_until(f->base, is_up, f));
	assert_int_equal(rtnl_addr_del(f->rtnl, f->link.index, &p, NULL), 0);
	assert_true(ifstate_has(&f->seen, &p.ip));
	assert_true(loop_until(f->base, is_known, f));
	assert_int_equal(rtnl_link_delete(f->rtnl, LINK, NULL), 0);
	assert_true(loop_until(f->base, is_gone, f));
	assert_true(has_no_address(f));
}

static bool was_raised(void *arg)
{
	return ((struct fixture *)arg)->n_raised > 0;
}

/* Both notifications wait already when the first is read, and what is known is the same as before. */
static void one_that_was_down_for_a_moment_is_told_of(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rtnl_link_set_up(f->rtnl, f->link.index, true, NULL), 0);
	assert_true(loop_until(f->base, is_up, f));
	loop_drain(f->base);
	f->n_raised = 0;
	assert_int_equal(rtnl_link_set_up(f->rtnl, f->link.index, false, NULL), 0);
	assert_int_equal(rtnl_link_set_up(f->rtnl, f->link.index, true, NULL), 0);
	assert_true(loop_until(f->base, was_raised, f));
	assert_int_equal(f->n_raised, 1);
	assert_true(f->seen.is_up);
}

static void an_idle_interface_wakes_nobody(void **state)
{
	struct fixture *f = *state;
	int before;

	assert_true(loop_until(f->base, is_known, f));
	loop_drain(f->base);
	before = f->n_told;
	loop_drain(f->base);
	assert_int_equal(f->n_told, before);
}

/* More notifications than the socket has room for: some are lost, and the truth is asked for. */
static void after_lost_notifications_the_truth_is_asked_for(void **state)
{
	struct prefix p = prefix_of("10.77.0.1/16");
	struct fixture *f = *state;

	assert_true(loop_until(f->base, is_known, f));
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &p, NULL), 0);
		assert_int_equal(rtnl_addr_del(f->rtnl, f->link.index, &p, NULL), 0);
	}
	assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &p, NULL), 0);
	assert_int_equal(rtnl_link_set_up(f->rtnl, f->link.index, true, NULL), 0);
	assert_true(loop_until(f->base, is_up, f));
	assert_true(loop_until(f->base, has_ours, f));
}

static bool was_elsewhere(void *arg)
{
	return ((struct fixture *)arg)->n_elsewhere > 0;
}

/* A mark behind everything else: when it has come, all that was before it has. */
static bool has_mark(void *arg)
{
	struct ip mark = ip_of("10.99.0.1");

	return ifstate_has(&((struct fixture *)arg)->seen, &mark);
}

static void wait_for_all(struct fixture *f)
{
	struct prefix mark = prefix_of("10.99.0.1/32");

	assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &mark, NULL), 0);
	assert_true(loop_until(f->base, has_mark, f));
	assert_int_equal(rtnl_addr_del(f->rtnl, f->link.index, &mark, NULL), 0);
}

static void addresses_of_other_interfaces_are_told_of(void **state)
{
	struct prefix p = prefix_of("10.88.0.1/16");
	struct fixture *f = *state;
	struct rtnl_link other;

	assert_true(loop_until(f->base, is_known, f));
	assert_int_equal(rtnl_link_create(f->rtnl, "br1", "bridge", NULL), 0);
	assert_int_equal(rtnl_link_get(f->rtnl, "br1", &other, NULL), 0);
	assert_true(loop_until(f->base, was_elsewhere, f));
	wait_for_all(f);
	f->n_elsewhere = 0;
	assert_int_equal(rtnl_addr_add(f->rtnl, other.index, &p, NULL), 0);
	assert_true(loop_until(f->base, was_elsewhere, f));
	assert_int_equal(f->seen.n, 0);
	assert_int_equal(rtnl_link_delete(f->rtnl, "br1", NULL), 0);
}

static void of_routes_only_default_ones_are_told_of(void **state)
{
	struct prefix ours = prefix_of("10.77.0.1/16");
	struct prefix some = prefix_of("192.168.0.0/16");
	struct prefix all = prefix_of("0.0.0.0/0");
	struct fixture *f = *state;

	assert_int_equal(rtnl_addr_add(f->rtnl, f->link.index, &ours, NULL), 0);
	assert_int_equal(rtnl_link_set_up(f->rtnl, f->link.index, true, NULL), 0);
	assert_true(loop_until(f->base, is_up, f));
	wait_for_all(f);
	f->n_elsewhere = 0;
	assert_int_equal(rtnl_route_add(f->rtnl, f->link.index, &some, NULL), 0);
	wait_for_all(f);
	assert_int_equal(f->n_elsewhere, 0);
	assert_int_equal(rtnl_route_add(f->rtnl, f->link.index, &all, NULL), 0);
	assert_true(loop_until(f->base, was_elsewhere, f));
	assert_int_equal(f->n_routes, 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_found_as_it_is),
		T(changes_are_told_as_they_happen),
		T(one_that_was_down_for_a_moment_is_told_of),
		T(an_idle_interface_wakes_nobody),
		T(addresses_of_other_interfaces_are_told_of),
		T(of_routes_only_default_ones_are_told_of),
		T(after_lost_notifications_the_truth_is_asked_for),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

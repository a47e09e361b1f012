/* SPDX-License-Identifier: MIT */
#include "tests/unit/nodefixture.h"

#include <errno.h>

#define LOWER 5

static void a_route_that_is_given_up_goes(void **state)
{
	struct fixture *f = *state;

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	drop_requests(f);
	announced(f, BOB, BOB_AT, NULL, DISCOVERY_HELLO);
	assert_int_equal(change_of(f, BOB).flags, WG_PEER_REPLACE_ALLOWED);
	assert_route_request(f, NETADMIN_ROUTE_DEL, SITE);
	assert_nothing_written(f);
}

/* --- two gateways ----------------------------------------------------------------------------- */

/* WireGuard gives a network to one peer only: whoever was written last. */
static void a_network_that_two_peers_announce_stays_with_the_first(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state bob = report_of(BOB, SITE);
	struct wg_peer_state carol = report_of(CAROL, NULL);

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	assert_int_equal(change_of(f, BOB).n_allowed, 2);
	assert_route_request(f, NETADMIN_ROUTE_ADD, SITE);
	announced(f, CAROL, CAROL_AT, SITE, DISCOVERY_REPLY);
	assert_int_equal(change_of(f, CAROL).n_allowed, 1);
	for (int i = 0; i < 3; i++) {
		begin_dump(f);
		node_peers_observed(&f->node, &bob);
		node_peers_observed(&f->node, &carol);
		node_peers_dumped(&f->node);
		assert_nothing_written(f);
	}
}

static void when_the_first_gateway_goes_the_second_takes_over_without_a_gap(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_config change;

	settle(f);
	/* The second one has the lower slot once the first has left and come back. */
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	announced(f, CAROL, CAROL_AT, SITE, DISCOVERY_REPLY);
	drop_requests(f);
	for (int i = 0; i < 2; i++) {
		unsigned int first = i == 0 ? BOB : CAROL;
		unsigned int second = i == 0 ? CAROL : BOB;

		goodbye(f, first, i == 0 ? BOB_AT : CAROL_AT, 0);
		assert_int_equal(change_of(f, first).flags, WG_PEER_REMOVE);
		change = change_of(f, second);
		assert_int_equal(change.flags, WG_PEER_REPLACE_ALLOWED);
		assert_int_equal(change.n_allowed, 2);
		/* The kernel's route points at the interface and need not change. */
		assert_nothing_written(f);
		announced(f, first, i == 0 ? BOB_AT : CAROL_AT, SITE, DISCOVERY_HELLO);
		assert_int_equal(change_of(f, first).n_allowed, 1);
		assert_nothing_written(f);
	}
}

/* --- what may not be routed ------------------------------------------------------------------- */

static void a_peer_that_roams_into_its_own_network_loses_that_route(void **state)
{
	struct fixture *f = *state;
	struct wg_peer_state report = report_of(BOB, SITE);

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	drop_requests(f);
	report.endpoint = endpoint_of("192.168.10.9:51820");
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	assert_int_equal(change_of(f, BOB).n_allowed, 1);
	assert_route_request(f, NETADMIN_ROUTE_DEL, SITE);
	assert_nothing_written(f);
	assert_int_equal(peer_at(f, BOB)->route_verdict[0], ROUTE_OWN_PATH);
	/* And has it again where it may. */
	report = report_of(BOB, NULL);
	begin_dump(f);
	node_peers_observed(&f->node, &report);
	node_peers_dumped(&f->node);
	assert_int_equal(change_of(f, BOB).n_allowed, 2);
	assert_route_request(f, NETADMIN_ROUTE_ADD, SITE);
}

static void a_route_that_failed_is_told_of_and_tried_again(void **state)
{
	const struct timeval soon = { .tv_usec = 1000 };
	const struct err why = { .code = -EEXIST, .msg = "route to it" };
	const struct err none = { .code = 0 };
	struct prefix net = prefix_of(SITE);
	struct fixture *f = *state;

	settle(f);
	announced(f, BOB, BOB_AT, SITE, DISCOVERY_REPLY);
	drop_requests(f);
	node_routes_added(&f->node, &net, &why);
	assert_int_equal(peer_at(f, BOB)->route_verdict[0], ROUTE_FAILED);
	/* What WireGuard has stays as it is: packets from there are good. */
	assert_nothing_written(f);
	assert_true(evtimer_pending(f->node.route_timer, NULL));
	(void)event_add(f->node.route_timer, &soon);
	(void)event_base_loop(f->node.base, EVLOOP_ONCE);
	assert_route_request(f, NETADMIN_ROUTE_ADD, SITE);
	node_routes_added(&f->node, &net, &none);
	assert_int_equal(peer_at(f, BOB)->route_verdict[0], ROUTE_ACCEPTED);
	assert_int_equal(f->node.missing.n, 0);
}

/* --- somebody has our address ----------------------------------------------------------------- */

static void claimed(struct fixture *f, unsigned int n, const char *from)
{
	struct announcement a = { .self = peer_of(n) };
	struct discovery_origin o = { .from = endpoint_of(from), .source = DISCOVERY_HELLO };

	a.self.mesh_ip = f->node.ready.mesh_ip;
	node_peers_announced(&f->node, &a, &o);
}

static void who_has_our_address_and_the_lower_key_makes_us_ask_for_another(void **state)
{
	struct fixture *f = *state;
	struct fakeadmin_request req = { .op = 0 };

	settle(f);
	claimed(f, BOB, BOB_AT);
	while (fakeadmin_next(&f->admin, &req))
		assert_int_not_equal(req.op, NETADMIN_ADDRESS);
	claimed(f, LOWER, BOB_AT);
	while (fakeadmin_next(&f->admin, &req) && req.op != NETADMIN_ADDRESS)
		continue;
	assert_int_equal(req.op, NETADMIN_ADDRESS);
	assert_int_equal(req.req.nonce, 1);
	drop_requests(f);
	/* One at a time. */
	claimed(f, LOWER, BOB_AT);
	assert_nothing_written(f);
	/* Until it is on disk and on the interface, we are who we were. */
	assert_true(peer_at(f, LOWER)->lost_ip);
}

static void an_address_that_somebody_is_known_to_have_is_not_taken(void **state)
{
	struct fixture *f = *state;
	const struct config *c = &f->config;
	struct announcement a = { .self = peer_of(CAROL) };
	struct discovery_origin o = { .from = endpoint_of(CAROL_AT), .source = DISCOVERY_HELLO };
	struct fakeadmin_request req = { .op = 0 };

	settle(f);
	a.self.mesh_ip = derive_mesh_ip(&c->secret, &c->keys, NULL, f->node.self.key_text, 1);
	node_peers_announced(&f->node, &a, &o);
	drop_requests(f);
	claimed(f, LOWER, BOB_AT);
	while (fakeadmin_next(&f->admin, &req) && req.op != NETADMIN_ADDRESS)
		continue;
	assert_int_equal(req.req.nonce, 2);
}

static void a_move_that_failed_changes_nothing(void **state)
{
	const struct err why = { .code = -ENOSPC, .msg = "write it" };
	struct fixture *f = *state;
	struct ip before = f->node.ready.mesh_ip;

	settle(f);
	claimed(f, LOWER, BOB_AT);
	node_collision_moved(&f->node, &before, &why);
	assert_true(ip_equal(&f->node.ready.mesh_ip, &before));
	assert_int_equal(f->node.collision.moves, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, nodefixture_make, nodefixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_route_that_is_given_up_goes),
		T(a_network_that_two_peers_announce_stays_with_the_first),
		T(when_the_first_gateway_goes_the_second_takes_over_without_a_gap),
		T(a_peer_that_roams_into_its_own_network_loses_that_route),
		T(a_route_that_failed_is_told_of_and_tried_again),
		T(who_has_our_address_and_the_lower_key_makes_us_ask_for_another),
		T(an_address_that_somebody_is_known_to_have_is_not_taken),
		T(a_move_that_failed_changes_nothing),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

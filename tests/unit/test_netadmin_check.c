/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/admin/netadmin_check.h"

#include <errno.h>
#include <string.h>

static struct wg_peer_config peer_with(const char *allowed)
{
	struct wg_peer_config peer = { .n_allowed = 1 };

	assert_int_equal(prefix_parse(&peer.allowed[0], allowed), 0);
	return peer;
}

/* The verdict on a batch of a sound change and another one. */
static int judge(const struct wg_peer_config *peer, struct err *e)
{
	static struct netadmin_batch b;
	struct wg_peer_config sound = peer_with("10.36.1.1/32");

	netadmin_batch_begin(&b, NETADMIN_PEERS);
	assert_true(netadmin_batch_put_change(&b, &sound));
	assert_true(netadmin_batch_put_change(&b, peer));
	return netadmin_check_peers(&b, e);
}

static void what_a_node_asks_for_passes(void **state)
{
	struct wg_peer_config peer = peer_with("10.36.1.2/32");
	struct netadmin_request req;

	(void)state;
	assert_int_equal(judge(&peer, NULL), 0);
	peer = peer_with("fd92:a58a:39ca:82::1/128");
	peer.flags = WG_PEER_HAS_ENDPOINT;
	assert_int_equal(endpoint_parse(&peer.endpoint, "192.0.2.1:51820"), 0);
	assert_int_equal(judge(&peer, NULL), 0);
	req = (struct netadmin_request) { .op = NETADMIN_ROUTE_ADD };
	assert_int_equal(prefix_parse(&req.route, "192.168.7.0/24"), 0);
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req = (struct netadmin_request) { .op = NETADMIN_STOP };
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req = (struct netadmin_request) { .op = NETADMIN_ECHO };
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req = (struct netadmin_request) { .op = NETADMIN_ADDRESSES };
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req = (struct netadmin_request) { .op = NETADMIN_SAVE_NODES };
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req = (struct netadmin_request) { .op = NETADMIN_RELOAD };
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req = (struct netadmin_request) { .op = NETADMIN_LOG, .levels = "info,net=debug" };
	assert_int_equal(netadmin_check(&req, NULL), 0);
}

static void levels_without_an_end_or_that_are_no_text_are_refused(void **state)
{
	struct netadmin_request req = { .op = NETADMIN_LOG };
	struct err e = { 0 };

	(void)state;
	memset(req.levels, 'x', sizeof(req.levels));
	assert_int_equal(netadmin_check(&req, &e), -EPROTO);
	assert_non_null(strstr(e.msg, "end"));
	req.levels[LOG_LEVELS_SIZE - 1] = '\0';
	assert_int_equal(netadmin_check(&req, &e), 0);
	req.levels[7] = '\n';
	assert_int_equal(netadmin_check(&req, &e), -EPROTO);
	req.levels[7] = (char)0xc3;
	assert_int_equal(netadmin_check(&req, &e), -EPROTO);
}

static void nobody_gets_a_default_route(void **state)
{
	static const char *const all[] = { "0.0.0.0/0", "::/0" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wg_peer_config peer = peer_with(all[i]);
		struct netadmin_request req;

		assert_int_equal(judge(&peer, NULL), -EPROTO);
		req = (struct netadmin_request) { .op = NETADMIN_ROUTE_ADD };
		assert_int_equal(prefix_parse(&req.route, all[i]), 0);
		assert_int_equal(netadmin_check(&req, NULL), -EPROTO);
	}
}

static int judge_route(const char *text, const struct routelist *allowed)
{
	struct prefix net;
	struct err e = { 0 };
	int r;

	assert_int_equal(prefix_parse(&net, text), 0);
	r = netadmin_check_route(&net, allowed, &e);
	assert_int_equal(r, e.code);
	return r;
}

static void nobody_gets_a_default_route_in_pieces_unless_the_operator_says_so(void **state)
{
	static const char *const pieces[] = { "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/7",
					      "2000::/3",  "8000::/1",	  "2000::/7" };
	struct routelist allowed = { .n = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		assert_int_equal(judge_route(pieces[i], NULL), -EPERM);
	assert_int_equal(judge_route("10.0.0.0/8", NULL), 0);
	assert_int_equal(prefix_parse(&allowed.net[0], "64.0.0.0/6"), 0);
	assert_int_equal(judge_route("64.0.0.0/7", &allowed), 0);
	assert_int_equal(judge_route("128.0.0.0/1", &allowed), -EPERM);
}

static void nobody_gets_addresses_that_every_machine_has(void **state)
{
	static const char *const all[] = { "127.0.0.53/32", "169.254.169.254/32", "224.0.0.0/24",
					   "fe80::/64" };
	struct routelist allowed = { .n = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(prefix_parse(&allowed.net[0], all[i]), 0);
		assert_int_equal(judge_route(all[i], &allowed), -EPERM);
	}
}

/* The mesh process may choose among the addresses that follow from our key, and no others. */
static void only_a_few_mesh_addresses_may_be_asked_for(void **state)
{
	struct netadmin_request req = { .op = NETADMIN_ADDRESS, .nonce = 1 };

	(void)state;
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req.nonce = COLLISION_NONCE_MAX;
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req.nonce = COLLISION_NONCE_MAX + 1;
	assert_int_equal(netadmin_check(&req, NULL), -EPROTO);
	req.nonce = 0;
	assert_int_equal(netadmin_check(&req, NULL), -EPROTO);
}

static void an_mtu_that_no_tunnel_has_is_refused(void **state)
{
	struct netadmin_request req = { .op = NETADMIN_MTU, .mtu = 1280 };

	(void)state;
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req.mtu = 65455;
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req.mtu = 1279;
	assert_int_equal(netadmin_check(&req, NULL), -EPROTO);
	req.mtu = 65456;
	assert_int_equal(netadmin_check(&req, NULL), -EPROTO);
}

static void forwarding_for_networks_that_are_none_is_refused(void **state)
{
	struct netadmin_request req = { .op = NETADMIN_FORWARD };

	(void)state;
	req.forward.n = 1;
	assert_int_equal(prefix_parse(&req.forward.net[0], "192.168.7.0/24"), 0);
	assert_int_equal(netadmin_check(&req, NULL), 0);
	req.forward.net[0].bits = 33;
	assert_int_equal(netadmin_check(&req, NULL), -EPROTO);
	req.forward.net[0].bits = 0;
	assert_int_equal(netadmin_check(&req, NULL), -EPROTO);
	req.forward.net[0].bits = 24;
	req.forward.n = FORWARD_NETS_MAX + 1;
	assert_int_equal(netadmin_check(&req, NULL), -EPROTO);
}

static void malformed_requests_are_refused(void **state)
{
	struct wg_peer_config peer = peer_with("10.0.0.1/32");
	struct netadmin_request req = { .op = 99 };
	struct err e = { 0 };

	(void)state;
	peer.allowed[0].bits = 33;
	assert_int_equal(judge(&peer, &e), -EPROTO);
	peer.allowed[0] = (struct prefix) { .ip = { .family = 0 }, .bits = 0 };
	assert_int_equal(judge(&peer, &e), -EPROTO);
	assert_non_null(strstr(e.msg, "allowed prefix"));
	peer = peer_with("10.0.0.1/32");
	peer.flags = WG_PEER_HAS_ENDPOINT;
	assert_int_equal(judge(&peer, &e), -EPROTO);
	assert_non_null(strstr(e.msg, "endpoint"));
	assert_int_equal(netadmin_check(&req, &e), -EPROTO);
	assert_string_equal(e.msg, "request 99 is not in the table");
	/* Changes come as a batch, or not at all. */
	req.op = NETADMIN_PEERS;
	assert_int_equal(netadmin_check(&req, &e), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_node_asks_for_passes),
		cmocka_unit_test(nobody_gets_a_default_route),
		cmocka_unit_test(nobody_gets_a_default_route_in_pieces_unless_the_operator_says_so),
		cmocka_unit_test(nobody_gets_addresses_that_every_machine_has),
		cmocka_unit_test(only_a_few_mesh_addresses_may_be_asked_for),
		cmocka_unit_test(an_mtu_that_no_tunnel_has_is_refused),
		cmocka_unit_test(forwarding_for_networks_that_are_none_is_refused),
		cmocka_unit_test(malformed_requests_are_refused),
		cmocka_unit_test(levels_without_an_end_or_that_are_no_text_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/view/viewjson.h"
#include "tests/unit/fixtures.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
	struct view view;
	struct view_counters counters;
};

static int make_view(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct wg_key self = key_of(1);

	assert_non_null(f);
	f->view = (struct view) {
		.phase = VIEW_RUNNING,
		.now = at(60000),
		.started_unix_s = UNIX_START,
		.uptime_ms = 60000,
		.hostname = "node-1",
		.ifname = "wg0",
		.pubkey = "a key",
		.mesh_ip = ip_of("10.77.0.1"),
		.mesh_subnet = prefix_of("10.77.0.0/16"),
		.network_id = "0123456789abcdef",
		.gossip_port = 52000,
		.listen_port = 51820,
		.backend = "kernel",
		.identity = "loaded",
		.identity_since_s = UNIX_START - 86400,
		.nat = NAT_CONE,
		.peers = peers_new(&self),
		.counters = &f->counters,
	};
	assert_non_null(f->view.peers);
	*state = f;
	return 0;
}

static int free_view(void **state)
{
	struct fixture *f = *state;

	peers_free(f->view.peers);
	free(f);
	return 0;
}

static const char *text_of(const json_t *obj, const char *name)
{
	const char *text = json_string_value(json_object_get(obj, name));

	if (!text)
		fail_msg("there is no text %s", name);
	return text;
}

static long long int_of(const json_t *obj, const char *name)
{
	const json_t *value = json_object_get(obj, name);

	if (!json_is_integer(value))
		fail_msg("there is no number %s", name);
	return json_integer_value(value);
}

static bool is_true(const json_t *obj, const char *name)
{
	const json_t *value = json_object_get(obj, name);

	if (!json_is_boolean(value))
		fail_msg("there is no truth value %s", name);
	return json_is_true(value);
}

static void the_node_is_told_with_all_its_members(void **state)
{
	struct fixture *f = *state;
	json_t *obj;

	f->view.endpoints[0] = endpoint_of("203.0.113.1:52000");
	f->view.n_endpoints = 1;
	f->view.is_fresh = true;
	obj = viewjson_status(&f->view);
	assert_string_equal(text_of(obj, "mesh_ip"), "10.77.0.1");
	assert_string_equal(text_of(obj, "pubkey"), "a key");
	assert_int_equal(int_of(obj, "uptime"), 60000000000);
	assert_string_equal(text_of(obj, "interface"), "wg0");
	assert_string_equal(text_of(obj, "version"), WGMESH_VERSION);
	assert_string_equal(text_of(obj, "backend"), "kernel");
	assert_string_equal(text_of(obj, "identity"), "loaded");
	assert_string_equal(text_of(obj, "identity_since"), "2025-12-31T00:00:00Z");
	assert_string_equal(text_of(obj, "phase"), "running");
	assert_true(is_true(obj, "ready"));
	assert_true(is_true(obj, "fresh"));
	assert_string_equal(text_of(obj, "started"), "2026-01-01T00:00:00Z");
	assert_string_equal(text_of(obj, "hostname"), "node-1");
	assert_string_equal(text_of(obj, "network_id"), "0123456789abcdef");
	assert_string_equal(text_of(obj, "mesh_subnet"), "10.77.0.0/16");
	assert_int_equal(int_of(obj, "gossip_port"), 52000);
	assert_int_equal(int_of(obj, "listen_port"), 51820);
	assert_false(is_true(obj, "was_adopted"));
	assert_string_equal(text_of(obj, "nat_type"), "cone");
	assert_string_equal(json_string_value(json_array_get(json_object_get(obj, "endpoints"), 0)),
			    "203.0.113.1:52000");
	assert_true(json_is_null(json_object_get(obj, "supervisor")));
	json_decref(obj);
}

static void what_a_starting_node_does_not_know_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct peers *peers = f->view.peers;
	json_t *obj;

	f->view = (struct view) { .phase = VIEW_STARTING,
				  .now = at(0),
				  .hostname = "",
				  .ifname = "wg0",
				  .backend = "",
				  .identity = "" };
	obj = viewjson_status(&f->view);
	assert_string_equal(text_of(obj, "phase"), "starting");
	assert_false(is_true(obj, "ready"));
	assert_false(is_true(obj, "fresh"));
	assert_null(json_object_get(obj, "mesh_ip"));
	assert_null(json_object_get(obj, "pubkey"));
	assert_null(json_object_get(obj, "identity"));
	assert_null(json_object_get(obj, "identity_since"));
	assert_int_equal(int_of(json_object_get(obj, "peers"), "total"), 0);
	json_decref(obj);
	f->view.peers = peers;
}

static void ways_to_find_peers_are_listed_and_never_more_than_fit(void **state)
{
	struct fixture *f = *state;
	json_t *obj;
	json_t *entry;

	view_add_layer(&f->view, "static", true, "%d addresses", 2);
	for (int i = 0; i < 2 * VIEW_LAYERS_MAX; i++)
		view_add_layer(&f->view, "dns", false, "no --peer-dns is set");
	obj = viewjson_status(&f->view);
	assert_int_equal(json_array_size(json_object_get(obj, "layers")), VIEW_LAYERS_MAX);
	entry = json_array_get(json_object_get(obj, "layers"), 0);
	assert_string_equal(json_string_value(json_object_get(entry, "name")), "static");
	assert_true(json_is_true(json_object_get(entry, "on")));
	assert_string_equal(json_string_value(json_object_get(entry, "text")), "2 addresses");
	entry = json_array_get(json_object_get(obj, "layers"), 1);
	assert_true(json_is_false(json_object_get(entry, "on")));
	json_decref(obj);
}

static void checks_and_alarms_are_listed(void **state)
{
	struct fixture *f = *state;
	json_t *obj;
	json_t *entry;

	f->view.checks[0] = (struct view_check) { "interface", VIEW_FAIL, "wg0 is down" };
	f->view.checks[1] = (struct view_check) { "state", VIEW_WARN, "" };
	f->view.n_checks = 2;
	f->view.alarms[0] = (struct view_alarm) { "clock", UNIX_START, "70 s behind" };
	f->view.n_alarms = 1;
	obj = viewjson_status(&f->view);
	assert_false(is_true(obj, "ready"));
	assert_int_equal(json_array_size(json_object_get(obj, "checks")), 2);
	entry = json_array_get(json_object_get(obj, "checks"), 0);
	assert_string_equal(text_of(entry, "name"), "interface");
	assert_string_equal(text_of(entry, "mark"), "fail");
	assert_string_equal(text_of(entry, "text"), "wg0 is down");
	entry = json_array_get(json_object_get(obj, "checks"), 1);
	assert_string_equal(text_of(entry, "mark"), "warn");
	assert_string_equal(text_of(entry, "text"), "");
	entry = json_array_get(json_object_get(obj, "alarms"), 0);
	assert_string_equal(text_of(entry, "name"), "clock");
	assert_string_equal(text_of(entry, "since"), "2026-01-01T00:00:00Z");
	assert_string_equal(text_of(entry, "text"), "70 s behind");
	json_decref(obj);
}

static void the_lines_of_pid_1_become_members_without_its_phases(void **state)
{
	struct fixture *f = *state;
	json_t *obj;
	json_t *pid1;

	f->view.supervisor = "healthy=true\nboots=3\nvolume_id=12\ndaemon_status=7\n"
			     "state_dir=/srv/\xff\nphase.volume=ok 0.100 fine\nproof=none\n";
	obj = viewjson_status(&f->view);
	pid1 = json_object_get(obj, "supervisor");
	assert_true(is_true(pid1, "healthy"));
	assert_int_equal(int_of(pid1, "boots"), 3);
	assert_string_equal(text_of(pid1, "volume_id"), "12");
	assert_string_equal(text_of(pid1, "daemon_status"), "7");
	assert_string_equal(text_of(pid1, "state_dir"), "/srv/?");
	assert_string_equal(text_of(pid1, "proof"), "none");
	assert_null(json_object_get(pid1, "phase.volume"));
	json_decref(obj);
}

static void counters_have_the_names_of_their_methods_and_fates(void **state)
{
	struct fixture *f = *state;
	json_t *obj;
	json_t *counters;
	json_t *part;

	f->counters.datagrams[FATE_STALE] = 4;
	f->counters.sightings[0] = 1; /* METHOD_CACHE */
	f->counters.sightings[1] = 2; /* METHOD_LAN */
	f->counters.sightings[2] = 3; /* METHOD_EXCHANGE */
	f->counters.sightings[3] = 5; /* METHOD_TRANSITIVE */
	f->counters.passes_noop = 6;
	f->counters.messages.n[NLCOUNT_PEER] = 7;
	obj = viewjson_status(&f->view);
	counters = json_object_get(obj, "counters");
	part = json_object_get(counters, "datagrams");
	assert_int_equal(json_object_size(part), FATE_COUNT);
	assert_int_equal(int_of(part, "stale"), 4);
	part = json_object_get(counters, "sightings");
	assert_int_equal(int_of(part, "cache"), 1);
	assert_int_equal(int_of(part, "lan"), 2);
	assert_int_equal(int_of(part, "dht"), 3);
	assert_int_equal(int_of(part, "dht-transitive"), 5);
	assert_int_equal(int_of(counters, "passes_noop"), 6);
	part = json_object_get(counters, "netlink_messages");
	assert_int_equal(int_of(part, "peer"), 7);
	assert_int_equal(int_of(part, "dump"), 0);
	assert_int_equal(int_of(counters, "clients_evicted"), 0);
	json_decref(obj);
}

static void peers_are_counted_by_how_they_are_reached(void **state)
{
	struct fixture *f = *state;
	struct peer *direct = see(f->view.peers, 2, METHOD_LAN, "192.0.2.2:51820", 59000);
	json_t *obj;
	json_t *peers;

	(void)see(f->view.peers, 3, METHOD_LAN, "192.0.2.3:51820", 59000);
	see(f->view.peers, 4, METHOD_LAN, "192.0.2.4:51820", 59000)->said_goodbye = true;
	direct->handshake_s = UNIX_START + 50;
	obj = viewjson_status(&f->view);
	peers = json_object_get(obj, "peers");
	assert_int_equal(int_of(peers, "active"), 2);
	assert_int_equal(int_of(peers, "total"), 3);
	assert_int_equal(int_of(peers, "dead"), 1);
	assert_int_equal(int_of(peers, "direct"), 1);
	assert_int_equal(int_of(peers, "relayed"), 0);
	json_decref(obj);
}

static void a_peer_with_a_tunnel_is_told_with_its_figures(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->view.peers, 2, METHOD_LAN, "192.0.2.2:51820", 0);
	json_t *obj;

	p->handshake_s = UNIX_START + 50;
	p->rx_bytes = 1000;
	p->tx_bytes = 2000;
	p->rx_rate = 10;
	p->tx_rate = 20;
	p->rtt_us = 2500;
	p->skew_s = -3;
	p->tunnel = endpoint_of("198.51.100.2:4000");
	p->applied.present = true;
	obj = viewjson_peer(&f->view, p);
	assert_string_equal(text_of(obj, "last_handshake"), "2026-01-01T00:00:50Z");
	assert_int_equal(int_of(obj, "handshake_age_s"), 10);
	assert_int_equal(int_of(obj, "rx_bytes"), 1000);
	assert_int_equal(int_of(obj, "tx_bytes"), 2000);
	assert_int_equal(int_of(obj, "rx_rate"), 10);
	assert_int_equal(int_of(obj, "tx_rate"), 20);
	assert_int_equal(int_of(obj, "latency_ms"), 2);
	assert_int_equal(int_of(obj, "latency_us"), 2500);
	assert_int_equal(int_of(obj, "clock_skew_s"), -3);
	assert_string_equal(text_of(obj, "path"), "direct");
	assert_null(json_object_get(obj, "why"));
	assert_string_equal(text_of(obj, "tunnel"), "198.51.100.2:4000");
	assert_string_equal(text_of(obj, "endpoint"), "192.0.2.2:51820");
	assert_true(is_true(obj, "configured"));
	json_decref(obj);
}

static void a_peer_without_a_tunnel_says_why(void **state)
{
	struct fixture *f = *state;
	struct peer *p = see(f->view.peers, 2, METHOD_TRANSITIVE, NULL, 0);
	json_t *obj = viewjson_peer(&f->view, p);

	assert_string_equal(text_of(obj, "path"), "none");
	assert_true(strlen(text_of(obj, "why")) > 0);
	assert_false(is_true(obj, "configured"));
	assert_null(json_object_get(obj, "latency_ms"));
	assert_null(json_object_get(obj, "latency_us"));
	assert_null(json_object_get(obj, "last_handshake"));
	assert_null(json_object_get(obj, "handshake_age_s"));
	assert_null(json_object_get(obj, "clock_skew_s"));
	assert_null(json_object_get(obj, "tunnel"));
	json_decref(obj);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_view, free_view)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_node_is_told_with_all_its_members),
		T(what_a_starting_node_does_not_know_is_left_out),
		T(checks_and_alarms_are_listed),
		T(ways_to_find_peers_are_listed_and_never_more_than_fit),
		T(the_lines_of_pid_1_become_members_without_its_phases),
		T(counters_have_the_names_of_their_methods_and_fates),
		T(peers_are_counted_by_how_they_are_reached),
		T(a_peer_with_a_tunnel_is_told_with_its_figures),
		T(a_peer_without_a_tunnel_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

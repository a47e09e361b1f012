/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#include "common/exits.h"

#define OPEN(port)                                                                                \
	"let it in and out: nft list ruleset (or iptables-save) shows the rule; nft insert rule " \
	"inet filter input udp dport " port " accept; ufw allow " port "/udp"

static struct port_facts *wireguard = &facts.ports.p[0];
static struct port_facts *gossip = &facts.ports.p[1];
static struct port_facts *probe = &facts.ports.p[2];
static struct port_facts *http = &facts.ports.p[3];

static int setup(void **state)
{
	(void)doctor_setup(state);
	facts.ports.n = 4;
	*wireguard =
		(struct port_facts) { PORT_WIREGUARD, true, { .port = 51820 }, 0, ECHO_CAME, 0 };
	*gossip = (struct port_facts) { PORT_GOSSIP, true, { .port = 52000 }, 0, ECHO_CAME, 0 };
	*probe = (struct port_facts) { PORT_PROBE, false, { .port = 54000 }, 0, ECHO_UNKNOWN, 0 };
	*http = (struct port_facts) { PORT_HTTP, false, { .port = 9464 }, 0, ECHO_UNKNOWN, 0 };
	facts.secret.secret.len = 16;
	return 0;
}

static void ports_that_are_free_are_listed(void **state)
{
	(void)state;
	doctor_only(
		judge_ports, REPORT_PASS,
		"free: UDP 51820 (WireGuard), UDP 52000 (gossip), TCP 54000 (health probe), TCP "
		"9464 (HTTP)",
		"");
	facts.secret.secret.len = 0;
	facts.ports.n = 1;
	doctor_only(judge_ports, REPORT_PASS,
		    "free: UDP 51820 (WireGuard); that of gossip follows from the secret", "");
}

static void a_port_that_is_taken_says_how_to_get_another(void **state)
{
	(void)state;
	wireguard->bind = -EADDRINUSE;
	doctor_fails(
		judge_ports, EXITS_SYSTEM, "UDP port 51820 (WireGuard) is taken by another program",
		"stop that program, or choose another with --listen-port (WGMESH_LISTEN_PORT)");
	wireguard->bind = 0;
	gossip->bind = -EADDRINUSE;
	doctor_fails(
		judge_ports, EXITS_SYSTEM, "UDP port 52000 (gossip) is taken by another program",
		"stop that program; it may be another node of this mesh in the same network: give "
		"each a network of its own. The port follows from the secret and cannot be chosen");
	gossip->bind = 0;
	probe->bind = -EADDRINUSE;
	doctor_only(
		judge_ports, REPORT_WARN,
		"TCP port 54000 (health probe) is taken by another program: existing nodes will "
		"take this one for dead",
		"stop that program, or have it listen on another address than all");
}

static void what_is_ours_is_not_taken(void **state)
{
	(void)state;
	wireguard->bind = gossip->bind = http->bind = -EADDRINUSE;
	doctor_run_node();
	doctor_only(
		judge_ports, REPORT_PASS,
		"free: UDP 51820 (WireGuard, ours), UDP 52000 (gossip, ours), TCP 54000 (health "
		"probe), TCP 9464 (HTTP, ours)",
		"");
	/* Nothing is known of one that answers others only. */
	facts.node = (struct node_facts) { .code = -EACCES };
	doctor_judge(judge_ports);
	assert_int_equal(said.lines[0].result, REPORT_PASS);
	doctor_run_node();
	/* Nor does a node explain an HTTP address that it lacks itself, by its own word. */
	facts.node.n_alarms = 1;
	facts.node.alarms[0] = (struct alarm_facts) { "http", "127.0.0.1:9464 is taken" };
	doctor_judge(judge_ports);
	assert_int_equal(said.lines[0].result, REPORT_WARN);
	facts.node.n_alarms = 0;
	/* A node on another port does not explain this one. */
	facts.node.listen_port = 51821;
	doctor_judge(judge_ports);
	assert_int_equal(said.lines[0].result, REPORT_FAIL);
}

static void an_interface_that_a_node_left_keeps_its_port_for_the_next(void **state)
{
	(void)state;
	wireguard->bind = -EADDRINUSE;
	facts.links.is_ours = true;
	facts.links.is_up = true;
	doctor_judge(judge_ports);
	assert_int_equal(said.lines[0].result, REPORT_PASS);
	/* One whose node failed on that very port is down. */
	facts.links.is_up = false;
	doctor_judge(judge_ports);
	assert_int_equal(said.lines[0].result, REPORT_FAIL);
}

static void the_hosts_own_firewall_is_told_by_what_it_does(void **state)
{
	(void)state;
	wireguard->echo = ECHO_LOST;
	doctor_fails(
		judge_ports, EXITS_FAILURE,
		"UDP port 51820 (WireGuard) is blocked: a datagram to ourselves was swallowed by "
		"this host's own firewall",
		OPEN("51820"));
	wireguard->echo = ECHO_REFUSED;
	doctor_fails(
		judge_ports, EXITS_FAILURE,
		"UDP port 51820 (WireGuard) is blocked: a datagram to ourselves was rejected by "
		"this host's own firewall",
		OPEN("51820"));
	wireguard->echo = ECHO_NOT_SENT;
	doctor_fails(
		judge_ports, EXITS_FAILURE,
		"UDP port 51820 (WireGuard) is blocked: this host's own firewall refuses to send "
		"from or to it",
		OPEN("51820"));
	wireguard->echo = ECHO_UNKNOWN;
	gossip->is_mute = true;
	doctor_fails(
		judge_ports, EXITS_FAILURE,
		"UDP port 52000 (gossip) is blocked: this host's own firewall refuses to send from "
		"or to it",
		OPEN("52000"));
}

static void an_http_address_is_named_as_it_was_given(void **state)
{
	const char *cure = "choose another address with --http (WGMESH_HTTP), or \"none\"";

	(void)state;
	http->bind = -EADDRINUSE;
	doctor_only(
		judge_ports, REPORT_WARN,
		"TCP :9464 (HTTP) is taken by another program: health and metrics will be missing "
		"there",
		cure);
	assert_int_equal(endpoint_parse(&http->at, "192.0.2.1:80"), 0);
	http->bind = -EADDRNOTAVAIL;
	doctor_only(
		judge_ports, REPORT_WARN,
		"TCP 192.0.2.1:80 (HTTP) cannot be listened at: Cannot assign requested address",
		cure);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ports_that_are_free_are_listed, setup),
		cmocka_unit_test_setup(a_port_that_is_taken_says_how_to_get_another, setup),
		cmocka_unit_test_setup(what_is_ours_is_not_taken, setup),
		cmocka_unit_test_setup(an_interface_that_a_node_left_keeps_its_port_for_the_next,
				       setup),
		cmocka_unit_test_setup(the_hosts_own_firewall_is_told_by_what_it_does, setup),
		cmocka_unit_test_setup(an_http_address_is_named_as_it_was_given, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

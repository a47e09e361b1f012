/* SPDX-License-Identifier: MIT */
#include "tests/unit/doctor.h"

#include "common/exits.h"
#include "daemon/doctor/nodefacts.h"

#include <stdio.h>

static const char status[] =
	"{\"version\": \"0.1.0\", \"backend\": \"kernel\", \"phase\": \"running\","
	" \"network_id\": \"0123456789abcdef\", \"listen_port\": 51820, \"gossip_port\": 52000,"
	" \"peers\": {\"active\": 1, \"total\": 3},"
	" \"alarms\": [{\"name\": \"alone\", \"text\": \"nobody was ever heard\"}],"
	" \"checks\": [{\"name\": \"state\", \"mark\": \"fail\", \"text\": \"the disk is full\"},"
	"              {\"name\": \"address\", \"mark\": \"pass\", \"text\": \"set\"}],"
	" \"counters\": {\"datagrams\": {\"accepted\": 7, \"not_ours\": 8, \"stale\": 9}}}";

static const char list[] =
	"{\"peers\": ["
	" {\"hostname\": \"good\", \"path\": \"direct\", \"endpoint\": \"192.0.2.1:51820\","
	"  \"tunnel\": \"192.0.2.9:4711\", \"clock_skew_s\": -3},"
	" {\"pubkey\": \"KEY\", \"path\": \"none\", \"why\": \"no handshake\","
	"  \"endpoint\": \"192.0.2.2:51820\"},"
	" {\"hostname\": \"old\", \"endpoint\": \"a.name:1\"}]}";

static void take(const char *one, const char *two)
{
	json_t *a = json_loads(one, 0, NULL);
	json_t *b = json_loads(two, 0, NULL);

	assert_non_null(a);
	assert_non_null(b);
	facts.node = (struct node_facts) { 0 };
	nodefacts_take_status(&facts.node, a);
	nodefacts_take_peers(&facts.node, b);
	json_decref(a);
	json_decref(b);
}

static void what_a_node_answers_is_understood(void **state)
{
	const struct node_facts *n = &facts.node;
	char text[ENDPOINT_TEXT_SIZE];

	(void)state;
	take(status, list);
	assert_string_equal(n->version, "0.1.0");
	assert_string_equal(n->backend, "kernel");
	assert_int_equal(n->listen_port, 51820);
	assert_int_equal(n->gossip_port, 52000);
	assert_true(n->has_peers && n->has_counters);
	assert_int_equal(n->active, 1);
	assert_int_equal(n->accepted, 7);
	assert_int_equal(n->not_ours, 8);
	assert_int_equal(n->stale, 9);
	assert_int_equal(n->n_alarms, 2);
	assert_string_equal(n->alarms[1].name, "state");
	assert_int_equal(n->n_peers, 3);
	assert_string_equal(n->peers[0].name, "KEY");
	assert_string_equal(n->peers[1].name, "good");
	assert_int_equal(n->peers[1].skew_s, -3);
	assert_string_equal(endpoint_format(text, &n->peers[1].endpoint), "192.0.2.9:4711");
	assert_string_equal(endpoint_format(text, &n->peers[0].endpoint), "192.0.2.2:51820");
	assert_int_equal(n->peers[2].endpoint.ip.family, 0);
}

static void answers_of_another_release_or_of_nonsense_do_no_harm(void **state)
{
	static const char nonsense[] =
		"{\"version\": 7, \"peers\": [1], \"alarms\": {\"a\": 1}, \"checks\": [null, 3],"
		" \"counters\": [], \"listen_port\": 99999, \"gossip_port\": -1}";

	(void)state;
	take("{}", "{}");
	assert_false(facts.node.has_peers || facts.node.has_counters);
	take(nonsense, "{\"peers\": [7, null, {\"path\": 3, \"hostname\": []}]}");
	assert_int_equal(facts.node.listen_port, 0);
	assert_int_equal(facts.node.gossip_port, 0);
	assert_int_equal(facts.node.n_peers, 3);
	doctor_judge(judge_all);
}

static void without_a_node_nobody_was_asked(void **state)
{
	(void)state;
	doctor_only(judge_peers, REPORT_SKIP,
		    "no node runs here, so nobody was asked; --peer IP:PORT tries one", "");
}

static void alarms_and_reasons_of_the_node_are_repeated(void **state)
{
	(void)state;
	take(status, list);
	doctor_judge(judge_peers);
	assert_int_equal(said.n, 3);
	doctor_line(0, REPORT_WARN, "alone: nobody was ever heard", "");
	doctor_line(1, REPORT_WARN, "state: the disk is full", "");
	doctor_line(2, REPORT_WARN, "KEY is not connected: no handshake", "");
}

static void peers_that_are_connected_pass(void **state)
{
	(void)state;
	doctor_run_node();
	doctor_only(judge_peers, REPORT_PASS, "2 active, none of them cut off", "");
}

static void a_node_that_hears_nobody_is_told_what_to_compare(void **state)
{
	const char *cure =
		"compare its network id with that of a node that works (`wgmesh status` on both); if "
		"they are equal, a firewall is in between: let UDP port 52000 in (gossip), and 51830 "
		"from the LAN";

	(void)state;
	doctor_run_node();
	facts.node.active = 0;
	doctor_only(judge_peers, REPORT_WARN, "the node that runs hears nobody", cure);
	facts.node.has_counters = true;
	facts.node.not_ours = 4;
	doctor_only(
		judge_peers, REPORT_WARN,
		"the node that runs hears nobody, although somebody speaks to it whom it cannot "
		"understand: with another secret, or not a node at all",
		cure);
}

static void a_node_that_does_not_answer_us_is_told_from_none(void **state)
{
	(void)state;
	facts.node.code = -EACCES;
	doctor_only(judge_peers, REPORT_SKIP,
		    "a node runs here, but answers only root and its own user",
		    "run the doctor as root");
	facts.node.probe = -ETIMEDOUT;
	doctor_fails(
		judge_peers, EXITS_FAILURE,
		"a node runs here, but does not answer: it hangs, or the machine is overloaded",
		"wgmesh-init restarts a node that hangs; without it, restart the node, and keep its "
		"log");
}

static void what_pid_1_says_is_understood(void **state)
{
	json_t *lines = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "verdict", "persistent",
				  "volume", "the named volume", "storage", "full", "storage_note",
				  "no room", "cause", "it crashed", "last_exit", 137);
	struct supervisor_facts *s = &facts.supervisor;

	(void)state;
	nodefacts_take_supervisor(s, lines);
	json_decref(lines);
	assert_string_equal(s->verdict, "persistent");
	assert_string_equal(s->volume, "the named volume");
	assert_string_equal(s->storage, "full");
	assert_string_equal(s->storage_note, "no room");
	assert_string_equal(s->cause, "it crashed");
	assert_int_equal(s->last_exit, 137);
	nodefacts_take_supervisor(s, NULL);
	assert_string_equal(s->verdict, "");
	assert_int_equal(s->last_exit, -1);
}

static void why_a_supervised_node_ended_is_told(void **state)
{
	(void)state;
	facts.supervisor = (struct supervisor_facts) { .last_exit = EXITS_NO_WIREGUARD,
						       .cause = "wgmesh ended with code 69" };
	doctor_judge(judge_peers);
	doctor_line(0, REPORT_FAIL, "wgmesh ended with code 69",
		    "`wgmesh-init status` and the log say more");
	assert_int_equal(said.lines[0].exit_code, EXITS_NO_WIREGUARD);
	facts.supervisor.cause[0] = '\0';
	doctor_judge(judge_peers);
	doctor_line(0, REPORT_FAIL, "the node ended with code 69, and did not say why",
		    "`wgmesh-init status` and the log say more");
	facts.supervisor.last_exit = 0;
	doctor_judge(judge_peers);
	assert_int_equal(said.lines[0].result, REPORT_SKIP);
}

static void another_release_than_the_nodes_is_a_warning(void **state)
{
	(void)state;
	(void)snprintf(facts.version.kernel, sizeof(facts.version.kernel), "6.1.0");
	(void)snprintf(facts.version.machine, sizeof(facts.version.machine), "x86_64");
	doctor_only(judge_version, REPORT_PASS, "wgmesh " WGMESH_VERSION ", Linux 6.1.0 (x86_64)",
		    "");
	doctor_run_node();
	doctor_only(judge_version, REPORT_PASS,
		    "wgmesh " WGMESH_VERSION
		    " here and in the node that runs, Linux 6.1.0 (x86_64)",
		    "");
	(void)snprintf(facts.node.version, sizeof(facts.node.version), "0.0.9");
	doctor_only(judge_version, REPORT_WARN,
		    "wgmesh " WGMESH_VERSION
		    " here, but 0.0.9 in the node that runs, Linux 6.1.0 (x86_64)",
		    "restart the node, so that it runs this release too");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_a_node_answers_is_understood, doctor_setup),
		cmocka_unit_test_setup(answers_of_another_release_or_of_nonsense_do_no_harm,
				       doctor_setup),
		cmocka_unit_test_setup(without_a_node_nobody_was_asked, doctor_setup),
		cmocka_unit_test_setup(alarms_and_reasons_of_the_node_are_repeated, doctor_setup),
		cmocka_unit_test_setup(peers_that_are_connected_pass, doctor_setup),
		cmocka_unit_test_setup(a_node_that_hears_nobody_is_told_what_to_compare,
				       doctor_setup),
		cmocka_unit_test_setup(a_node_that_does_not_answer_us_is_told_from_none,
				       doctor_setup),
		cmocka_unit_test_setup(what_pid_1_says_is_understood, doctor_setup),
		cmocka_unit_test_setup(why_a_supervised_node_ended_is_told, doctor_setup),
		cmocka_unit_test_setup(another_release_than_the_nodes_is_a_warning, doctor_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

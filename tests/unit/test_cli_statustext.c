/* SPDX-License-Identifier: MIT */
#include "daemon/cli/statustext.h"
#include "daemon/cli/text.h"
#include "tests/unit/shown.h"

#include <string.h>

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

static const char healthy[] =
	"{\"mesh_ip\": \"10.77.3.4\", \"mesh_ipv6\": \"fd00::4\", \"uptime\": 7500000000000,"
	" \"pubkey\": \"cV7LcuFgYBTAUzNX8KaAVv5JSZwZ+bKMA9CJ0y2j0A=\", \"interface\": \"wg0\","
	" \"version\": \"0.1.0\", \"backend\": \"kernel\", \"identity\": \"loaded\","
	" \"phase\": \"running\", \"ready\": true, \"started\": \"2025-12-31T21:55:00Z\","
	" \"identity_since\": \"2025-12-20T00:00:00Z\", \"hostname\": \"node-4\","
	" \"network_id\": \"1a2b3c4d5e6f7a8b\", \"mesh_subnet\": \"10.77.0.0/16\","
	" \"gossip_port\": 52000, \"listen_port\": 51820, \"was_adopted\": true,"
	" \"nat_type\": \"cone\", \"endpoints\": [\"203.0.113.5:51820\", \"203.0.113.6:51820\"],"
	" \"peers\": {\"active\": 2, \"total\": 3, \"dead\": 1, \"direct\": 1, \"relayed\": 1},"
	" \"checks\": [{\"name\": \"interface\", \"mark\": \"pass\", \"text\": \"up\"}], \"alarms\": [],"
	" \"layers\": [{\"name\": \"lan\", \"on\": true, \"text\": \"multicast\"},"
	"  {\"name\": \"static\", \"on\": false, \"text\": \"no --peer is set\"}],"
	" \"supervisor\": {\"healthy\": true, \"state\": \"running\", \"restarts\": 2,"
	"  \"last_exit\": 139, \"last_run_s\": 61, \"cause\": \"killed by SIGSEGV\","
	"  \"state_dir\": \"/var/lib/wgmesh\", \"verdict\": \"persistent\","
	"  \"volume\": \"the named volume \\\"a\\\"\", \"proof\": \"proven\","
	"  \"proof_note\": \"3 containers have seen it\", \"storage\": \"ok\", \"storage_note\": \"\"}}";

static char *print(const char *text, size_t width, bool is_loud)
{
	json_t *status = json_loads(text, 0, NULL);
	struct shown s;
	struct show how = {
		.out = shown_begin(&s), .width = width, .is_loud = is_loud, .now_s = NOW
	};

	assert_non_null(status);
	statustext_print(&how, status, NULL);
	json_decref(status);
	return shown_end(&s);
}

static void assert_status(const char *text, size_t width, const char *want)
{
	char *shown = print(text, width, false);

	assert_string_equal(shown, want);
	free(shown);
}

static void a_healthy_node_tells_who_it_is_where_and_whether_its_key_lasts(void **state)
{
	(void)state;
	assert_status(
		healthy, TEXT_NO_LIMIT,
		"node       node-4, running, ready; took over the interface of the run before, no "
		"packet lost\n"
		"identity   cV7LcuFgYBTAUzNX8KaAVv5JSZwZ+bKMA9CJ0y2j0A=, loaded; kept since "
		"2025-12-20T00:00:00Z (12d 0h)\n"
		"interface  wg0, kernel WireGuard on UDP port 51820, exchange on 52000\n"
		"addresses  10.77.3.4, fd00::4, in 10.77.0.0/16\n"
		"network id 1a2b3c4d5e6f7a8b (the same on every node with this secret)\n"
		"seen at    203.0.113.5:51820, 203.0.113.6:51820; behind a NAT that others can reach "
		"through (cone)\n"
		"found by   lan    on; multicast\n"
		"           static off; no --peer is set\n"
		"uptime     2h 5m, since 2025-12-31T21:55:00Z\n"
		"restarts   2; the last run took 1m 1s and ended with 139: killed by SIGSEGV\n"
		"storage    persistent, lasts: /var/lib/wgmesh is on the named volume \"a\"\n"
		"proof      proven: 3 containers have seen it\n"
		"version    0.1.0\n"
		"peers      2 active (1 direct, 1 relayed), 1 silent\n");
}

static void an_existing_node_tells_less(void **state)
{
	(void)state;
	assert_status("{\"mesh_ip\": \"10.77.3.4\", \"pubkey\": \"abc\", \"uptime\": 5000000000,"
		      " \"interface\": \"wg0\", \"version\": \"v1.2\"}",
		      80,
		      "node       running\n"
		      "identity   abc\n"
		      "interface  wg0\n"
		      "addresses  10.77.3.4\n"
		      "uptime     5s\n"
		      "version    v1.2\n");
}

static void what_is_wrong_comes_first(void **state)
{
	static const char text[] =
		"{\"phase\": \"running\", \"ready\": false, \"version\": \"1\", \"uptime\": 0,"
		" \"interface\": \"wg0\", \"supervisor\": null,"
		" \"alarms\": [{\"name\": \"alone\", \"since\": \"2025-12-31T23:55:00Z\","
		"   \"text\": \"no member was ever heard: is the secret the same everywhere?\"}],"
		" \"checks\": [{\"name\": \"state\", \"mark\": \"fail\", \"text\": \"the volume is full\"},"
		"  {\"name\": \"supervisor\", \"mark\": \"warn\", \"text\": \"slow\"},"
		"  {\"name\": \"interface\", \"mark\": \"pass\", \"text\": \"up\"}]}";

	(void)state;
	assert_status(text, 50,
		      "ALARM alone, for 5m 0s: no member was ever heard:\n"
		      "      is the secret the same everywhere?\n"
		      "NOT READY state: the volume is full\n"
		      "WARNING supervisor: slow\n"
		      "node       running, not ready\n"
		      "interface  wg0\n"
		      "uptime     0s\n"
		      "storage    not judged: no wgmesh-init runs here,\n"
		      "           or it did not answer\n"
		      "version    1\n");
}

static void alarms_are_bold_on_a_terminal(void **state)
{
	char *shown =
		print("{\"alarms\": [{\"name\": \"clone\", \"text\": \"two of them\"}]}", 80, true);

	(void)state;
	assert_int_equal(strncmp(shown, "\033[1mALARM\033[0m clone: two of them\n", 32), 0);
	free(shown);
}

static void storage_that_will_not_last_is_said_loudly(void **state)
{
	static const struct {
		const char *verdict;
		const char *fate;
	} cases[] = {
		{ "layer", "LOST when the container is made anew" },
		{ "anonymous", "LOST when the container is made anew" },
		{ "memory", "LOST at the next restart" },
		{ "container", "LOST at the next restart" },
		{ "pod", "LOST with the pod" },
		{ "readonly", "UNUSABLE" },
		{ "split", "UNUSABLE" },
		{ "unknown", "nobody knows whether it lasts" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		char want[128];
		char *shown;

		(void)snprintf(text, sizeof(text), "{\"supervisor\": {\"verdict\": \"%s\"}}",
			       cases[i].verdict);
		(void)snprintf(want, sizeof(want), "storage    %s, %s:", cases[i].verdict,
			       cases[i].fate);
		shown = print(text, TEXT_NO_LIMIT, false);
		assert_non_null(strstr(shown, want));
		free(shown);
	}
}

static void storage_that_fails_now_has_a_line_of_its_own(void **state)
{
	char *shown = print("{\"supervisor\": {\"verdict\": \"persistent\", \"storage\": \"full\","
			    " \"storage_note\": \"no room is left\"}}",
			    TEXT_NO_LIMIT, false);

	(void)state;
	assert_non_null(strstr(shown, "NOW no room is left\n"));
	free(shown);
}

static void texts_of_others_cannot_write_on_the_terminal(void **state)
{
	static const char *const members[] = { "hostname", "pubkey",	 "mesh_ip", "version",
					       "phase",	   "network_id", "started" };

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		char text[128];
		char *shown;

		(void)snprintf(text, sizeof(text), "{\"%s\": \"\\u001b[2J\\n\\u009b\"}",
			       members[i]);
		shown = print(text, 80, false);
		assert_null(strchr(shown, '\033'));
		assert_null(strstr(shown, "\302\233"));
		assert_non_null(strstr(shown, "?[2J??"));
		free(shown);
	}
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	for (size_t width = 60; width < 130; width++) {
		char *shown = print(healthy, width, false);

		for (char *p = shown, *end; (end = strchr(p, '\n')); p = end + 1) {
			*end = '\0';
			assert_in_range(text_width(p), 0, width);
		}
		free(shown);
	}
}

static void without_a_node_what_init_knows_is_shown(void **state)
{
	json_t *sup = json_loads("{\"state\": \"backoff\", \"restarts\": 9, \"last_exit\": 77,"
				 " \"last_run_s\": 0, \"cause\": \"no permission\"}",
				 0, NULL);
	struct shown s;
	struct show how = { .out = shown_begin(&s), .width = 80, .now_s = NOW };

	(void)state;
	statustext_supervisor(&how, sup);
	assert_shown(&s, "init       backoff\n"
			 "restarts   9; the last run took 0s and ended with 77: no permission\n");
	json_decref(sup);
}

/* The alarm that says so comes after a minute. */
static void a_node_without_peers_says_at_once_what_to_compare(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "{\"peers\": {\"active\": 0, \"dead\": 0}}",
		  "0 silent; if others should be there, their `wgmesh status` must show the same "
		  "network id\n" },
		{ "{\"peers\": {\"active\": 0, \"dead\": 0},"
		  " \"counters\": {\"datagrams\": {\"not_ours\": 3}}}",
		  "0 silent; datagrams arrive, but none opens with this node's secret: compare the "
		  "network id with `wgmesh status` on another node\n" },
		{ "{\"peers\": {\"active\": 0, \"dead\": 0},"
		  " \"alarms\": [{\"name\": \"clock\"}, {\"name\": \"alone\", \"text\": \"x\"}]}",
		  "0 silent\n" },
		{ "{\"peers\": {\"active\": 0, \"dead\": 1}}", "1 silent\n" },
		{ "{\"peers\": {\"active\": 1, \"dead\": 0}}", "0 silent\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *shown = print(cases[i].text, TEXT_NO_LIMIT, false);

		assert_non_null(strstr(shown, cases[i].words));
		free(shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_node_tells_who_it_is_where_and_whether_its_key_lasts),
		cmocka_unit_test(an_existing_node_tells_less),
		cmocka_unit_test(what_is_wrong_comes_first),
		cmocka_unit_test(alarms_are_bold_on_a_terminal),
		cmocka_unit_test(storage_that_will_not_last_is_said_loudly),
		cmocka_unit_test(storage_that_fails_now_has_a_line_of_its_own),
		cmocka_unit_test(texts_of_others_cannot_write_on_the_terminal),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(without_a_node_what_init_knows_is_shown),
		cmocka_unit_test(a_node_without_peers_says_at_once_what_to_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

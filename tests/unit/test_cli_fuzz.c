/* SPDX-License-Identifier: MIT */
/* Answers of a node with anything in them: whatever shows them neither crashes nor commands a terminal. */
#include "tests/unit/shown.h"

#include "daemon/cli/peertext.h"
#include "daemon/cli/statustext.h"
#include "daemon/cli/text.h"
#include "daemon/cli/watch.h"
#include "daemon/doctor/judge.h"
#include "daemon/doctor/nodefacts.h"

#include <stdint.h>
#include <string.h>

#define ROUNDS 400 /* FUZZ_ROUNDS in the environment says otherwise */
#define NOW    INT64_C(1767225600)

static const char status_text[] =
	"{\"mesh_ip\": \"10.77.3.4\", \"mesh_ipv6\": \"fd00::4\", \"uptime\": 7500000000000,"
	" \"pubkey\": \"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\", \"interface\": \"wg0\","
	" \"version\": \"0.1.0\", \"backend\": \"kernel\", \"identity\": \"loaded\","
	" \"phase\": \"running\", \"ready\": true, \"started\": \"2025-12-31T21:55:00Z\","
	" \"identity_since\": \"2025-12-20T00:00:00Z\", \"hostname\": \"node-4\","
	" \"network_id\": \"1a2b3c4d5e6f7a8b\", \"mesh_subnet\": \"10.77.0.0/16\","
	" \"gossip_port\": 52000, \"listen_port\": 51820, \"was_adopted\": true,"
	" \"nat_type\": \"cone\", \"endpoints\": [\"203.0.113.5:51820\", \"203.0.113.6:51820\"],"
	" \"peers\": {\"active\": 2, \"total\": 3, \"dead\": 1, \"direct\": 1, \"relayed\": 1},"
	" \"checks\": [{\"name\": \"state\", \"mark\": \"fail\", \"text\": \"the volume is full\"}],"
	" \"alarms\": [{\"name\": \"alone\", \"since\": \"2025-12-31T23:55:00Z\", \"text\": \"x\"}],"
	" \"counters\": {\"datagrams\": {\"accepted\": 1, \"not_ours\": 2, \"stale\": 3}},"
	" \"supervisor\": {\"state\": \"running\", \"restarts\": 2, \"last_exit\": 139,"
	"  \"last_run_s\": 61, \"cause\": \"killed by SIGSEGV\", \"state_dir\": \"/state\","
	"  \"verdict\": \"persistent\", \"volume\": \"a\", \"proof\": \"proven\","
	"  \"proof_note\": \"3\", \"storage\": \"full\", \"storage_note\": \"no room\"}}";

static const char peers_text[] =
	"{\"peers\": [{\"pubkey\": \"cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\","
	" \"hostname\": \"node-2\", \"mesh_ip\": \"10.77.0.2\", \"mesh_ipv6\": \"fd00::2\","
	" \"endpoint\": \"192.0.2.2:51820\", \"tunnel\": \"192.0.2.2:4711\","
	" \"last_seen\": \"2025-12-31T23:59:48Z\", \"discovered_via\": [\"lan\", \"dht\"],"
	" \"last_handshake\": \"2025-12-31T23:59:48+02:00\", \"path\": \"none\", \"why\": \"no one\","
	" \"handshake_age_s\": 75, \"latency_us\": 1249, \"latency_ms\": 1, \"rx_bytes\": 1536,"
	" \"tx_bytes\": 10, \"rx_rate\": 2048, \"tx_rate\": 0, \"clock_skew_s\": 3},"
	" {\"pubkey\": \"d\", \"latency_ms\": 12, \"last_handshake\": \"2025-12-31T23:59:48.5Z\"},"
	" {\"hostname\": \"b\"}]}";

/* xorshift64: the same answers in every run. */
static uint64_t seed = 0x9e3779b97f4a7c15;

static size_t pick(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static json_t *huge_text(void)
{
	static const char *const parts[] = { "a",   "\033[2J",		"\302\233", "\342\200\213",
					     "\n",  "\360\237\230\200", " ",	    "\177",
					     "%s%n" };
	const char *part = parts[pick(sizeof(parts) / sizeof(parts[0]))];
	size_t n = pick(3000);
	char *text = calloc(n + 1, strlen(part) + 1);
	json_t *value;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * strlen(part), part, strlen(part));
	value = json_string(text);
	free(text);
	assert_non_null(value);
	return value;
}

static json_t *anything(void)
{
	static const int64_t numbers[] = { 0,	      -1,	    1,		59,
					   1023,      INT32_MAX,    UINT32_MAX, INT64_MAX,
					   INT64_MIN, INT64_MIN + 1 };
	static const double reals[] = { 0.5, -1e300, 1e300, 9223372036854775808.0, 1e18 };
	static const char *const texts[] = { "",
					     "9999-12-31T23:59:60Z",
					     "0000-01-01T00:00:00+99:99",
					     "-2147483648-01-01T00:00:00Z",
					     "[::]:65535",
					     "none" };

	switch (pick(8)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(pick(2));
	case 2:
		return json_real(reals[pick(sizeof(reals) / sizeof(reals[0]))]);
	case 3:
		return json_array();
	case 4:
		return json_object();
	case 5:
		return json_string(texts[pick(sizeof(texts) / sizeof(texts[0]))]);
	case 6:
		return huge_text();
	default:
		return json_integer(numbers[pick(sizeof(numbers) / sizeof(numbers[0]))]);
	}
}

/* NOLINTBEGIN(misc-no-recursion): the answers are ours, and shallow */

/* A copy in which some values are others, and some members have other names. */
static json_t *mutate(json_t *value, size_t one_in)
{
	json_t *copy;
	json_t *item;
	const char *name;
	size_t i;

	if (pick(one_in) == 0)
		return anything();
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach (value, i, item)
			(void)json_array_append_new(copy, mutate(item, one_in));
		return copy;
	}
	if (!json_is_object(value))
		return json_incref(value);
	copy = json_object();
	json_object_foreach (value, name, item)
		(void)json_object_set_new(copy, pick(one_in) ? name : "\033[2J\302\233",
					  mutate(item, one_in));
	return copy;
}

/* NOLINTEND(misc-no-recursion) */

/* Of all control characters, only line breaks, and bold at the beginning of a line. */
static void assert_harmless(const char *text)
{
	char *clean;
	char *lines = strdup(text);

	assert_non_null(lines);
	for (char *p = lines; *p; p++)
		if (*p == '\n')
			*p = ' ';
	clean = text_clean(lines);
	assert_string_equal(clean, lines);
	free(clean);
	free(lines);
}

static void show_to_person(json_t *status, json_t *answer, size_t width)
{
	json_t *list = json_object_get(answer, "peers");
	struct shown s;
	struct show how = {
		.out = shown_begin(&s), .width = width, .is_full = pick(2), .now_s = NOW
	};
	struct shown frame;
	char *text;

	statustext_print(&how, status, list);
	statustext_supervisor(&how, json_object_get(status, "supervisor"));
	peertext_list(&how, list);
	peertext_members(&how, status);
	peertext_members(&how, json_array_get(list, 0));
	(void)peertext_pick(list, "node", NULL);
	text = shown_end(&s);
	assert_harmless(text);
	watch_frame(shown_begin(&frame), text, 1 + pick(100), 1 + pick(200));
	free(shown_end(&frame));
	free(text);
}

static void show_to_doctor(json_t *status, json_t *answer, size_t width)
{
	static struct report report;
	static struct facts facts;
	struct shown s;
	char *text;

	memset(&facts, 0, sizeof(facts));
	memset(&report, 0, sizeof(report));
	facts.wanted.state_dir = "/state";
	facts.wanted.ifname = "wg0";
	facts.wanted.wireguard_go = "wireguard-go";
	nodefacts_take_status(&facts.node, status);
	nodefacts_take_peers(&facts.node, answer);
	nodefacts_take_supervisor(&facts.supervisor, json_object_get(status, "supervisor"));
	judge_all(&report, &facts);
	assert_in_range(report_exit_code(&report), 0, 255);
	report_print(shown_begin(&s), &report, width);
	text = shown_end(&s);
	assert_harmless(text);
	free(text);
}

static void no_answer_of_a_node_breaks_what_shows_it(void **state)
{
	const char *given = getenv("FUZZ_ROUNDS");
	size_t rounds = given ? strtoul(given, NULL, 10) : ROUNDS;
	json_t *status = json_loads(status_text, 0, NULL);
	json_t *peers = json_loads(peers_text, 0, NULL);

	(void)state;
	assert_non_null(status);
	assert_non_null(peers);
	for (size_t i = 0; i < rounds; i++) {
		size_t one_in = 2 + pick(30);
		json_t *some = mutate(status, one_in);
		json_t *others = mutate(peers, one_in);

		show_to_person(some, others, pick(3) ? 1 + pick(200) : TEXT_NO_LIMIT);
		show_to_doctor(some, others, pick(200));
		json_decref(some);
		json_decref(others);
	}
	json_decref(status);
	json_decref(peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_answer_of_a_node_breaks_what_shows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

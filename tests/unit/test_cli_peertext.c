/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/peertext.h"
#include "daemon/cli/text.h"
#include "tests/unit/shown.h"

#include <errno.h>
#include <string.h>

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

static const char two[] =
	"[{\"pubkey\": \"bbbbLcuFgYBTAUzNX8KaAVv5JSZwZ+bKMA9CJ0y2j0A=\", \"hostname\": \"node-2\","
	"  \"mesh_ip\": \"10.77.0.2\", \"endpoint\": \"192.0.2.2:51820\", \"tunnel\": \"192.0.2.2:4711\","
	"  \"last_seen\": \"2025-12-31T23:59:48Z\", \"discovered_via\": [\"lan\", \"dht\"],"
	"  \"path\": \"direct\", \"handshake_age_s\": 75, \"latency_us\": 1249, \"rx_bytes\": 1536,"
	"  \"tx_bytes\": 10, \"rx_rate\": 2048, \"tx_rate\": 0, \"configured\": true},"
	" {\"pubkey\": \"bbaaLcuFgYBTAUzNX8KaAVv5JSZwZ+bKMA9CJ0y2j0A=\", \"hostname\": \"node-1\","
	"  \"mesh_ip\": \"10.77.0.1\", \"mesh_ipv6\": \"fd00::1\", \"endpoint\": \"192.0.2.1:51820\","
	"  \"last_seen\": \"2026-01-01T01:00:00+01:00\", \"discovered_via\": [\"dht-transitive\"],"
	"  \"path\": \"none\", \"why\": \"nobody answers at 192.0.2.1:52000\"}]";

static json_t *parse(const char *text)
{
	json_t *list = json_loads(text, 0, NULL);

	assert_non_null(list);
	return list;
}

static struct show into(struct shown *s, size_t width)
{
	return (struct show) { .out = shown_begin(s), .width = width, .now_s = NOW };
}

static void the_list_has_the_columns_of_existing_nodes_and_an_order_that_stays(void **state)
{
	json_t *list = parse(two);
	struct shown s;
	struct show how = into(&s, TEXT_NO_LIMIT);

	(void)state;
	peertext_list(&how, list);
	assert_shown(&s, "HOSTNAME  PUBLIC KEY         MESH IP    ENDPOINT         LAST SEEN  "
			 "LATENCY  DISCOVERED VIA\n"
			 "node-1    bbaaLcuFgYBTAUzN…  10.77.0.1  192.0.2.1:51820         0s  "
			 "      -  dht-transitive\n"
			 "node-2    bbbbLcuFgYBTAUzN…  10.77.0.2  192.0.2.2:51820        12s  "
			 " 1.2 ms  lan,dht\n");
	json_decref(list);
}

static void a_full_list_has_whole_keys(void **state)
{
	json_t *list = parse("[{\"pubkey\": \"bbbbLcuFgYBTAUzNX8KaAVv5JSZwZ+bKMA9CJ0y2j0A=\","
			     " \"latency_ms\": 12}]");
	struct shown s;
	struct show how = into(&s, TEXT_NO_LIMIT);

	(void)state;
	how.is_full = true;
	peertext_list(&how, list);
	assert_shown(&s,
		     "HOSTNAME  PUBLIC KEY                                    MESH IP  ENDPOINT  "
		     "LAST SEEN  LATENCY  DISCOVERED VIA\n"
		     "-         bbbbLcuFgYBTAUzNX8KaAVv5JSZwZ+bKMA9CJ0y2j0A=  -        -         "
		     "    never    12 ms  -\n");
	json_decref(list);
}

static void an_empty_list_says_so_as_existing_nodes_do(void **state)
{
	json_t *list = json_array();
	struct shown s;
	struct show how = into(&s, 80);

	(void)state;
	peertext_list(&how, list);
	assert_shown(&s, "No active peers\n");
	json_decref(list);
}

static void a_path_that_is_none_has_a_line_that_says_why_not(void **state)
{
	json_t *list = parse(two);
	struct shown s;
	struct show how = into(&s, TEXT_NO_LIMIT);

	(void)state;
	peertext_paths(&how, list);
	assert_shown(
		&s,
		"HOST    MESH IP    PATH    HANDSHAKE  LATENCY         IN  OUT  RECEIVED  SENT  "
		"ENDPOINT         FOUND BY        PUBLIC KEY\n"
		"node-1  10.77.0.1  none        never        -          -    -         -     -  "
		"192.0.2.1:51820  dht-transitive  bbaaLcuFgYBTAUzN…\n"
		"    why not: nobody answers at 192.0.2.1:52000\n"
		"node-2  10.77.0.2  direct         1m   1.2 ms  2.0 KiB/s    -   1.5 KiB  10 B  "
		"192.0.2.2:4711   lan,dht         bbbbLcuFgYBTAUzN…\n");
	json_decref(list);
}

static void a_narrow_terminal_keeps_who_it_is_and_how_packets_get_there(void **state)
{
	json_t *list = parse(two);
	struct shown s;
	struct show how = into(&s, 40);

	(void)state;
	peertext_paths(&how, list);
	assert_shown(&s, "HOST    MESH IP    PATH    HANDSHAKE\n"
			 "node-1  10.77.0.1  none        never\n"
			 "    why not: nobody answers at\n"
			 "    192.0.2.1:52000\n"
			 "node-2  10.77.0.2  direct         1m\n");
	json_decref(list);
}

static void names_of_strangers_cannot_write_on_the_terminal(void **state)
{
	json_t *list =
		parse("[{\"pubkey\": \"\\u001b[2J\", \"hostname\": \"\\u001b]0;x\\u0007\\n\","
		      " \"mesh_ip\": \"\\u009b1m\", \"endpoint\": \"\\r\", \"path\": \"\\b\","
		      " \"discovered_via\": [\"\\u202e\"], \"why\": \"\\u001b[31m\"}]");
	/* As numbers: compilers take the text itself for an attempt to mislead. */
	static const char right_to_left[] = { (char)0xe2, (char)0x80, (char)0xae, '\0' };
	struct shown s;
	struct show how = into(&s, TEXT_NO_LIMIT);
	char *text;

	(void)state;
	peertext_list(&how, list);
	peertext_paths(&how, list);
	peertext_members(&how, json_array_get(list, 0));
	text = shown_end(&s);
	assert_null(strpbrk(text, "\033\r\b\007"));
	assert_null(strstr(text, "\302\233"));
	assert_null(strstr(text, right_to_left));
	free(text);
	json_decref(list);
}

static void what_is_no_peer_is_left_out(void **state)
{
	json_t *list = parse("[1, \"x\", null, {\"hostname\": 7}, []]");
	json_t *sorted = peertext_sort(list);

	(void)state;
	assert_int_equal(json_array_size(sorted), 1);
	json_decref(sorted);
	sorted = peertext_sort(NULL);
	assert_int_equal(json_array_size(sorted), 0);
	json_decref(sorted);
	json_decref(list);
}

static void all_members_of_one_are_shown_with_what_makes_them_readable(void **state)
{
	json_t *list = parse(two);
	struct shown s;
	struct show how = into(&s, TEXT_NO_LIMIT);

	(void)state;
	peertext_members(&how, json_array_get(list, 0));
	assert_shown(&s, "pubkey             bbbbLcuFgYBTAUzNX8KaAVv5JSZwZ+bKMA9CJ0y2j0A=\n"
			 "hostname           node-2\n"
			 "mesh_ip            10.77.0.2\n"
			 "endpoint           192.0.2.2:51820\n"
			 "tunnel             192.0.2.2:4711\n"
			 "last_seen          2025-12-31T23:59:48Z (12s ago)\n"
			 "discovered_via     lan, dht\n"
			 "path               direct\n"
			 "handshake_age_s    75 (1m 15s)\n"
			 "latency_us         1249\n"
			 "rx_bytes           1536 (1.5 KiB)\n"
			 "tx_bytes           10\n"
			 "rx_rate            2048 (2.0 KiB/s)\n"
			 "tx_rate            0\n"
			 "configured         true\n");
	json_decref(list);
}

static void a_peer_is_found_by_key_name_address_or_the_beginning_of_its_key(void **state)
{
	static const char *const first[] = { "bbbbLcuFgYBTAUzNX8KaAVv5JSZwZ+bKMA9CJ0y2j0A=", "bbb",
					     "NODE-2", "10.77.0.2" };
	json_t *list = parse(two);

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		assert_ptr_equal(peertext_pick(list, first[i], NULL), json_array_get(list, 0));
	assert_ptr_equal(peertext_pick(list, "FD00::1", NULL), json_array_get(list, 1));
	json_decref(list);
}

static void a_name_counts_more_than_the_beginning_of_a_key(void **state)
{
	json_t *list = parse("[{\"pubkey\": \"ab1\", \"hostname\": \"x\"},"
			     " {\"pubkey\": \"cd2\", \"hostname\": \"ab\"},"
			     " {\"pubkey\": \"ab3\", \"hostname\": \"y\"}]");

	(void)state;
	assert_ptr_equal(peertext_pick(list, "ab", NULL), json_array_get(list, 1));
	json_decref(list);
}

static void none_and_several_are_told_apart(void **state)
{
	json_t *list = parse(two);
	struct err e = { 0 };

	(void)state;
	assert_null(peertext_pick(list, "bb", &e));
	assert_int_equal(e.code, -ENOTUNIQ);
	assert_int_equal(e.exit_code, EXITS_FAILURE);
	assert_non_null(strstr(e.msg, "bbaaLcuF"));
	assert_non_null(strstr(e.msg, "bbbbLcuF"));
	assert_null(peertext_pick(list, "node-3", &e));
	assert_int_equal(e.code, -ENOENT);
	assert_non_null(strstr(e.msg, "\"node-3\""));
	assert_null(peertext_pick(list, "", &e));
	assert_null(peertext_pick(NULL, "x\033", &e));
	assert_null(strchr(e.msg, '\033'));
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_list_has_the_columns_of_existing_nodes_and_an_order_that_stays),
		cmocka_unit_test(a_full_list_has_whole_keys),
		cmocka_unit_test(an_empty_list_says_so_as_existing_nodes_do),
		cmocka_unit_test(a_path_that_is_none_has_a_line_that_says_why_not),
		cmocka_unit_test(a_narrow_terminal_keeps_who_it_is_and_how_packets_get_there),
		cmocka_unit_test(names_of_strangers_cannot_write_on_the_terminal),
		cmocka_unit_test(what_is_no_peer_is_left_out),
		cmocka_unit_test(all_members_of_one_are_shown_with_what_makes_them_readable),
		cmocka_unit_test(a_peer_is_found_by_key_name_address_or_the_beginning_of_its_key),
		cmocka_unit_test(a_name_counts_more_than_the_beginning_of_a_key),
		cmocka_unit_test(none_and_several_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/dht/krpc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The examples of BEP 5. */
#define ID_A "abcdefghij0123456789"
#define ID_B "mnopqrstuvwxyz123456"

static struct krpc_message m;

static enum krpc_verdict parse(const char *text, size_t len)
{
	char *copy = malloc(len + !len);
	enum krpc_verdict verdict;

	assert_non_null(copy);
	memcpy(copy, text, len);
	verdict = krpc_parse(&m, copy, len);
	free(copy);
	return verdict;
}

static enum krpc_verdict parse_text(const char *text)
{
	return parse(text, strlen(text));
}

static struct krpc_message query(enum krpc_method method)
{
	struct krpc_message q = { .kind = KRPC_QUERY, .tid_len = 2, .tid = "aa", .method = method };

	memcpy(q.id.b, ID_A, NODEID_LEN);
	memcpy(q.target.b, ID_B, NODEID_LEN);
	return q;
}

static void assert_written(const struct krpc_message *message, const char *want)
{
	uint8_t buf[KRPC_DATAGRAM_MAX];
	long len = krpc_format(buf, message);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(buf, want, (size_t)len);
}

static void queries_are_written_as_the_specification_shows_them(void **state)
{
	struct krpc_message q = query(KRPC_PING);

	(void)state;
	assert_written(&q, "d1:ad2:id20:" ID_A "e1:q4:ping1:t2:aa1:y1:qe");
	q = query(KRPC_FIND_NODE);
	assert_written(&q, "d1:ad2:id20:" ID_A "6:target20:" ID_B "e1:q9:find_node1:t2:aa1:y1:qe");
	q = query(KRPC_GET_PEERS);
	assert_written(&q,
		       "d1:ad2:id20:" ID_A "9:info_hash20:" ID_B "e1:q9:get_peers1:t2:aa1:y1:qe");
	q = query(KRPC_ANNOUNCE_PEER);
	q.port = 6881;
	q.token_len = 8;
	memcpy(q.token, "aoeusnth", 8);
	assert_written(&q, "d1:ad2:id20:" ID_A "12:implied_porti0e9:info_hash20:" ID_B
			   "4:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe");
}

static void a_query_says_which_families_it_wants_and_that_it_only_reads(void **state)
{
	struct krpc_message q = query(KRPC_FIND_NODE);

	(void)state;
	q.want = KRPC_WANT_4 | KRPC_WANT_6;
	q.is_read_only = true;
	assert_written(&q, "d1:ad2:id20:" ID_A "6:target20:" ID_B
			   "4:wantl2:n42:n6ee1:q9:find_node2:roi1e1:t2:aa1:y1:qe");
	assert_int_equal(parse_text("d1:ad2:id20:" ID_A "6:target20:" ID_B
				    "4:wantl2:n42:n62:n9i5eee1:q9:find_node2:roi1e1:t2:aa1:y1:qe"),
			 KRPC_OK);
	assert_int_equal(m.want, KRPC_WANT_4 | KRPC_WANT_6);
	assert_true(m.is_read_only);
}

static void queries_of_the_specification_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse_text("d1:ad2:id20:" ID_A "e1:q4:ping1:t2:aa1:y1:qe"), KRPC_OK);
	assert_int_equal(m.kind, KRPC_QUERY);
	assert_int_equal(m.method, KRPC_PING);
	assert_memory_equal(m.id.b, ID_A, NODEID_LEN);
	assert_int_equal(m.tid_len, 2);
	assert_memory_equal(m.tid, "aa", 2);
	assert_int_equal(parse_text("d1:ad2:id20:" ID_A "12:implied_porti1e9:info_hash20:" ID_B
				    "4:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa"
				    "1:y1:qe"),
			 KRPC_OK);
	assert_int_equal(m.method, KRPC_ANNOUNCE_PEER);
	assert_memory_equal(m.target.b, ID_B, NODEID_LEN);
	assert_int_equal(m.port, 6881);
	assert_true(m.implied_port);
	assert_int_equal(m.token_len, 8);
}

static void a_query_that_lacks_something_is_to_be_answered_with_an_error(void **state)
{
	static const char *const bad[] = {
		"d1:ade1:q4:ping1:t2:aa1:y1:qe",
		"d1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad2:id20:" ID_A "e1:t2:aa1:y1:qe",
		"d1:ad2:id20:" ID_A "e1:qi1e1:t2:aa1:y1:qe",
		"d1:ad2:id20:" ID_A "e1:q9:find_node1:t2:aa1:y1:qe",
		"d1:ad2:id20:" ID_A "e1:q9:get_peers1:t2:aa1:y1:qe",
		"d1:ad2:id20:" ID_A "9:info_hash20:" ID_B
		"4:porti0e5:token1:xe1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad2:id20:" ID_A "9:info_hash20:" ID_B
		"4:porti65536e5:token1:xe1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad2:id20:" ID_A "9:info_hash20:" ID_B
		"4:porti-1e5:token1:xe1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad2:id20:" ID_A "9:info_hash20:" ID_B
		"4:porti1ee1:q13:announce_peer1:t2:aa1:y1:qe",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse_text(bad[i]) != KRPC_BAD_QUERY)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(m.tid_len, 2);
	}
}

static void a_query_that_nobody_knows_is_find_node_when_it_has_a_target(void **state)
{
	(void)state;
	assert_int_equal(
		parse_text("d1:ad2:id20:" ID_A "6:target20:" ID_B "e1:q5:dance1:t2:aa1:y1:qe"),
		KRPC_OK);
	assert_int_equal(m.method, KRPC_FIND_NODE);
	assert_int_equal(parse_text("d1:ad2:id20:" ID_A "e1:q5:dance1:t2:aa1:y1:qe"),
			 KRPC_UNKNOWN_METHOD);
}

static void what_cannot_be_answered_is_noise(void **state)
{
	static const char *const noise[] = {
		"",
		"x",
		"le",
		"de",
		"d1:y1:qe",
		"d1:t0:1:y1:qe",
		"d1:ti1e1:y1:qe",
		"d1:t17:aaaaaaaaaaaaaaaaa1:y1:qe",
		"d1:t2:aae",
		"d1:t2:aa1:y1:xe",
		"d1:t2:aa1:y1:re",
		"d1:rde1:t2:aa1:y1:re",
		"d1:rd2:id2:xxe1:t2:aa1:y1:re",
		"d1:r2:xx1:t2:aa1:y1:re",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (parse_text(noise[i]) != KRPC_NOISE)
			fail_msg("taken: %s", noise[i]);
}

static void a_response_is_read_with_all_that_it_brings(void **state)
{
	static const char text[] =
		"d2:ip6:\xcb\x00\x71\x05\x1a\xe1"
		"1:rd2:id20:" ID_A "5:nodes26:" ID_B "\x0a\x4d\x00\x02\x1a\xe1"
		"6:nodes638:" ID_B "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe2"
		"5:token2:xy6:valuesl6:\x01\x02\x03\x04\x00\x50"
		"18:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x00\x51"
		"ee1:t2:aa1:y1:re";
	char at[ENDPOINT_TEXT_SIZE];

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1), KRPC_OK);
	assert_int_equal(m.kind, KRPC_RESPONSE);
	assert_string_equal(endpoint_format(at, &m.seen_as), "203.0.113.5:6881");
	assert_int_equal(m.n_nodes, 2);
	assert_memory_equal(m.nodes[0].id.b, ID_B, NODEID_LEN);
	assert_string_equal(endpoint_format(at, &m.nodes[0].at), "10.77.0.2:6881");
	assert_string_equal(endpoint_format(at, &m.nodes[1].at), "[2001:db8::1]:6882");
	assert_int_equal(m.n_values, 2);
	assert_string_equal(endpoint_format(at, &m.values[0]), "1.2.3.4:80");
	assert_string_equal(endpoint_format(at, &m.values[1]), "[2001:db8::2]:81");
	assert_int_equal(m.token_len, 2);
}

static void odd_entries_of_a_list_are_left_out_and_the_rest_counts(void **state)
{
	static const char text[] = "d1:rd2:id20:" ID_A "5:nodes27:" ID_B "\x0a\x4d\x00\x02\x1a\xe1x"
				   "6:valuesli7e5:abcdele6:\x01\x02\x03\x04\x00\x50"
				   "7:abcdefgee1:t2:aa1:y1:re";

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1), KRPC_OK);
	assert_int_equal(m.n_nodes, 1);
	assert_int_equal(m.n_values, 1);
}

static void of_a_huge_list_there_is_taken_what_there_is_room_for(void **state)
{
	static char text[4096];
	int at = snprintf(text, sizeof(text), "d1:rd2:id20:" ID_A "5:nodes1040:");

	(void)state;
	memset(text + at, 'n', 1040);
	at += 1040;
	at += snprintf(text + at, sizeof(text) - (size_t)at, "6:valuesl");
	for (int i = 0; i < 200; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "6:abcdef");
	at += snprintf(text + at, sizeof(text) - (size_t)at, "ee1:t2:aa1:y1:re");
	assert_int_equal(parse(text, (size_t)at), KRPC_OK);
	assert_int_equal(m.n_nodes, KRPC_NODES_MAX);
	assert_int_equal(m.n_values, KRPC_VALUES_MAX);
}

static void a_token_that_is_too_long_is_none(void **state)
{
	static const char text[] =
		"d1:rd2:id20:" ID_A
		"5:token65:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"e1:t2:aa1:y1:re";

	(void)state;
	assert_int_equal(parse_text(text), KRPC_OK);
	assert_int_equal(m.token_len, 0);
}

static void errors_are_read_and_their_text_is_made_printable(void **state)
{
	(void)state;
	assert_int_equal(parse_text("d1:eli203e9:Bad\ntokene1:t2:aa1:y1:ee"), KRPC_OK);
	assert_int_equal(m.kind, KRPC_ERROR);
	assert_int_equal(m.error, 203);
	assert_string_equal(m.text, "Bad?token");
	assert_int_equal(parse_text("d1:ele1:t2:aa1:y1:ee"), KRPC_OK);
	assert_int_equal(parse_text("d1:t2:aa1:y1:ee"), KRPC_OK);
}

static void an_error_is_written_as_the_specification_shows_it(void **state)
{
	struct krpc_message e = { .kind = KRPC_ERROR,
				  .tid_len = 2,
				  .tid = "aa",
				  .error = KRPC_E_GENERIC,
				  .text = "A Generic Error Ocurred" };

	(void)state;
	assert_written(&e, "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee");
}

static struct krpc_message full_response(size_t n_values)
{
	struct krpc_message r = { .kind = KRPC_RESPONSE, .tid_len = KRPC_TID_MAX, .token_len = 8 };

	r.want = KRPC_WANT_4 | KRPC_WANT_6;
	(void)endpoint_parse(&r.seen_as, "[2001:db8::1]:65535");
	r.n_nodes = 16;
	for (size_t i = 0; i < 16; i++)
		(void)endpoint_parse(&r.nodes[i].at, i < 8 ? "192.0.2.1:1" : "[2001:db8::1]:1");
	r.n_values = n_values;
	for (size_t i = 0; i < n_values; i++)
		(void)endpoint_parse(&r.values[i], "[2001:db8::1]:1");
	return r;
}

static void what_is_written_is_read_as_the_same(void **state)
{
	struct krpc_message r = full_response(16);
	uint8_t buf[KRPC_DATAGRAM_MAX];
	long len = krpc_format(buf, &r);

	(void)state;
	assert_true(len > 0);
	assert_int_equal(parse((const char *)buf, (size_t)len), KRPC_OK);
	assert_int_equal(m.n_nodes, 16);
	assert_int_equal(m.n_values, 16);
	assert_true(endpoint_equal(&m.seen_as, &r.seen_as));
	assert_true(endpoint_equal(&m.nodes[15].at, &r.nodes[15].at));
	assert_true(endpoint_equal(&m.values[15], &r.values[15]));
	assert_int_equal(m.tid_len, KRPC_TID_MAX);
}

static void a_response_without_nodes_says_that_there_are_none(void **state)
{
	struct krpc_message r = {
		.kind = KRPC_RESPONSE, .tid_len = 2, .tid = "aa", .want = KRPC_WANT_4
	};

	(void)state;
	memcpy(r.id.b, ID_A, NODEID_LEN);
	assert_written(&r, "d1:rd2:id20:" ID_A "5:nodes0:e1:t2:aa1:y1:re");
}

static void a_message_that_is_too_long_is_not_written(void **state)
{
	struct krpc_message r = full_response(KRPC_VALUES_MAX);
	uint8_t buf[KRPC_DATAGRAM_MAX];

	(void)state;
	assert_int_equal(krpc_format(buf, &r), -EMSGSIZE);
}

static void random_changes_of_a_message_do_no_harm(void **state)
{
	struct krpc_message r = full_response(8);
	uint8_t buf[KRPC_DATAGRAM_MAX];
	long len = krpc_format(buf, &r);
	unsigned int seed = 1;
	unsigned int noise = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t copy[KRPC_DATAGRAM_MAX];

		memcpy(copy, buf, (size_t)len);
		for (int k = 0; k < 3; k++) {
			seed = seed * 1664525U + 1013904223U;
			copy[(seed >> 8) % (unsigned int)len] = (uint8_t)(seed >> 24);
		}
		noise += parse((const char *)copy, (size_t)len) == KRPC_NOISE;
		assert_true(m.n_nodes <= KRPC_NODES_MAX && m.n_values <= KRPC_VALUES_MAX);
	}
	assert_true(noise > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_written_as_the_specification_shows_them),
		cmocka_unit_test(a_query_says_which_families_it_wants_and_that_it_only_reads),
		cmocka_unit_test(queries_of_the_specification_are_read),
		cmocka_unit_test(a_query_that_lacks_something_is_to_be_answered_with_an_error),
		cmocka_unit_test(a_query_that_nobody_knows_is_find_node_when_it_has_a_target),
		cmocka_unit_test(what_cannot_be_answered_is_noise),
		cmocka_unit_test(a_response_is_read_with_all_that_it_brings),
		cmocka_unit_test(odd_entries_of_a_list_are_left_out_and_the_rest_counts),
		cmocka_unit_test(of_a_huge_list_there_is_taken_what_there_is_room_for),
		cmocka_unit_test(a_token_that_is_too_long_is_none),
		cmocka_unit_test(errors_are_read_and_their_text_is_made_printable),
		cmocka_unit_test(an_error_is_written_as_the_specification_shows_it),
		cmocka_unit_test(what_is_written_is_read_as_the_same),
		cmocka_unit_test(a_response_without_nodes_says_that_there_are_none),
		cmocka_unit_test(a_message_that_is_too_long_is_not_written),
		cmocka_unit_test(random_changes_of_a_message_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

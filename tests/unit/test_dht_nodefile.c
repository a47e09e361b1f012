/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/dht/nodefile.h"

#include <stdio.h>
#include <string.h>

static struct krpc_node nodes[NODEFILE_NODES_MAX];
static uint8_t buf[NODEFILE_LEN_MAX + NODEFILE_RECORD_LEN];

static struct krpc_node node_of(const char *at, uint8_t id)
{
	struct krpc_node node;

	assert_int_equal(endpoint_parse(&node.at, at), 0);
	memset(node.id.b, id, sizeof(node.id.b));
	return node;
}

static void records_are_those_of_existing_nodes(void **state)
{
	static const uint8_t want[] =
		"aaaaaaaaaaaaaaaaaaaa\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01"
		"\x1a\xe1"
		"bbbbbbbbbbbbbbbbbbbb\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		"\xc8\xd5";
	struct krpc_node list[2] = { node_of("192.0.2.1:6881", 'a'),
				     node_of("[2001:db8::1]:51413", 'b') };
	size_t n = 0;

	(void)state;
	assert_int_equal(nodefile_format(buf, list, 2), 2 * NODEFILE_RECORD_LEN);
	assert_memory_equal(buf, want, 2 * NODEFILE_RECORD_LEN);
	assert_int_equal(nodefile_parse(nodes, &n, buf, 2 * NODEFILE_RECORD_LEN), 0);
	assert_int_equal(n, 2);
	assert_true(endpoint_equal(&nodes[0].at, &list[0].at));
	assert_true(endpoint_equal(&nodes[1].at, &list[1].at));
	assert_true(nodeid_equal(&nodes[1].id, &list[1].id));
}

static void part_of_a_record_at_the_end_costs_only_itself(void **state)
{
	struct krpc_node list[2] = { node_of("192.0.2.1:6881", 'a'), node_of("192.0.2.2:1", 'b') };
	size_t len = nodefile_format(buf, list, 2);
	size_t n = 0;

	(void)state;
	for (size_t cut = 1; cut < NODEFILE_RECORD_LEN; cut++) {
		assert_int_equal(nodefile_parse(nodes, &n, buf, len - cut),
				 NODEFILE_RECORD_LEN - cut);
		assert_int_equal(n, 1);
	}
	assert_int_equal(nodefile_parse(nodes, &n, buf, 0), 0);
	assert_int_equal(n, 0);
}

static void what_is_no_address_is_left_out(void **state)
{
	struct krpc_node list[4] = { node_of("0.0.0.0:6881", 'a'), node_of("239.1.2.3:1", 'b'),
				     node_of("192.0.2.2:1", 'c'), node_of("192.0.2.2:1", 'd') };
	size_t len;
	size_t n = 0;

	(void)state;
	list[3].at.port = 0;
	len = nodefile_format(buf, list, 4);
	assert_int_equal(nodefile_parse(nodes, &n, buf, len), 3 * NODEFILE_RECORD_LEN);
	assert_int_equal(n, 1);
	assert_int_equal(nodes[0].id.b[0], 'c');
	memset(buf, 0, sizeof(buf));
	assert_int_equal(nodefile_parse(nodes, &n, buf, sizeof(buf)), sizeof(buf));
	assert_int_equal(n, 0);
}

static void of_a_huge_file_there_is_taken_what_there_is_room_for(void **state)
{
	struct krpc_node one = node_of("192.0.2.1:6881", 'a');
	size_t n = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(buf); at += NODEFILE_RECORD_LEN)
		(void)nodefile_format(buf + at, &one, 1);
	assert_int_equal(nodefile_parse(nodes, &n, buf, sizeof(buf)), NODEFILE_RECORD_LEN);
	assert_int_equal(n, NODEFILE_NODES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_those_of_existing_nodes),
		cmocka_unit_test(part_of_a_record_at_the_end_costs_only_itself),
		cmocka_unit_test(what_is_no_address_is_left_out),
		cmocka_unit_test(of_a_huge_file_there_is_taken_what_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

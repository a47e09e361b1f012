/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/dht/nodetable.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS (60 * 1000)

static struct nodetable t;

/* In bucket 0 by its first byte; the rest of the id and the address come from a number. */
static struct krpc_node node_of(uint8_t first, unsigned int number)
{
	struct krpc_node node = { .at = { .ip.family = AF_INET, .port = 6881 } };

	node.id.b[0] = first;
	node.id.b[18] = (uint8_t)(number >> 8);
	node.id.b[19] = (uint8_t)number;
	node.at.ip.b[0] = 10;
	node.at.ip.b[1] = first;
	node.at.ip.b[2] = (uint8_t)(number >> 8);
	node.at.ip.b[3] = (uint8_t)number;
	return node;
}

static void begin(void)
{
	struct nodeid self = { { 0 } };

	nodetable_init(&t, &self, 1);
}

static void answered(struct krpc_node node, int64_t now_ms)
{
	nodetable_answered(&t, &node, now_ms);
}

static bool asked(struct krpc_node node, int64_t now_ms)
{
	return nodetable_asked(&t, &node, now_ms);
}

static void fail_often(struct krpc_node node)
{
	for (int i = 0; i < NODETABLE_BAD; i++)
		nodetable_failed(&t, &node.at);
}

static bool holds(struct krpc_node node)
{
	struct krpc_node list[1];

	return nodetable_closest(&t, &node.id, list, 1, 0) == 1 &&
	       endpoint_equal(&list[0].at, &node.at) && nodeid_equal(&list[0].id, &node.id);
}

static void only_who_has_answered_gets_in(void **state)
{
	(void)state;
	begin();
	assert_true(asked(node_of(0x80, 1), 10));
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 10), 0);
	answered(node_of(0x80, 1), 20);
	assert_int_equal(nodetable_count(&t, NODETABLE_GOOD, 20), 1);
	assert_false(asked(node_of(0x80, 1), 30));
}

static void we_are_not_in_our_own_table(void **state)
{
	struct krpc_node self = node_of(0, 0);

	(void)state;
	begin();
	answered(self, 10);
	assert_false(asked(self, 10));
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 10), 0);
}

static void a_full_bucket_keeps_the_nodes_it_has(void **state)
{
	(void)state;
	begin();
	for (unsigned int i = 0; i < 20; i++)
		answered(node_of(0x80, i), 10 + i);
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 50), NODETABLE_K);
	assert_true(holds(node_of(0x80, 0)));
	assert_false(holds(node_of(0x80, 19)));
	assert_false(asked(node_of(0x80, 30), 60));
	assert_true(asked(node_of(0x40, 1), 60));
}

static void a_spare_takes_the_place_of_a_bad_node(void **state)
{
	(void)state;
	begin();
	for (unsigned int i = 0; i < 10; i++)
		answered(node_of(0x80, i), 10 + i);
	fail_often(node_of(0x80, 3));
	assert_false(holds(node_of(0x80, 3)));
	assert_true(holds(node_of(0x80, 9)));
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 50), NODETABLE_K);
}

static void bad_nodes_stay_until_somebody_takes_their_place(void **state)
{
	struct krpc_node list[4];

	(void)state;
	begin();
	answered(node_of(0x80, 1), 10);
	fail_often(node_of(0x80, 1));
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 20), 1);
	assert_int_equal(nodetable_count(&t, NODETABLE_NOT_BAD, 20), 0);
	assert_int_equal(nodetable_closest(&t, &t.self, list, 4, 20), 0);
	assert_int_equal(nodetable_closest(&t, &t.self, list, 4, 0), 1);
	answered(node_of(0x80, 1), 30);
	assert_int_equal(nodetable_count(&t, NODETABLE_GOOD, 30), 1);
}

static void a_silent_node_becomes_questionable_and_is_due_for_a_ping_once_a_minute(void **state)
{
	struct krpc_node out;

	(void)state;
	begin();
	answered(node_of(0x80, 1), 10);
	answered(node_of(0x80, 2), 5000);
	assert_false(nodetable_silent(&t, &out, 14 * MINUTE_MS));
	assert_true(nodetable_silent(&t, &out, 16 * MINUTE_MS));
	assert_int_equal(out.id.b[19], 1);
	assert_true(nodetable_silent(&t, &out, 16 * MINUTE_MS));
	assert_int_equal(out.id.b[19], 2);
	assert_false(nodetable_silent(&t, &out, 16 * MINUTE_MS + 59000));
	assert_true(nodetable_silent(&t, &out, 17 * MINUTE_MS));
	assert_int_equal(nodetable_count(&t, NODETABLE_GOOD, 17 * MINUTE_MS), 0);
	assert_int_equal(nodetable_count(&t, NODETABLE_NOT_BAD, 17 * MINUTE_MS), 2);
}

static void a_node_that_asks_us_stays_good(void **state)
{
	(void)state;
	begin();
	answered(node_of(0x80, 1), 10);
	assert_false(asked(node_of(0x80, 1), 14 * MINUTE_MS));
	assert_int_equal(nodetable_count(&t, NODETABLE_GOOD, 20 * MINUTE_MS), 1);
}

static void nobody_takes_the_id_of_a_node_that_is_there(void **state)
{
	struct krpc_node thief = node_of(0x80, 1);

	(void)state;
	begin();
	answered(node_of(0x80, 1), 10);
	thief.at.ip.b[3] = 77;
	answered(thief, 20);
	assert_false(asked(thief, 20));
	assert_true(holds(node_of(0x80, 1)));
	fail_often(node_of(0x80, 1));
	answered(thief, 30);
	assert_true(nodetable_count(&t, NODETABLE_GOOD, 30) == 1);
}

static void a_node_that_was_started_anew_has_one_entry(void **state)
{
	struct krpc_node anew = node_of(0x80, 1);

	(void)state;
	begin();
	answered(anew, 10);
	anew.id.b[0] = 0x20;
	answered(anew, 20);
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 20), 1);
	assert_true(holds(anew));
}

static struct krpc_node global_node(uint8_t first, const char *at, bool fits)
{
	struct krpc_node node = { .id.b = { [19] = first } };

	assert_int_equal(endpoint_parse(&node.at, at), 0);
	node.id.b[0] = first;
	if (fits)
		nodeid_make(&node.id, &node.at.ip);
	return node;
}

static void one_address_on_the_internet_is_one_node(void **state)
{
	(void)state;
	begin();
	answered(global_node(0x80, "8.8.8.8:1", false), 10);
	answered(global_node(0x81, "8.8.8.8:2", false), 10);
	answered(global_node(0x82, "8.8.8.8:3", false), 10);
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 10), 1);
	assert_false(asked(global_node(0x41, "8.8.8.8:4", false), 10));
	assert_true(asked(global_node(0x41, "8.8.8.9:4", false), 10));
}

static void a_network_of_forged_ids_gives_way_to_those_that_fit(void **state)
{
	struct nodeid self = { { 0 } };
	char at[32];

	(void)state;
	nodetable_init(&t, &self, 1);
	for (int i = 1; i <= 8; i++) {
		(void)snprintf(at, sizeof(at), "8.8.8.%d:1", i);
		answered(global_node((uint8_t)(0x80 + i), at, false), 10);
	}
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 10), 8);
	/* Of eight addresses elsewhere those that belong into this bucket get in. */
	for (int i = 1; i <= 40; i++) {
		struct krpc_node node;

		(void)snprintf(at, sizeof(at), "9.%d.8.7:1", i);
		node = global_node((uint8_t)i, at, true);
		answered(node, 20);
		if ((node.id.b[0] & 0x80) && !holds(node))
			break;
	}
	for (size_t i = 0; i < NODETABLE_K; i++)
		assert_false(t.bucket[0].node[i].is_doubtful);
}

static void the_closest_come_first_and_no_more_than_are_asked_for(void **state)
{
	struct krpc_node list[5];
	struct nodeid target = { { 0x80 } };
	size_t n;

	(void)state;
	begin();
	for (unsigned int i = 0; i < 8; i++)
		answered(node_of((uint8_t)(0x80 >> i), 1), 10);
	n = nodetable_closest(&t, &target, list, 5, 10);
	assert_int_equal(n, 5);
	for (size_t i = 1; i < n; i++)
		assert_true(nodeid_compare(&target, &list[i - 1].id, &list[i].id) < 0);
	assert_int_equal(list[0].id.b[0], 0x80);
	assert_int_equal(nodetable_closest(&t, &target, list, 0, 10), 0);
}

static void a_bucket_with_room_is_looked_into_every_quarter_of_an_hour(void **state)
{
	struct nodeid target;

	(void)state;
	begin();
	answered(node_of(0x80, 1), 10);
	answered(node_of(0x10, 1), 10);
	memset(target.b, 0xff, sizeof(target.b));
	assert_false(nodetable_thin(&t, &target, 14 * MINUTE_MS));
	for (unsigned int want = 0; want < 4; want++) {
		memset(target.b, 0xff, sizeof(target.b));
		assert_true(nodetable_thin(&t, &target, 16 * MINUTE_MS));
		assert_int_equal(nodeid_prefix(&target, &t.self), want);
	}
	assert_false(nodetable_thin(&t, &target, 16 * MINUTE_MS));
	for (unsigned int i = 0; i < NODETABLE_K; i++)
		answered(node_of(0x80, i), 17 * MINUTE_MS);
	assert_true(nodetable_thin(&t, &target, 40 * MINUTE_MS));
	assert_int_equal(nodeid_prefix(&target, &t.self), 1);
}

static void an_id_of_our_own_that_changes_keeps_the_nodes(void **state)
{
	struct nodeid self = { { 0x81 } };

	(void)state;
	begin();
	answered(node_of(0x80, 1), 10);
	answered(node_of(0x40, 1), 10);
	nodetable_rename(&t, &self);
	assert_int_equal(nodetable_count(&t, NODETABLE_ANY, 10), 2);
	assert_true(holds(node_of(0x80, 1)));
	assert_true(t.bucket[7].node[0].in_use);
	assert_true(t.bucket[0].node[0].in_use);
}

static void the_table_never_grows(void **state)
{
	unsigned int seed = 7;

	(void)state;
	begin();
	for (unsigned int i = 0; i < 20000; i++) {
		struct krpc_node node = node_of(0, i);

		for (size_t k = 0; k < NODEID_LEN; k++) {
			seed = seed * 1664525U + 1013904223U;
			node.id.b[k] = (uint8_t)(seed >> 24);
		}
		node.at.port = (uint16_t)(i % 65535 + 1);
		answered(node, 10 + i);
	}
	assert_true(nodetable_count(&t, NODETABLE_ANY, 20000) <= NODETABLE_MAX);
	assert_true(nodetable_count(&t, NODETABLE_ANY, 20000) >= 5 * (size_t)NODETABLE_K);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_has_answered_gets_in),
		cmocka_unit_test(we_are_not_in_our_own_table),
		cmocka_unit_test(a_full_bucket_keeps_the_nodes_it_has),
		cmocka_unit_test(a_spare_takes_the_place_of_a_bad_node),
		cmocka_unit_test(bad_nodes_stay_until_somebody_takes_their_place),
		cmocka_unit_test(
			a_silent_node_becomes_questionable_and_is_due_for_a_ping_once_a_minute),
		cmocka_unit_test(a_node_that_asks_us_stays_good),
		cmocka_unit_test(nobody_takes_the_id_of_a_node_that_is_there),
		cmocka_unit_test(a_node_that_was_started_anew_has_one_entry),
		cmocka_unit_test(one_address_on_the_internet_is_one_node),
		cmocka_unit_test(a_network_of_forged_ids_gives_way_to_those_that_fit),
		cmocka_unit_test(the_closest_come_first_and_no_more_than_are_asked_for),
		cmocka_unit_test(a_bucket_with_room_is_looked_into_every_quarter_of_an_hour),
		cmocka_unit_test(an_id_of_our_own_that_changes_keeps_the_nodes),
		cmocka_unit_test(the_table_never_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

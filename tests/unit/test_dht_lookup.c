/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/dht/lookup.h"

#include <stdio.h>
#include <string.h>

static struct lookup l;
static const struct nodeid target = { { 0xff, 0xff } };
static const struct nodeid self = { { 0x01 } };

/* A node of a private network; the lower its number, the closer it is to the target. */
static struct krpc_node node_of(uint8_t number)
{
	struct krpc_node node = { .id.b = { 0xff, 0xff, number },
				  .at = { .ip = { AF_INET, { 10, 0, 0, number } }, .port = 1 } };

	return node;
}

static void begin(int64_t now_ms)
{
	lookup_begin(&l, &target, &self, AF_INET, now_ms);
}

static bool offer(struct krpc_node node)
{
	return lookup_offer(&l, &node.id, &node.at);
}

/* The number of the node to ask next, 0 for none. */
static int next(int64_t now_ms)
{
	const struct lookup_node *node = lookup_next(&l, now_ms);

	return node ? node->at.ip.b[3] : 0;
}

static struct krpc_message answer_of(struct krpc_node from)
{
	struct krpc_message m = { .kind = KRPC_RESPONSE, .has_id = true, .id = from.id };

	m.token_len = 1;
	m.token[0] = from.id.b[2];
	return m;
}

static bool answers(struct krpc_node from, const uint8_t *others, size_t n)
{
	struct krpc_message m = answer_of(from);

	for (size_t i = 0; i < n; i++)
		m.nodes[m.n_nodes++] = node_of(others[i]);
	return lookup_answered(&l, &from.at, &m);
}

static void three_are_asked_at_a_time_and_the_closest_first(void **state)
{
	(void)state;
	begin(1000);
	for (uint8_t i = 20; i > 10; i--)
		assert_true(offer(node_of(i)));
	assert_int_equal(next(1000), 11);
	assert_int_equal(next(1000), 12);
	assert_int_equal(next(1000), 13);
	assert_int_equal(next(1000), 0);
	assert_true(answers(node_of(12), NULL, 0));
	assert_int_equal(next(1001), 14);
	assert_int_equal(next(1001), 0);
}

static void an_answer_leads_closer(void **state)
{
	(void)state;
	begin(1000);
	(void)offer(node_of(90));
	assert_int_equal(next(1000), 90);
	assert_int_equal(next(1000), 0);
	assert_false(lookup_is_done(&l, 1000));
	assert_true(answers(node_of(90), (const uint8_t[]) { 50, 40, 60 }, 3));
	assert_int_equal(next(1001), 40);
	assert_true(answers(node_of(40), (const uint8_t[]) { 3 }, 1));
	assert_int_equal(next(1002), 3);
}

static void the_end_is_reached_when_the_eight_closest_have_answered(void **state)
{
	const struct lookup_node *closest[LOOKUP_K];

	(void)state;
	begin(1000);
	for (uint8_t i = 1; i <= 20; i++)
		(void)offer(node_of(i));
	for (uint8_t i = 1; i <= 8; i++) {
		assert_false(lookup_is_done(&l, 1000));
		assert_int_equal(next(1000), i);
		assert_true(answers(node_of(i), NULL, 0));
	}
	assert_true(lookup_is_done(&l, 1000));
	assert_int_equal(next(1000), 0);
	assert_int_equal(lookup_closest(&l, closest), 8);
	assert_int_equal(closest[0]->at.ip.b[3], 1);
	assert_int_equal(closest[7]->token[0], 8);
}

static void who_does_not_answer_is_replaced_by_the_next_one(void **state)
{
	struct krpc_node node = node_of(1);
	const struct lookup_node *closest[LOOKUP_K];

	(void)state;
	begin(1000);
	(void)offer(node_of(1));
	(void)offer(node_of(2));
	assert_int_equal(next(1000), 1);
	assert_int_equal(next(1000), 2);
	assert_true(answers(node_of(2), NULL, 0));
	assert_false(lookup_is_done(&l, 1500));
	lookup_failed(&l, &node.at);
	assert_true(lookup_is_done(&l, 1500));
	assert_int_equal(lookup_closest(&l, closest), 1);
	assert_int_equal(lookup_count(&l, LOOKUP_FAILED), 1);
}

static void who_is_slow_does_not_hold_up_the_others(void **state)
{
	(void)state;
	begin(1000);
	for (uint8_t i = 1; i <= 30; i++)
		(void)offer(node_of(i));
	for (int i = 0; i < 3; i++)
		assert_int_not_equal(next(1000), 0);
	assert_int_equal(next(1999), 0);
	assert_int_equal(lookup_slow_ms(&l, 1999), 2000);
	assert_int_equal(next(2000), 4);
	assert_int_equal(next(2000), 5);
	assert_int_equal(next(2000), 6);
	assert_int_equal(next(2000), 0);
	assert_int_equal(lookup_slow_ms(&l, 2000), 3000);
}

static void a_lookup_ends_when_its_time_is_over(void **state)
{
	const struct lookup_node *closest[LOOKUP_K];

	(void)state;
	begin(1000);
	for (uint8_t i = 1; i <= 30; i++)
		(void)offer(node_of(i));
	assert_int_equal(next(1000), 1);
	assert_int_equal(next(1000), 2);
	assert_true(answers(node_of(2), NULL, 0));
	assert_false(lookup_is_done(&l, 1000 + LOOKUP_LIMIT_MS - 1));
	assert_true(lookup_is_done(&l, 1000 + LOOKUP_LIMIT_MS));
	assert_int_equal(next(1000 + LOOKUP_LIMIT_MS), 0);
	assert_int_equal(lookup_closest(&l, closest), 1);
}

static void an_address_alone_is_enough_to_begin_with(void **state)
{
	struct krpc_node router = node_of(200);
	const struct lookup_node *closest[LOOKUP_K];

	(void)state;
	begin(1000);
	assert_true(lookup_offer(&l, NULL, &router.at));
	assert_false(lookup_offer(&l, NULL, &router.at));
	(void)offer(node_of(1));
	assert_int_equal(next(1000), 200);
	assert_int_equal(next(1000), 1);
	assert_true(answers(router, (const uint8_t[]) { 5 }, 1));
	assert_true(answers(node_of(1), NULL, 0));
	assert_int_equal(next(1000), 5);
	assert_true(answers(node_of(5), NULL, 0));
	assert_true(lookup_is_done(&l, 1001));
	assert_int_equal(lookup_closest(&l, closest), 3);
	assert_int_equal(closest[2]->at.ip.b[3], 200);
}

static void who_is_not_who_it_was_said_to_be_is_not_believed(void **state)
{
	struct krpc_node liar = node_of(1);
	struct krpc_message m = answer_of(node_of(2));
	const struct lookup_node *closest[LOOKUP_K];

	(void)state;
	begin(1000);
	(void)offer(liar);
	m.nodes[m.n_nodes++] = node_of(3);
	assert_false(lookup_answered(&l, &liar.at, &m));
	assert_int_equal(next(1000), 1);
	assert_false(lookup_answered(&l, &liar.at, &m));
	assert_int_equal(next(1000), 0);
	assert_true(lookup_is_done(&l, 1000));
	assert_int_equal(lookup_closest(&l, closest), 0);
}

static void nobody_answers_twice(void **state)
{
	(void)state;
	begin(1000);
	(void)offer(node_of(1));
	assert_int_equal(next(1000), 1);
	assert_true(answers(node_of(1), NULL, 0));
	assert_false(answers(node_of(1), (const uint8_t[]) { 2 }, 1));
	assert_int_equal(next(1000), 0);
}

static void we_are_not_led_to_ourselves_nor_into_the_other_family(void **state)
{
	struct krpc_node us = { .id = self, .at = node_of(9).at };
	struct krpc_node six = node_of(1);
	struct krpc_node no_port = node_of(1);

	(void)state;
	begin(1000);
	six.at.ip.family = AF_INET6;
	no_port.at.port = 0;
	assert_false(offer(us));
	assert_false(offer(six));
	assert_false(offer(no_port));
}

static void one_answer_names_eight_others_at_most(void **state)
{
	uint8_t others[20];

	(void)state;
	begin(1000);
	for (size_t i = 0; i < sizeof(others); i++)
		others[i] = (uint8_t)(i + 1);
	(void)offer(node_of(99));
	assert_int_equal(next(1000), 99);
	assert_true(answers(node_of(99), others, sizeof(others)));
	assert_int_equal(lookup_count(&l, LOOKUP_NEW), LOOKUP_OFFERS_MAX);
}

static struct krpc_node global_node(uint8_t number, const char *at, bool fits)
{
	struct krpc_node node = node_of(number);

	assert_int_equal(endpoint_parse(&node.at, at), 0);
	if (fits)
		nodeid_make(&node.id, &node.at.ip);
	return node;
}

static void nobody_surrounds_a_target_with_ids_of_his_choice(void **state)
{
	const struct lookup_node *closest[LOOKUP_K];
	char at[32];
	size_t forged = 0;

	(void)state;
	begin(1000);
	for (uint8_t i = 1; i <= 20; i++) {
		(void)snprintf(at, sizeof(at), "8.%d.8.8:1", i);
		(void)offer(global_node(i, at, false));
		(void)snprintf(at, sizeof(at), "9.%d.8.8:1", i);
		(void)offer(global_node(i, at, true));
	}
	while (!lookup_is_done(&l, 1000)) {
		const struct lookup_node *node = lookup_next(&l, 1000);
		struct krpc_message m = { .has_id = true, .token_len = 1 };
		struct endpoint from;

		assert_non_null(node);
		m.id = node->id;
		from = node->at;
		assert_true(lookup_answered(&l, &from, &m));
	}
	assert_int_equal(lookup_closest(&l, closest), LOOKUP_K);
	for (size_t i = 0; i < LOOKUP_K; i++)
		forged += closest[i]->at.ip.b[0] == 8;
	assert_int_equal(forged, LOOKUP_DOUBTFUL_MAX);
}

static void of_one_neighbourhood_few_count(void **state)
{
	char at[32];
	int n = 0;

	(void)state;
	begin(1000);
	for (uint8_t i = 1; i <= 20; i++) {
		(void)snprintf(at, sizeof(at), "8.8.8.%d:1", i);
		(void)offer(global_node(i, at, true));
	}
	for (const struct lookup_node *node = lookup_next(&l, 1000); node;
	     node = lookup_next(&l, 1000)) {
		struct krpc_message m = { .has_id = true, .id = node->id };
		struct endpoint from = node->at;

		assert_true(lookup_answered(&l, &from, &m));
		n++;
	}
	assert_int_equal(n, 1 + LOOKUP_DOUBTFUL_MAX);
}

static void a_flood_of_names_ends(void **state)
{
	unsigned int queries = 0;
	uint32_t serial = 0;

	(void)state;
	begin(1000);
	(void)offer(node_of(200));
	while (!lookup_is_done(&l, 1000)) {
		const struct lookup_node *node = lookup_next(&l, 1000);
		struct krpc_message m = { .has_id = true };
		struct endpoint from;

		assert_non_null(node);
		m.id = node->id;
		from = node->at;
		/* Each names eight that are closer than all before. */
		for (m.n_nodes = 0; m.n_nodes < 8; m.n_nodes++, serial++) {
			struct krpc_node *other = &m.nodes[m.n_nodes];
			uint32_t distance = UINT32_MAX / 2 - serial;

			*other = node_of(1);
			other->id.b[2] = (uint8_t)(distance >> 24);
			other->id.b[3] = (uint8_t)(distance >> 16);
			other->id.b[4] = (uint8_t)(distance >> 8);
			other->id.b[5] = (uint8_t)distance;
			other->at.ip.b[2] = (uint8_t)(serial >> 8);
			other->at.ip.b[3] = (uint8_t)serial;
		}
		assert_true(lookup_answered(&l, &from, &m));
		queries++;
	}
	assert_int_equal(queries, LOOKUP_QUERIES_MAX);
	assert_true(l.n <= LOOKUP_NODES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_are_asked_at_a_time_and_the_closest_first),
		cmocka_unit_test(an_answer_leads_closer),
		cmocka_unit_test(the_end_is_reached_when_the_eight_closest_have_answered),
		cmocka_unit_test(who_does_not_answer_is_replaced_by_the_next_one),
		cmocka_unit_test(who_is_slow_does_not_hold_up_the_others),
		cmocka_unit_test(a_lookup_ends_when_its_time_is_over),
		cmocka_unit_test(an_address_alone_is_enough_to_begin_with),
		cmocka_unit_test(who_is_not_who_it_was_said_to_be_is_not_believed),
		cmocka_unit_test(nobody_answers_twice),
		cmocka_unit_test(we_are_not_led_to_ourselves_nor_into_the_other_family),
		cmocka_unit_test(one_answer_names_eight_others_at_most),
		cmocka_unit_test(nobody_surrounds_a_target_with_ids_of_his_choice),
		cmocka_unit_test(of_one_neighbourhood_few_count),
		cmocka_unit_test(a_flood_of_names_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "common/str.h"
#include "daemon/clock.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <stdlib.h>
#include <string.h>

#define SELF   10
#define BOB    15
#define CAROL  16
#define BOB_AT "192.0.2.15:52000"
#define MANY   200

/**
 * struct fixture - A node that knows others, and says nothing on its own
 */
struct fixture {
	struct config config;
	struct node node;
};

static void describe(void *arg, struct announcement *out, bool with_known,
		     const struct endpoint *to)
{
	(void)arg;
	(void)with_known;
	(void)to;
	out->self = peer_of(SELF);
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct node *n = &f->node;
	struct exchange_config exchange = { .once = true, .handler = &n->handler };
	struct err e = { 0 };

	assert_non_null(f);
	f->config.keys.gossip_port = 52000;
	exchange.key = f->config.keys.gossip_key;
	n->cfg = &f->config;
	n->base = event_base_new();
	n->ready.public_key = key_of(SELF);
	n->peers = peers_new(&n->ready.public_key);
	n->phase = NODE_RUNNING;
	n->self.subnet = prefix_of("10.77.0.0/16");
	n->self.prefix6 = prefix_of("fd12:3456:789a:bcde::/64");
	n->handler.describe = describe;
	n->handler.counters = &n->counters;
	assert_int_equal(exchange_open(&n->exchange, n->base, &exchange, &e), 0);
	node_prospects_open(n);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	node_prospects_close(&f->node);
	node_peers_free(&f->node);
	exchange_close(f->node.exchange);
	event_base_free(f->node.base);
	free(f);
	return 0;
}

/* A peer is seen now. */
static struct peer *meet(struct fixture *f, const struct wg_key *key, enum peer_method method,
			 const char *control)
{
	struct known_peer who = { .key = *key, .mesh_ip = ip_of("10.77.0.9") };
	struct sighting s = { .who = &who, .method = method, .control = endpoint_of(control) };
	struct peer *p = NULL;

	s.endpoint = s.control;
	(void)peers_sight(f->node.peers, &s, clock_now(), &p);
	assert_non_null(p);
	return p;
}

static struct peer *meet_nth(struct fixture *f, unsigned int n, enum peer_method method,
			     const char *control)
{
	struct wg_key key = key_of(n);

	return meet(f, &key, method, control);
}

static struct announcement told(struct fixture *f, const char *to)
{
	struct announcement out = { 0 };
	struct endpoint at = endpoint_of(to);

	node_pex_describe(&f->node, &out, &at);
	return out;
}

static void only_whom_we_heard_ourselves_is_told_of(void **state)
{
	struct fixture *f = *state;
	struct announcement a;

	(void)meet_nth(f, BOB, METHOD_EXCHANGE, BOB_AT);
	(void)meet_nth(f, CAROL, METHOD_TRANSITIVE, "192.0.2.16:52000");
	(void)meet_nth(f, 17, METHOD_GOSSIP_TRANSITIVE, "192.0.2.17:52000");
	(void)meet_nth(f, 18, METHOD_CACHE, "192.0.2.18:52000");
	meet_nth(f, 19, METHOD_EXCHANGE, "192.0.2.19:52000")->said_goodbye = true;
	meet_nth(f, 20, METHOD_EXCHANGE, "192.0.2.20:52000")->heard_ms -= 130000;
	a = told(f, "192.0.2.99:52000");
	assert_int_equal(a.pex.n, 1);
	assert_endpoint(&a.pex.record[0].at, BOB_AT);
	assert_int_equal(a.n_known, 1);
}

static void nobody_is_told_of_himself(void **state)
{
	struct fixture *f = *state;
	struct announcement a;

	(void)meet_nth(f, BOB, METHOD_EXCHANGE, BOB_AT);
	a = told(f, BOB_AT);
	assert_int_equal(a.pex.n, 0);
	assert_int_equal(a.n_known, 0);
}

static void an_address_of_a_private_network_is_not_told_outside(void **state)
{
	struct fixture *f = *state;

	(void)meet_nth(f, BOB, METHOD_EXCHANGE, "192.168.1.5:52000");
	(void)meet_nth(f, CAROL, METHOD_EXCHANGE, "8.8.4.4:52000");
	assert_int_equal(told(f, "9.9.9.9:52000").pex.n, 1);
	assert_int_equal(told(f, "192.168.1.9:52000").pex.n, 2);
}

static void make_key(struct wg_key *key, unsigned int n)
{
	*key = (struct wg_key) { .b = { (uint8_t)n, (uint8_t)(n >> 8), 1, 2 } };
}

static void a_few_messages_tell_of_everybody(void **state)
{
	struct fixture *f = *state;
	bool seen[MANY] = { false };
	size_t total = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		struct endpoint at = { ip_of("198.51.100.1"), (uint16_t)(1000 + i) };
		char text[ENDPOINT_TEXT_SIZE];
		struct wg_key key;

		make_key(&key, i);
		(void)meet(f, &key, METHOD_EXCHANGE, endpoint_format(text, &at));
	}
	for (int message = 0; message < 60; message++) {
		struct announcement a = told(f, "192.0.2.99:52000");

		/* Only the first ones fit into a datagram with much else in it. */
		assert_int_equal(a.pex.n, PEX_MAX);
		for (size_t i = 0; i < PEX_MAX / 2; i++)
			seen[a.pex.record[i].at.port - 1000] = true;
	}
	for (unsigned int i = 0; i < MANY; i++)
		total += seen[i] ? 1 : 0;
	assert_in_range(total, MANY - 5, MANY);
}

static void an_existing_node_is_told_whole_entries(void **state)
{
	struct fixture *f = *state;
	struct peer *bob = meet_nth(f, BOB, METHOD_EXCHANGE, BOB_AT);

	for (unsigned int n = 16; n < 25; n++) {
		char at[32] = "192.0.2.16:52000";

		at[9] = (char)('0' + n % 10);
		(void)meet_nth(f, n, METHOD_EXCHANGE, at);
	}
	f->node.addressee = bob->slot;
	assert_int_equal(told(f, BOB_AT).n_known, NODE_KNOWN_MAX);
	bob->is_ours = true;
	assert_int_equal(told(f, BOB_AT).n_known, 1);
}

static void who_is_behind_a_nat_is_told_of_with_its_key(void **state)
{
	struct fixture *f = *state;
	struct peer *bob = meet_nth(f, BOB, METHOD_EXCHANGE, BOB_AT);
	struct peer *carol = meet_nth(f, CAROL, METHOD_EXCHANGE, "192.0.2.16:52000");

	bob->is_ours = true;
	f->node.addressee = bob->slot;
	(void)meet_nth(f, 17, METHOD_EXCHANGE, "192.0.2.17:52000");
	assert_int_equal(told(f, BOB_AT).n_known, 1);
	(void)str_copy(carol->info.nat_type, sizeof(carol->info.nat_type), "symmetric");
	assert_in_range(told(f, BOB_AT).n_known, 1, 2);
	/* A port that is not the mesh's tells as much. */
	(void)meet_nth(f, 18, METHOD_EXCHANGE, "192.0.2.18:40000");
	(void)meet_nth(f, 19, METHOD_EXCHANGE, "192.0.2.19:40000");
	(void)meet_nth(f, 20, METHOD_EXCHANGE, "192.0.2.20:40000");
	assert_int_equal(told(f, BOB_AT).n_known, 3);
}

/* Lets the node take a message of Bob's that has these records; how many it then tries. */
static uint64_t tries_after(struct fixture *f, const struct pex_record *records, size_t n)
{
	struct announcement a = { .self = peer_of(BOB) };
	const struct discovery_origin o = { .source = DISCOVERY_REPLY };

	a.pex.n = n;
	memcpy(a.pex.record, records, n * sizeof(*records));
	node_pex_take(&f->node, &a, &o);
	loop_drain(f->node.base);
	return f->node.counters.prospects_tried[__builtin_ctz(METHOD_TRANSITIVE)];
}

static struct pex_record record_of(unsigned int n, const char *at)
{
	struct wg_key key = key_of(n);

	return (struct pex_record) { .prefix = pex_prefix(&key), .at = endpoint_of(at) };
}

static void who_is_new_is_tried_once(void **state)
{
	struct fixture *f = *state;
	const struct pex_record r = record_of(CAROL, "127.1.1.1:9");
	const struct pex_record good = record_of(CAROL, "192.0.2.16:52000");

	assert_int_equal(tries_after(f, &r, 1), 0);
	assert_int_equal(tries_after(f, &good, 1), 1);
	assert_int_equal(tries_after(f, &good, 1), 1);
}

static void who_is_known_and_what_is_ours_is_not_tried(void **state)
{
	struct fixture *f = *state;
	struct pex_record records[] = {
		record_of(CAROL, "192.0.2.16:52000"), /* heard there */
		record_of(CAROL, "192.0.2.77:52000"), /* heard elsewhere, and live */
		record_of(SELF, "192.0.2.10:52000"),  /* ourselves, as others see us */
		record_of(20, "10.77.0.20:52000"),    /* inside the mesh */
		record_of(21, "[2001:db8::21]:52000"),
	};

	f->config.no_ipv6 = true;
	(void)meet_nth(f, CAROL, METHOD_EXCHANGE, "192.0.2.16:52000");
	assert_int_equal(tries_after(f, records, 5), 0);
}

static void who_fell_silent_is_tried_where_others_hear_it(void **state)
{
	struct fixture *f = *state;
	struct pex_record r = record_of(CAROL, "192.0.2.77:52000");

	meet_nth(f, CAROL, METHOD_EXCHANGE, "192.0.2.16:52000")->heard_ms -= 2 * PEER_ACTIVE_MS;
	assert_int_equal(tries_after(f, &r, 1), 1);
}

static void only_the_first_tries_of_a_flood_are_sent(void **state)
{
	struct fixture *f = *state;
	struct pex_record records[PEX_MAX];

	for (unsigned int i = 0; i < PEX_MAX; i++) {
		records[i] = record_of(20, "192.0.2.1:52000");
		records[i].prefix += i;
		records[i].at.ip.b[3] = (uint8_t)i;
	}
	assert_in_range(tries_after(f, records, PEX_MAX), 1, EXCHANGE_TRIALS_MAX * 3 / 4);
	assert_true(exchange_trials(f->node.exchange) <= EXCHANGE_TRIALS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)
		TEST(only_whom_we_heard_ourselves_is_told_of),
		TEST(nobody_is_told_of_himself),
		TEST(an_address_of_a_private_network_is_not_told_outside),
		TEST(a_few_messages_tell_of_everybody),
		TEST(an_existing_node_is_told_whole_entries),
		TEST(who_is_behind_a_nat_is_told_of_with_its_key),
		TEST(who_is_new_is_tried_once),
		TEST(who_is_known_and_what_is_ours_is_not_tried),
		TEST(who_fell_silent_is_tried_where_others_hear_it),
		TEST(only_the_first_tries_of_a_flood_are_sent),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

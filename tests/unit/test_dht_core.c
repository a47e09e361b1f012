/* SPDX-License-Identifier: MIT */
/* Nodes of the DHT on a network that exists only here, under a clock that exists only here. */
#include "tests/unit/test.h"

#include "daemon/dht/dhtcore.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX   64
#define QUEUE_MAX   4096
#define FOUND_LIST  256
#define LATENCY_MS  20
#define SECOND	    ((int64_t)1000)
#define MINUTE	    (60 * SECOND)
#define FIRST_HOUR  500000
#define GOSSIP_PORT 52000

struct world;

struct host {
	struct world *world;
	struct endpoint at;
	struct dhtcore *core; /* NULL for a host that a test plays itself */
	int64_t due_ms;
	unsigned int n_peers;
	unsigned int n_wanted; /* how often it asked for routers */
	uint64_t sent;
	size_t n_found;
	struct endpoint found[FOUND_LIST];
};

struct packet {
	int64_t at_ms;
	struct endpoint from;
	struct endpoint to;
	size_t len;
	uint8_t buf[KRPC_DATAGRAM_MAX];
};

/* Plays the hosts that have no core. */
typedef void player_fn(struct world *w, struct host *h, const struct packet *p);

struct world {
	struct now now;
	struct secret secret;
	uint32_t seed;
	bool is_cut; /* the network takes nothing */
	bool no_ipv6;
	player_fn *player;
	struct endpoint router;
	size_t n_hosts;
	struct host host[HOSTS_MAX];
	size_t head;
	size_t n_queued;
	struct packet queue[QUEUE_MAX];
	uint64_t delivered;
};

static struct world world;

static uint32_t next_random(struct world *w)
{
	w->seed = w->seed * 1664525U + 1013904223U;
	return w->seed >> 8;
}

static void fill_random(struct world *w, void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)next_random(w);
}

static void enqueue(struct world *w, const struct endpoint *from, const struct endpoint *to,
		    const void *buf, size_t len)
{
	struct packet *p;

	assert_true(w->n_queued < QUEUE_MAX && len <= KRPC_DATAGRAM_MAX);
	p = &w->queue[(w->head + w->n_queued++) % QUEUE_MAX];
	p->at_ms = w->now.mono_ms + LATENCY_MS;
	p->from = *from;
	p->to = *to;
	p->len = len;
	memcpy(p->buf, buf, len);
}

static int on_send(void *arg, const struct endpoint *to, const void *buf, size_t len)
{
	struct host *h = arg;

	if (h->world->is_cut)
		return -ENETUNREACH;
	h->sent++;
	enqueue(h->world, &h->at, to, buf, len);
	return 0;
}

static void on_found(void *arg, const struct endpoint *at)
{
	struct host *h = arg;

	if (h->n_found < FOUND_LIST)
		h->found[h->n_found++] = *at;
}

static unsigned int on_count_peers(void *arg)
{
	const struct host *h = arg;

	return h->n_peers;
}

static void on_want_routers(void *arg)
{
	struct host *h = arg;

	h->n_wanted++;
	if (h->world->router.port != 0)
		dhtcore_router(h->core, &h->world->router, h->world->now);
}

static void on_random(void *arg, void *buf, size_t len)
{
	const struct host *h = arg;

	fill_random(h->world, buf, len);
}

static void begin_world(uint32_t seed)
{
	static const char secret[] = "a secret for tests of the DHT";

	for (size_t i = 0; i < world.n_hosts; i++)
		dhtcore_free(world.host[i].core);
	memset(&world, 0, sizeof(world));
	world.seed = seed;
	/* Ten minutes into the hour. */
	world.now = (struct now) { .mono_ms = 1000, .unix_s = FIRST_HOUR * 3600LL + 600 };
	assert_int_equal(secret_parse(&world.secret, secret, strlen(secret), NULL), 0);
}

static struct host *add_host(const char *at)
{
	struct host *h = &world.host[world.n_hosts++];

	assert_true(world.n_hosts <= HOSTS_MAX);
	h->world = &world;
	h->due_ms = INT64_MAX;
	assert_int_equal(endpoint_parse(&h->at, at), 0);
	return h;
}

static struct host *add_node(const char *at)
{
	struct host *h = add_host(at);
	struct dhtcore_config cfg = {
		.ops = { .arg = h,
			 .send = on_send,
			 .found = on_found,
			 .count_peers = on_count_peers,
			 .want_routers = on_want_routers,
			 .random = on_random },
		.secret = &world.secret,
		.port = GOSSIP_PORT,
		.no_ipv6 = world.no_ipv6,
	};

	h->core = dhtcore_new(&cfg, world.now);
	assert_non_null(h->core);
	h->due_ms = world.now.mono_ms;
	return h;
}

static struct host *host_at(const struct endpoint *at)
{
	for (size_t i = 0; i < world.n_hosts; i++)
		if (endpoint_equal(&world.host[i].at, at))
			return &world.host[i];
	return NULL;
}

static void deliver(void)
{
	struct packet *p = &world.queue[world.head];
	struct host *h = host_at(&p->to);

	world.head = (world.head + 1) % QUEUE_MAX;
	world.n_queued--;
	world.delivered++;
	if (!h)
		return;
	if (!h->core) {
		world.player(&world, h, p);
		return;
	}
	dhtcore_receive(h->core, p->buf, p->len, &p->from, world.now);
	h->due_ms = dhtcore_run(h->core, world.now);
}

static void set_clock(int64_t mono_ms)
{
	static const int64_t unix_base_s = FIRST_HOUR * 3600LL + 600;

	world.now.mono_ms = mono_ms;
	world.now.unix_s = unix_base_s + mono_ms / 1000;
}

/* Lets so much time pass, and all that happens in it happen. */
static void pass(int64_t ms)
{
	int64_t end = world.now.mono_ms + ms;

	for (;;) {
		struct host *first = NULL;
		int64_t at = world.n_queued > 0 ? world.queue[world.head].at_ms : INT64_MAX;

		for (size_t i = 0; i < world.n_hosts; i++)
			if (world.host[i].due_ms < at) {
				first = &world.host[i];
				at = first->due_ms;
			}
		if (at > end)
			break;
		set_clock(at > world.now.mono_ms ? at : world.now.mono_ms);
		if (first)
			first->due_ms = dhtcore_run(first->core, world.now);
		else
			deliver();
	}
	set_clock(end);
}

static bool has_found(const struct host *h, const struct host *other)
{
	for (size_t i = 0; i < h->n_found; i++)
		if (ip_equal(&h->found[i].ip, &other->at.ip) && h->found[i].port == GOSSIP_PORT)
			return true;
	return false;
}

static size_t nodes_of(const struct host *h)
{
	struct dhtcore_status s;

	dhtcore_status(h->core, world.now, &s);
	return s.nodes[DHT_IPV4] + s.nodes[DHT_IPV6];
}

static uint64_t fate_of(const struct host *h, enum dhtcore_fate fate)
{
	struct dhtcore_status s;

	dhtcore_status(h->core, world.now, &s);
	return s.fates[fate];
}

static void add_nodes(size_t n, const char *network)
{
	char at[64];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(at, sizeof(at), strchr(network, ':') ? "[%s%zu]:6881" : "%s%zu:6881",
			       network, i + 1);
		(void)add_node(at);
	}
	world.router = world.host[0].at;
}

static void two_nodes_that_know_only_each_other_meet(void **state)
{
	struct host *a;
	struct host *b;

	(void)state;
	begin_world(1);
	add_nodes(2, "10.7.0.");
	a = &world.host[0];
	b = &world.host[1];
	pass(5 * SECOND);
	dhtcore_router(a->core, &b->at, world.now);
	a->due_ms = dhtcore_run(a->core, world.now);
	pass(MINUTE);
	assert_true(has_found(a, b));
	assert_true(has_found(b, a));
}

static void each_of_thirty_nodes_finds_others_of_its_mesh_within_a_minute(void **state)
{
	(void)state;
	begin_world(2);
	add_nodes(30, "10.7.0.");
	pass(75 * SECOND);
	for (size_t i = 0; i < world.n_hosts; i++) {
		assert_true(nodes_of(&world.host[i]) >= 8);
		assert_true(world.host[i].n_found >= 4);
		assert_false(has_found(&world.host[i], &world.host[i]));
	}
}

static void ipv6_works_alone(void **state)
{
	(void)state;
	begin_world(3);
	add_nodes(12, "fd00::");
	pass(75 * SECOND);
	for (size_t i = 0; i < world.n_hosts; i++)
		assert_true(world.host[i].n_found >= 2);
}

static void what_is_announced_in_one_hour_is_found_in_the_next(void **state)
{
	struct host *late;
	struct host *early;

	(void)state;
	begin_world(4);
	add_nodes(12, "10.7.0.");
	early = &world.host[5];
	pass(45 * MINUTE);
	/* It goes; what it has announced under the id of that hour is all that is left of it. */
	early->due_ms = INT64_MAX;
	pass(6 * MINUTE);
	late = add_node("10.7.0.99:6881");
	pass(30 * SECOND);
	assert_true(has_found(late, early));
}

static void every_node_announces_itself_anew_when_the_hour_changes(void **state)
{
	struct host *late;
	size_t found = 0;

	(void)state;
	begin_world(5);
	add_nodes(12, "10.7.0.");
	/* Two minutes into the next hour, and then an hour and more with the id of then. */
	pass(52 * MINUTE);
	late = add_node("10.7.0.99:6881");
	pass(30 * SECOND);
	for (size_t i = 0; i < 12; i++)
		found += has_found(late, &world.host[i]);
	assert_true(found >= 8);
	pass(70 * MINUTE);
	late = add_node("10.7.0.98:6881");
	pass(30 * SECOND);
	found = 0;
	for (size_t i = 0; i < 12; i++)
		found += has_found(late, &world.host[i]);
	assert_true(found >= 8);
}

static void without_a_network_it_tries_for_ever_and_seldom(void **state)
{
	struct host *h;
	uint64_t unsent;

	(void)state;
	begin_world(6);
	(void)endpoint_parse(&world.router, "10.7.0.1:6881");
	world.is_cut = true;
	world.no_ipv6 = true;
	h = add_node("10.7.0.2:6881");
	pass(60 * MINUTE);
	unsent = fate_of(h, DHT_OUT_UNSENT);
	assert_int_equal(h->sent, 0);
	assert_in_range(h->n_wanted, 55, 90);
	assert_in_range(unsent, 50, 400);
	/* And when it comes back, it is back. */
	world.is_cut = false;
	(void)add_node("10.7.0.1:6881");
	pass(90 * SECOND);
	assert_true(nodes_of(h) > 0);
}

static void without_anybody_to_begin_with_nothing_is_sent(void **state)
{
	struct host *h;

	(void)state;
	begin_world(7);
	world.no_ipv6 = true;
	h = add_node("10.7.0.2:6881");
	pass(10 * MINUTE);
	assert_int_equal(h->sent, 0);
	assert_in_range(h->n_wanted, 8, 20);
}

static void an_idle_node_is_quiet(void **state)
{
	uint64_t before;
	uint64_t sent = 0;

	(void)state;
	begin_world(8);
	add_nodes(20, "10.7.0.");
	for (size_t i = 0; i < world.n_hosts; i++)
		world.host[i].n_peers = 19;
	pass(5 * MINUTE);
	before = world.delivered;
	for (size_t i = 0; i < world.n_hosts; i++)
		sent -= world.host[i].sent;
	pass(30 * MINUTE);
	for (size_t i = 0; i < world.n_hosts; i++)
		sent += world.host[i].sent;
	/* Two lookups a minute of a dozen queries, and as many answers for others. */
	assert_true(sent / 20 / 30 < 80);
	assert_true(world.delivered - before < 20 * 30 * 80);
}

static void a_family_that_is_not_there_is_looked_for_ever_more_seldom(void **state)
{
	unsigned int before;

	(void)state;
	begin_world(18);
	add_nodes(12, "10.7.0.");
	pass(60 * MINUTE);
	before = world.host[3].n_wanted;
	pass(120 * MINUTE);
	assert_in_range(world.host[3].n_wanted - before, 6, 12);
}

static void the_nodes_of_the_last_run_are_enough_to_begin_with(void **state)
{
	struct krpc_node saved[64];
	struct host *h;
	size_t n;

	(void)state;
	begin_world(9);
	world.no_ipv6 = true;
	add_nodes(20, "10.7.0.");
	pass(2 * MINUTE);
	n = dhtcore_save(world.host[3].core, saved, 64);
	assert_true(n >= 8);
	world.router.port = 0;
	h = add_node("10.7.0.77:6881");
	dhtcore_load(h->core, saved, n);
	h->due_ms = dhtcore_run(h->core, world.now);
	pass(30 * SECOND);
	assert_true(h->n_found >= 4);
	assert_int_equal(h->n_wanted, 0);
}

static void nodes_that_are_all_gone_are_looked_for_again(void **state)
{
	struct host *h;

	(void)state;
	begin_world(10);
	add_nodes(10, "10.7.0.");
	h = &world.host[9];
	pass(2 * MINUTE);
	assert_true(nodes_of(h) >= 8);
	world.is_cut = true;
	pass(60 * MINUTE);
	assert_int_equal(nodes_of(h), 0);
	world.is_cut = false;
	pass(2 * MINUTE);
	assert_true(nodes_of(h) >= 8);
}

/* --- what hostile ones do ---------------------------------------------------------------- */

static void answer_with(struct world *w, const struct packet *p, const struct krpc_message *m)
{
	uint8_t buf[KRPC_DATAGRAM_MAX];
	long len = krpc_format(buf, m);

	assert_true(len > 0);
	enqueue(w, &p->to, &p->from, buf, (size_t)len);
}

/* Says it is right beside whatever is asked for, and knows of eight more there, none of which exist. */
static void play_liar(struct world *w, struct host *h, const struct packet *p)
{
	static struct krpc_message q;
	struct krpc_message m = { .kind = KRPC_RESPONSE, .want = KRPC_WANT_4, .token_len = 4 };

	(void)h;
	if (krpc_parse(&q, p->buf, p->len) != KRPC_OK || q.kind != KRPC_QUERY)
		return;
	m.tid_len = q.tid_len;
	memcpy(m.tid, q.tid, sizeof(m.tid));
	m.id = q.target;
	m.id.b[NODEID_LEN - 1] ^= p->to.ip.b[3];
	(void)endpoint_parse(&m.seen_as, "198.51.100.7:1");
	for (m.n_nodes = 0; m.n_nodes < 8; m.n_nodes++) {
		struct krpc_node *node = &m.nodes[m.n_nodes];

		node->id = q.target;
		fill_random(w, &node->id.b[16], 4);
		node->at = (struct endpoint) { .ip.family = AF_INET, .port = 9 };
		fill_random(w, node->at.ip.b, 4);
		node->at.ip.b[0] = 10;
	}
	for (m.n_values = 0; m.n_values < 40 && q.method == KRPC_GET_PEERS; m.n_values++) {
		struct endpoint *at = &m.values[m.n_values];

		*at = (struct endpoint) { .ip.family = AF_INET, .port = 1 };
		fill_random(w, at->ip.b, 4);
		fill_random(w, &at->port, 2);
		/* Half of it is to hit one victim. */
		if (m.n_values % 2)
			memcpy(at->ip.b, "\xc6\x33\x64\x63", 4);
	}
	answer_with(w, p, &m);
}

static void two_nodes_meet_in_spite_of_liars_and_turn_against_nobody(void **state)
{
	struct host *a;
	struct host *b;
	size_t of_victim = 0;
	char at[64];

	(void)state;
	begin_world(11);
	add_nodes(12, "10.7.0.");
	world.player = play_liar;
	for (unsigned int i = 1; i <= 12; i++) {
		(void)snprintf(at, sizeof(at), "10.66.0.%u:6881", i);
		(void)add_host(at);
	}
	pass(30 * SECOND);
	/* Everybody knows some of the liars. */
	for (size_t i = 0; i < 12; i++)
		for (size_t k = 12; k < 24; k += 2)
			dhtcore_load(world.host[i].core,
				     &(struct krpc_node) { .at = world.host[k].at }, 1);
	a = add_node("10.7.1.1:6881");
	b = add_node("10.7.1.2:6881");
	for (size_t k = 12; k < 24; k++) {
		dhtcore_router(a->core, &world.host[k].at, world.now);
		dhtcore_router(b->core, &world.host[k].at, world.now);
	}
	pass(5 * MINUTE);
	assert_true(has_found(a, b));
	assert_true(has_found(b, a));
	for (size_t i = 0; i < a->n_found; i++)
		of_victim += memcmp(a->found[i].ip.b, "\xc6\x33\x64\x63", 4) == 0;
	assert_true(of_victim <= 3);
	assert_true(a->n_found < 32 + 5 * 16);
	/* 25 queries a second at most, and what it answers. */
	assert_true(a->sent < 5 * 60 * 30);
}

static void a_response_that_nobody_asked_for_changes_nothing(void **state)
{
	struct krpc_message m = { .kind = KRPC_RESPONSE, .tid_len = 4, .tid = "abcd" };
	uint8_t buf[KRPC_DATAGRAM_MAX];
	struct host *h;
	long len;

	(void)state;
	begin_world(12);
	h = add_node("10.7.0.1:6881");
	m.n_values = 1;
	(void)endpoint_parse(&m.values[0], "10.7.0.2:5");
	len = krpc_format(buf, &m);
	for (unsigned int i = 1; i < 200; i++) {
		struct endpoint from = { .ip = { AF_INET, { 10, 8, 0, (uint8_t)i } }, .port = 1 };

		dhtcore_receive(h->core, buf, (size_t)len, &from, world.now);
	}
	assert_int_equal(fate_of(h, DHT_IN_UNASKED), 199);
	assert_int_equal(nodes_of(h), 0);
	assert_int_equal(h->n_found, 0);
	assert_int_equal(h->sent, 0);
}

static void what_comes_from_an_address_that_nobody_has_is_dropped(void **state)
{
	static const char ping[] = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
	static const char *const from[] = { "224.0.0.1:5", "0.0.0.1:5", "255.255.255.255:5",
					    "[ff02::1]:5", "[fe80::1]:5" };
	struct endpoint at;
	struct host *h;

	(void)state;
	begin_world(13);
	h = add_node("10.7.0.1:6881");
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		assert_int_equal(endpoint_parse(&at, from[i]), 0);
		dhtcore_receive(h->core, ping, sizeof(ping) - 1, &at, world.now);
	}
	assert_int_equal(h->sent, 0);
	assert_int_equal(fate_of(h, DHT_IN_INVALID), 5);
	assert_int_equal(endpoint_parse(&at, "10.7.0.9:5"), 0);
	dhtcore_receive(h->core, ping, sizeof(ping) - 1, &at, world.now);
	assert_true(h->sent >= 1);
}

static void a_flood_of_queries_is_answered_at_a_rate(void **state)
{
	static const char ping[] = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
	struct host *h;

	(void)state;
	begin_world(14);
	h = add_node("10.7.0.1:6881");
	for (unsigned int i = 0; i < 5000; i++) {
		struct endpoint from = { .ip = { AF_INET, { 10, 8, 0, 0 } }, .port = 1 };

		from.ip.b[2] = (uint8_t)(i >> 8);
		from.ip.b[3] = (uint8_t)i;
		world.n_queued = 0;
		dhtcore_receive(h->core, ping, sizeof(ping) - 1, &from, world.now);
	}
	assert_true(h->sent <= DHTCORE_ANSWER_BURST + DHTCORE_OUT_BURST);
	assert_true(fate_of(h, DHT_IN_RATE_LIMITED) > 4000);
}

/* What a node answers to a query, parsed. */
static struct krpc_message *ask(struct host *h, const struct endpoint *from, struct krpc_message *q)
{
	static struct krpc_message m;
	uint8_t buf[KRPC_DATAGRAM_MAX];
	long len;

	q->kind = KRPC_QUERY;
	q->tid_len = 2;
	q->id.b[0] = 0x77;
	len = krpc_format(buf, q);
	assert_true(len > 0);
	world.n_queued = 0;
	dhtcore_receive(h->core, buf, (size_t)len, from, world.now);
	assert_true(world.n_queued > 0);
	assert_int_equal(krpc_parse(&m, world.queue[world.head].buf, world.queue[world.head].len),
			 KRPC_OK);
	return &m;
}

static void an_announcement_needs_the_token_of_its_own_address(void **state)
{
	struct endpoint one = { .ip = { AF_INET, { 10, 8, 0, 1 } }, .port = 1 };
	struct endpoint two = { .ip = { AF_INET, { 10, 8, 0, 2 } }, .port = 1 };
	struct krpc_message get = { .method = KRPC_GET_PEERS, .target.b = { 9 } };
	struct krpc_message put = { .method = KRPC_ANNOUNCE_PEER, .target.b = { 9 }, .port = 77 };
	struct krpc_message *m;
	struct host *h;

	(void)state;
	begin_world(15);
	h = add_node("10.7.0.1:6881");
	m = ask(h, &one, &get);
	assert_int_equal(m->n_values, 0);
	assert_true(endpoint_equal(&m->seen_as, &one));
	put.token_len = m->token_len;
	memcpy(put.token, m->token, sizeof(put.token));
	m = ask(h, &two, &put);
	assert_int_equal(m->kind, KRPC_ERROR);
	assert_int_equal(m->error, KRPC_E_PROTOCOL);
	assert_int_equal(ask(h, &one, &put)->kind, KRPC_RESPONSE);
	m = ask(h, &two, &get);
	assert_int_equal(m->n_values, 1);
	assert_int_equal(m->values[0].port, 77);
	assert_true(ip_equal(&m->values[0].ip, &one.ip));
	set_clock(world.now.mono_ms + 41 * MINUTE);
	assert_int_equal(ask(h, &two, &get)->n_values, 0);
}

static void a_token_grows_old_though_nobody_asks_for_another_one(void **state)
{
	struct endpoint one = { .ip = { AF_INET, { 10, 8, 0, 1 } }, .port = 1 };
	struct krpc_message get = { .method = KRPC_GET_PEERS, .target.b = { 9 } };
	struct krpc_message put = { .method = KRPC_ANNOUNCE_PEER, .target.b = { 9 }, .port = 77 };
	struct krpc_message *m;
	struct host *h;

	(void)state;
	begin_world(19);
	h = add_node("10.7.0.1:6881");
	m = ask(h, &one, &get);
	put.token_len = m->token_len;
	memcpy(put.token, m->token, sizeof(put.token));
	set_clock(world.now.mono_ms + 5 * MINUTE);
	assert_int_equal(ask(h, &one, &put)->kind, KRPC_RESPONSE);
	set_clock(world.now.mono_ms + 6 * MINUTE);
	assert_int_equal(ask(h, &one, &put)->kind, KRPC_ERROR);
	(void)ask(h, &one, &get);
	assert_int_equal(ask(h, &one, &put)->kind, KRPC_ERROR);
}

static void nobody_outside_learns_of_addresses_inside(void **state)
{
	struct endpoint inside = { .ip = { AF_INET, { 10, 8, 0, 1 } }, .port = 1 };
	struct endpoint outside = { .ip = { AF_INET, { 8, 8, 8, 8 } }, .port = 1 };
	struct krpc_message get = { .method = KRPC_GET_PEERS, .target.b = { 9 } };
	struct krpc_message put = { .method = KRPC_ANNOUNCE_PEER, .target.b = { 9 }, .port = 77 };
	struct krpc_message *m;
	struct host *h;

	(void)state;
	begin_world(16);
	add_nodes(10, "10.7.0.");
	pass(2 * MINUTE);
	h = &world.host[1];
	m = ask(h, &inside, &get);
	assert_true(m->n_nodes >= 8);
	put.token_len = m->token_len;
	memcpy(put.token, m->token, sizeof(put.token));
	(void)ask(h, &inside, &put);
	m = ask(h, &outside, &get);
	assert_int_equal(m->n_nodes, 0);
	assert_int_equal(m->n_values, 0);
}

static void noise_of_every_kind_is_counted_and_answered_with_little(void **state)
{
	struct host *h;

	(void)state;
	begin_world(17);
	h = add_node("10.7.0.1:6881");
	for (unsigned int i = 0; i < 20000; i++) {
		struct endpoint from = { .ip = { AF_INET, { 10, 8, 0, 0 } }, .port = 1 };
		uint8_t buf[200];

		fill_random(&world, buf, sizeof(buf));
		if (i % 2)
			memcpy(buf, "d1:ad2:id20:", 12);
		fill_random(&world, &from.ip.b[1], 3);
		world.n_queued = 0;
		dhtcore_receive(h->core, buf, sizeof(buf), &from, world.now);
	}
	assert_int_equal(h->sent, 0);
	assert_int_equal(fate_of(h, DHT_IN_INVALID) + fate_of(h, DHT_IN_RATE_LIMITED), 20000);
}

static int close_world(void **state)
{
	(void)state;
	begin_world(0);
	return 0;
}

static int open_world(void **state)
{
	(void)state;
	return crypto_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_nodes_that_know_only_each_other_meet),
		cmocka_unit_test(each_of_thirty_nodes_finds_others_of_its_mesh_within_a_minute),
		cmocka_unit_test(ipv6_works_alone),
		cmocka_unit_test(what_is_announced_in_one_hour_is_found_in_the_next),
		cmocka_unit_test(every_node_announces_itself_anew_when_the_hour_changes),
		cmocka_unit_test(without_a_network_it_tries_for_ever_and_seldom),
		cmocka_unit_test(without_anybody_to_begin_with_nothing_is_sent),
		cmocka_unit_test(an_idle_node_is_quiet),
		cmocka_unit_test(a_family_that_is_not_there_is_looked_for_ever_more_seldom),
		cmocka_unit_test(the_nodes_of_the_last_run_are_enough_to_begin_with),
		cmocka_unit_test(nodes_that_are_all_gone_are_looked_for_again),
		cmocka_unit_test(two_nodes_meet_in_spite_of_liars_and_turn_against_nobody),
		cmocka_unit_test(a_response_that_nobody_asked_for_changes_nothing),
		cmocka_unit_test(what_comes_from_an_address_that_nobody_has_is_dropped),
		cmocka_unit_test(a_flood_of_queries_is_answered_at_a_rate),
		cmocka_unit_test(an_announcement_needs_the_token_of_its_own_address),
		cmocka_unit_test(a_token_grows_old_though_nobody_asks_for_another_one),
		cmocka_unit_test(nobody_outside_learns_of_addresses_inside),
		cmocka_unit_test(noise_of_every_kind_is_counted_and_answered_with_little),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/log.h"
#include "common/str.h"
#include "daemon/clock.h"
#include "daemon/discovery/exchange.h"
#include "daemon/discovery/ratelimit.h"
#include "daemon/net/udp.h"
#include "daemon/wire/envelope.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAM_GOOD 1400 /* larger ones become fragments */

static const uint8_t gossip_key[CRYPTO_KEY_LEN] = "all members know this one";
static const uint8_t other_key[CRYPTO_KEY_LEN] = "nobody here knows this one";

/**
 * struct side - A node that only writes down what it is told
 * @self:	What it says of itself
 * @n_announced: Announcements it was told of
 * @last:	The newest of them, its known peers left out
 */
struct side {
	struct exchange *x;
	struct endpoint at;
	struct discovery_handler handler;
	struct announcement self;
	unsigned int n_announced;
	struct announcement last;
	struct endpoint from;
	enum discovery_source source;
	int64_t rtt_us;
	struct view_counters counters;
	int64_t stale_at;
	unsigned int n_goodbyes;
	struct wg_key gone;
	int64_t gone_at;
};

/**
 * struct fixture - Two exchanges in one loop, and a socket that speaks as a third node
 */
struct fixture {
	struct event_base *base;
	struct side alice;
	struct side bob;
	struct udp raw;
	struct endpoint raw_at;
	unsigned int n_raw;
	struct endpoint raw_from;
	size_t raw_len;
	char raw_datagram[DISCOVERY_DATAGRAM_MAX];
};

static void describe(void *arg, struct announcement *out, bool with_known,
		     const struct endpoint *to)
{
	struct side *side = arg;

	(void)to;
	*out = side->self;
	if (!with_known)
		out->n_known = 0;
}

static void on_announcement(void *arg, const struct announcement *a,
			    const struct discovery_origin *o)
{
	struct side *side = arg;

	side->n_announced++;
	side->last = *a;
	side->last.known = NULL;
	side->from = o->from;
	side->source = o->source;
	side->rtt_us = o->rtt_us;
}

static void on_goodbye(void *arg, const struct wg_key *key, int64_t timestamp,
		       const struct endpoint *from)
{
	struct side *side = arg;

	side->n_goodbyes++;
	side->gone = *key;
	side->gone_at = timestamp;
	side->from = *from;
}

static void on_stale(void *arg, int64_t timestamp, const struct endpoint *from)
{
	struct side *side = arg;

	side->stale_at = timestamp;
	side->from = *from;
}

static uint64_t received(const struct side *side)
{
	uint64_t total = 0;

	for (size_t i = 0; i < FATE_COUNT; i++)
		total += side->counters.datagrams[i];
	return total;
}

static struct endpoint open_raw(struct udp *u)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct endpoint at;
	struct err e = { 0 };

	assert_int_equal(udp_open_any(u, 0, false, &e), 0);
	assert_int_equal(getsockname(u->fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr(&at, (struct sockaddr *)&ss), 0);
	at.ip = ip_of("127.0.0.1");
	return at;
}

/* Opens the exchange of peer @n on a port that is free. */
static void open_side(struct side *side, struct event_base *base, unsigned int n, bool once)
{
	struct exchange_config cfg = { .key = gossip_key, .once = once, .handler = &side->handler };
	struct udp probe;
	struct err e = { 0 };

	side->handler = (struct discovery_handler) {
		.arg = side,
		.describe = describe,
		.on_announcement = on_announcement,
		.on_goodbye = on_goodbye,
		.on_stale = on_stale,
		.counters = &side->counters,
	};
	side->self.self = peer_of(n);
	(void)str_copy(side->self.self.endpoint, sizeof(side->self.self.endpoint), "0.0.0.0:51820");
	side->at = open_raw(&probe);
	udp_close(&probe);
	cfg.port = side->at.port;
	assert_int_equal(exchange_open(&side->x, base, &cfg, &e), 0);
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->base = event_base_new();
	assert_non_null(f->base);
	open_side(&f->alice, f->base, 1, false);
	open_side(&f->bob, f->base, 2, false);
	f->raw_at = open_raw(&f->raw);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	exchange_close(f->alice.x);
	exchange_close(f->bob.x);
	udp_close(&f->raw);
	event_base_free(f->base);
	free(f);
	return 0;
}

/* --- speaking as a third node --------------------------------------------------------------- */

static size_t seal(char *out, enum message_type type, const char *plain, const uint8_t *key)
{
	uint8_t nonce[CRYPTO_NONCE_LEN];
	long len;

	crypto_random(nonce, sizeof(nonce));
	len = envelope_seal(out, DISCOVERY_DATAGRAM_MAX, type, plain, strlen(plain), nonce, key);
	assert_true(len > 0);
	return (size_t)len;
}

static void announcement_text(char plain[static 1024], unsigned int n)
{
	struct announcement a = { .self = peer_of(n), .timestamp = clock_now().unix_s };

	assert_true(announce_format(plain, 1024, &a) > 0);
}

static void goodbye_text(char plain[static 1024], unsigned int n)
{
	struct wg_key key = key_of(n);

	assert_true(goodbye_format(plain, 1024, &key, clock_now().unix_s) > 0);
}

static void send_bytes(const struct fixture *f, const void *bytes, size_t len,
		       const struct endpoint *to)
{
	assert_int_equal(udp_send(&f->raw, bytes, len, to, NULL), 0);
}

static void send_plain(const struct fixture *f, enum message_type type, const char *plain,
		       const uint8_t *key)
{
	char datagram[DISCOVERY_DATAGRAM_MAX];

	send_bytes(f, datagram, seal(datagram, type, plain, key), &f->bob.at);
}

static void send_hello(const struct fixture *f, unsigned int n)
{
	char plain[1024];

	announcement_text(plain, n);
	send_plain(f, MESSAGE_HELLO, plain, gossip_key);
}

/* Takes what has come for the third node; keeps the newest. */
static void take_raw(struct fixture *f)
{
	struct udp_local local;

	for (;;) {
		ssize_t n = udp_receive(&f->raw, f->raw_datagram, sizeof(f->raw_datagram),
					&f->raw_from, &local);

		if (n < 0)
			return;
		f->raw_len = (size_t)n;
		f->n_raw++;
	}
}

static void open_newest(const struct fixture *f, enum message_type type, struct announcement *out)
{
	struct envelope env;

	assert_int_equal(
		envelope_open(&env, f->raw_datagram, f->raw_len, gossip_key, clock_now().unix_s),
		ENVELOPE_OK);
	assert_int_equal(env.type, type);
	assert_int_equal(announce_parse(out, &env, true), ANNOUNCE_OK);
	envelope_free(&env);
}

/* Datagrams that reached Bob's bookkeeping. */
struct goal {
	struct fixture *f;
	uint64_t n;
};

static bool bob_has_received(void *arg)
{
	struct goal *goal = arg;

	take_raw(goal->f);
	return received(&goal->f->bob) >= goal->n;
}

/* Runs until Bob has dealt with @n datagrams, and so answered those that deserve it. */
static void let_bob_receive(struct fixture *f, uint64_t n)
{
	struct goal goal = { f, n };

	if (!loop_until(f->base, bob_has_received, &goal))
		fail_msg("Bob has received %lu of %lu", (unsigned long)received(&f->bob),
			 (unsigned long)n);
	take_raw(f);
}

/* --- HELLO and REPLY ------------------------------------------------------------------------ */

static bool both_were_told(void *arg)
{
	struct fixture *f = arg;

	return f->alice.n_announced > 0 && f->bob.n_announced > 0;
}

static void one_exchange_tells_each_of_the_other(void **state)
{
	struct fixture *f = *state;

	exchange_hello(f->alice.x, &f->bob.at, 0);
	assert_true(loop_until(f->base, both_were_told, f));
	assert_int_equal(f->bob.source, DISCOVERY_HELLO);
	assert_memory_equal(&f->bob.last.self.key, &f->alice.self.self.key, sizeof(struct wg_key));
	assert_true(endpoint_equal(&f->bob.from, &f->alice.at));
	assert_int_equal(f->alice.source, DISCOVERY_REPLY);
	assert_memory_equal(&f->alice.last.self.key, &f->bob.self.self.key, sizeof(struct wg_key));
	assert_true(endpoint_equal(&f->alice.from, &f->bob.at));
	assert_true(endpoint_equal(&f->alice.last.observed, &f->alice.at));
	assert_int_equal(f->alice.counters.hellos_sent, 1);
	assert_int_equal(f->bob.counters.replies_sent, 1);
	assert_int_equal(f->alice.counters.replies_sent, 0);
}

static void a_hello_is_answered_from_the_address_it_came_to(void **state)
{
	struct fixture *f = *state;
	struct endpoint other_address = f->bob.at;
	char datagram[DISCOVERY_DATAGRAM_MAX];
	char plain[1024];

	other_address.ip = ip_of("127.0.0.7");
	announcement_text(plain, 3);
	send_bytes(f, datagram, seal(datagram, MESSAGE_HELLO, plain, gossip_key), &other_address);
	let_bob_receive(f, 1);
	assert_int_equal(f->n_raw, 1);
	assert_true(endpoint_equal(&f->raw_from, &other_address));
}

static void a_visitor_is_answered_and_not_told_of(void **state)
{
	struct fixture *f = *state;
	struct announcement reply;
	struct str_out t = { .size = 1024 };
	char plain[1024];

	announcement_text(plain, 3);
	t.out = plain;
	t.len = strlen(plain) - 1;
	str_add(&t, ",\"visitor\":true}");
	send_plain(f, MESSAGE_HELLO, plain, gossip_key);
	let_bob_receive(f, 1);
	open_newest(f, MESSAGE_REPLY, &reply);
	announce_free(&reply);
	assert_int_equal(f->bob.n_announced, 0);
	/* The same key may come to stay. */
	send_hello(f, 3);
	let_bob_receive(f, 2);
	assert_int_equal(f->bob.n_announced, 1);
}

static void every_copy_of_a_hello_is_answered(void **state)
{
	struct fixture *f = *state;
	char datagram[DISCOVERY_DATAGRAM_MAX];
	char plain[1024];
	size_t len;

	announcement_text(plain, 3);
	len = seal(datagram, MESSAGE_HELLO, plain, gossip_key);
	for (int i = 0; i < 3; i++)
		send_bytes(f, datagram, len, &f->bob.at);
	let_bob_receive(f, 3);
	assert_int_equal(f->n_raw, 3);
}

static void a_reply_says_where_the_hello_came_from(void **state)
{
	struct fixture *f = *state;
	struct announcement reply;

	send_hello(f, 3);
	let_bob_receive(f, 1);
	open_newest(f, MESSAGE_REPLY, &reply);
	assert_true(endpoint_equal(&reply.observed, &f->raw_at));
	announce_free(&reply);
}

static void a_reply_that_nobody_asked_for_is_ignored(void **state)
{
	struct fixture *f = *state;
	char plain[1024];

	announcement_text(plain, 3);
	send_plain(f, MESSAGE_REPLY, plain, gossip_key);
	let_bob_receive(f, 1);
	assert_int_equal(f->bob.n_announced, 0);
}

static void only_the_address_that_was_asked_may_reply_and_only_once(void **state)
{
	struct fixture *f = *state;
	struct udp stranger;
	char datagram[DISCOVERY_DATAGRAM_MAX];
	char plain[1024];
	size_t len;

	(void)open_raw(&stranger);
	announcement_text(plain, 3);
	len = seal(datagram, MESSAGE_REPLY, plain, gossip_key);
	exchange_hello(f->bob.x, &f->raw_at, 0);
	assert_int_equal(udp_send(&stranger, datagram, len, &f->bob.at, NULL), 0);
	let_bob_receive(f, 1);
	assert_int_equal(f->bob.n_announced, 0);
	send_bytes(f, datagram, len, &f->bob.at);
	let_bob_receive(f, 2);
	assert_int_equal(f->bob.n_announced, 1);
	assert_int_equal(f->bob.source, DISCOVERY_REPLY);
	send_bytes(f, datagram, len, &f->bob.at);
	let_bob_receive(f, 3);
	assert_int_equal(f->bob.n_announced, 1);
	udp_close(&stranger);
}

/* --- starting exchanges --------------------------------------------------------------------- */

static bool raw_has_three(void *arg)
{
	struct fixture *f = arg;
	char first[DISCOVERY_DATAGRAM_MAX];
	unsigned int before = f->n_raw;

	memcpy(first, f->raw_datagram, sizeof(first));
	take_raw(f);
	/* Existing nodes recognise a repeated HELLO by its bytes. */
	assert_true(before == 0 || memcmp(first, f->raw_datagram, f->raw_len) == 0);
	return f->n_raw >= 3;
}

static void a_hello_without_an_answer_is_sent_again_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct announcement hello;

	exchange_hello(f->alice.x, &f->raw_at, 0);
	assert_true(loop_until(f->base, raw_has_three, f));
	assert_true(f->alice.counters.hellos_sent >= 3);
	open_newest(f, MESSAGE_HELLO, &hello);
	announce_free(&hello);
}

static void an_exchange_under_way_is_not_started_again_until_it_has_ended(void **state)
{
	struct fixture *f = *state;

	exchange_hello(f->alice.x, &f->bob.at, 0);
	exchange_hello(f->alice.x, &f->bob.at, 0);
	assert_int_equal(f->alice.counters.hellos_sent, 1);
	assert_true(loop_until(f->base, both_were_told, f));
	exchange_hello(f->alice.x, &f->bob.at, 0);
	assert_int_equal(f->alice.counters.hellos_sent, 2);
}

static bool raw_has_news(void *arg)
{
	struct fixture *f = arg;
	struct announcement hello;
	bool is_new;

	f->n_raw = 0;
	take_raw(f);
	if (f->n_raw == 0)
		return false;
	open_newest(f, MESSAGE_HELLO, &hello);
	is_new = strcmp(hello.self.endpoint, "198.51.100.9:51820") == 0;
	announce_free(&hello);
	return is_new;
}

static void a_hello_under_way_says_what_has_changed_meanwhile(void **state)
{
	struct fixture *f = *state;

	exchange_reseal(f->alice.x);
	assert_int_equal(f->alice.counters.hellos_sent, 0);
	exchange_hello(f->alice.x, &f->raw_at, METHOD_STATIC);
	(void)str_copy(f->alice.self.self.endpoint, sizeof(f->alice.self.self.endpoint),
		       "198.51.100.9:51820");
	exchange_reseal(f->alice.x);
	assert_true(loop_until(f->base, raw_has_news, f));
	/* It is still one exchange. */
	exchange_hello(f->alice.x, &f->raw_at, 0);
	assert_int_equal(f->alice.counters.hellos_sent, 2);
}

static void what_the_node_withholds_is_not_sent(void **state)
{
	struct fixture *f = *state;

	f->bob.self.is_withheld = true;
	exchange_hello(f->bob.x, &f->raw_at, 0);
	assert_int_equal(f->bob.counters.hellos_sent, 0);
	send_hello(f, 3);
	let_bob_receive(f, 1);
	take_raw(f);
	assert_int_equal(f->n_raw, 0);
	assert_int_equal(f->bob.n_announced, 1);
}

static void an_exchange_with_nobody_is_not_started(void **state)
{
	struct fixture *f = *state;
	struct endpoint no_port = { .ip = ip_of("127.0.0.1") };
	struct endpoint none = { .port = 9 };

	exchange_hello(f->alice.x, &no_port, 0);
	exchange_hello(f->alice.x, &none, 0);
	assert_int_equal(f->alice.counters.hellos_sent, 0);
}

static bool alice_has_sent_three(void *arg)
{
	struct fixture *f = arg;

	return f->alice.counters.hellos_sent >= 3;
}

static bool side_was_told(void *arg)
{
	return ((struct side *)arg)->n_announced > 0;
}

static void without_punching_a_hello_is_sent_once_and_its_answer_awaited(void **state)
{
	struct fixture *f = *state;
	struct side carol = { 0 };
	char datagram[DISCOVERY_DATAGRAM_MAX];
	char plain[1024];

	open_side(&carol, f->base, 4, true);
	exchange_hello(carol.x, &f->raw_at, 0);
	/* Alice's third send comes 300 ms later; Carol's second would have come before. */
	exchange_hello(f->alice.x, &f->raw_at, 0);
	assert_true(loop_until(f->base, alice_has_sent_three, f));
	assert_int_equal(carol.counters.hellos_sent, 1);
	announcement_text(plain, 3);
	send_bytes(f, datagram, seal(datagram, MESSAGE_REPLY, plain, gossip_key), &carol.at);
	assert_true(loop_until(f->base, side_was_told, &carol));
	exchange_close(carol.x);
}

/* --- GOODBYE -------------------------------------------------------------------------------- */

static bool bob_was_told_goodbye(void *arg)
{
	struct fixture *f = arg;

	return f->bob.n_goodbyes > 0;
}

static void a_goodbye_arrives_with_its_key_and_time(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_now().unix_s;

	exchange_goodbye(f->alice.x, &f->bob.at, &f->alice.self.self.key);
	assert_true(loop_until(f->base, bob_was_told_goodbye, f));
	assert_memory_equal(&f->bob.gone, &f->alice.self.self.key, sizeof(struct wg_key));
	assert_true(f->bob.gone_at >= now && f->bob.gone_at <= now + LOOP_PATIENCE_S);
	assert_true(endpoint_equal(&f->bob.from, &f->alice.at));
	assert_int_equal(f->bob.counters.replies_sent, 0);
}

static void an_announcement_relabelled_as_goodbye_is_refused(void **state)
{
	struct fixture *f = *state;
	char plain[1024];

	announcement_text(plain, 3);
	send_plain(f, MESSAGE_GOODBYE, plain, gossip_key);
	let_bob_receive(f, 1);
	assert_int_equal(f->bob.n_goodbyes, 0);
	assert_int_equal(f->bob.counters.datagrams[FATE_INVALID], 1);
}

static void a_goodbye_relabelled_as_hello_is_refused_and_not_answered(void **state)
{
	struct fixture *f = *state;
	char plain[1024];

	goodbye_text(plain, 3);
	send_plain(f, MESSAGE_HELLO, plain, gossip_key);
	let_bob_receive(f, 1);
	assert_int_equal(f->bob.n_announced, 0);
	assert_int_equal(f->n_raw, 0);
	assert_int_equal(f->bob.counters.datagrams[FATE_INVALID], 1);
}

/* --- what is not for us --------------------------------------------------------------------- */

static void what_another_secret_sealed_is_counted_as_not_ours(void **state)
{
	struct fixture *f = *state;
	char plain[1024];

	announcement_text(plain, 3);
	send_plain(f, MESSAGE_HELLO, plain, other_key);
	goodbye_text(plain, 3);
	send_plain(f, MESSAGE_GOODBYE, plain, other_key);
	let_bob_receive(f, 2);
	assert_int_equal(f->bob.counters.datagrams[FATE_NOT_OURS], 2);
	assert_int_equal(f->bob.counters.datagrams[FATE_INVALID], 0);
	assert_int_equal(f->bob.n_announced + f->bob.n_goodbyes, 0);
	assert_int_equal(f->n_raw, 0);
}

static void noise_and_empty_datagrams_disturb_nobody(void **state)
{
	struct fixture *f = *state;

	send_bytes(f, "", 0, &f->bob.at);
	send_bytes(f, "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", 56, &f->bob.at);
	send_hello(f, 3);
	let_bob_receive(f, 2);
	assert_int_equal(f->bob.counters.datagrams[FATE_NOT_OURS], 1);
	assert_int_equal(f->n_raw, 1);
}

static void other_types_of_members_are_neither_answered_nor_held_against_them(void **state)
{
	static const enum message_type types[] = { MESSAGE_ANNOUNCE, MESSAGE_RENDEZVOUS_OFFER,
						   MESSAGE_RENDEZVOUS_START, MESSAGE_UNKNOWN };
	struct fixture *f = *state;
	char plain[1024];

	announcement_text(plain, 3);
	for (size_t i = 0; i < 4; i++)
		send_plain(f, types[i], plain, gossip_key);
	let_bob_receive(f, 4);
	assert_int_equal(f->bob.n_announced + f->bob.n_goodbyes + f->n_raw, 0);
	assert_int_equal(f->bob.counters.datagrams[FATE_INVALID], 0);
	assert_int_equal(f->bob.counters.datagrams[FATE_NOT_OURS], 0);
}

static void a_member_of_another_time_is_counted_as_stale_and_told_of(void **state)
{
	static const int64_t distances[] = { ENVELOPE_MAX_AGE_S + 60, -ENVELOPE_MAX_AGE_S - 60 };
	struct fixture *f = *state;
	char plain[1024];

	for (unsigned int i = 0; i < 2; i++) {
		struct announcement a = { .self = peer_of(3),
					  .timestamp = clock_now().unix_s + distances[i] };

		assert_true(announce_format(plain, sizeof(plain), &a) > 0);
		send_plain(f, MESSAGE_HELLO, plain, gossip_key);
		let_bob_receive(f, i + 1);
		assert_int_equal(f->bob.stale_at, a.timestamp);
	}
	assert_int_equal(f->bob.counters.datagrams[FATE_STALE], 2);
	assert_int_equal(f->bob.counters.datagrams[FATE_NOT_OURS], 0);
	assert_int_equal(f->bob.n_announced + f->n_raw, 0);
}

static void a_reply_that_nobody_asked_for_counts_as_invalid(void **state)
{
	struct fixture *f = *state;
	char plain[1024];

	announcement_text(plain, 3);
	send_plain(f, MESSAGE_REPLY, plain, gossip_key);
	let_bob_receive(f, 1);
	assert_int_equal(f->bob.counters.datagrams[FATE_INVALID], 1);
	assert_int_equal(f->bob.n_announced, 0);
}

static void the_round_trip_of_a_hello_that_was_sent_once_is_told(void **state)
{
	struct fixture *f = *state;

	exchange_hello(f->alice.x, &f->bob.at, 0);
	assert_true(loop_until(f->base, both_were_told, f));
	assert_int_equal(f->alice.counters.hellos_sent, 1);
	assert_in_range(f->alice.rtt_us, 1, LOOP_PATIENCE_S * 1000000);
	assert_int_equal(f->bob.rtt_us, 0);
}

/* The answer could be that to the first one, or to the second. */
static void the_round_trip_of_a_hello_that_was_sent_again_is_not_known(void **state)
{
	struct fixture *f = *state;
	char plain[1024];

	exchange_hello(f->alice.x, &f->raw_at, 0);
	assert_true(loop_until(f->base, alice_has_sent_three, f));
	announcement_text(plain, 3);
	send_bytes(f, f->raw_datagram, seal(f->raw_datagram, MESSAGE_REPLY, plain, gossip_key),
		   &f->alice.at);
	assert_true(loop_until(f->base, side_was_told, &f->alice));
	assert_int_equal(f->alice.source, DISCOVERY_REPLY);
	assert_int_equal(f->alice.rtt_us, 0);
}

static void a_flood_from_one_address_leaves_the_others_their_share(void **state)
{
	struct fixture *f = *state;
	const struct view_counters *counters = &f->bob.counters;
	uint64_t limited;
	struct udp_local elsewhere = { .ip = ip_of("127.0.0.9") };
	char datagram[DISCOVERY_DATAGRAM_MAX];
	char plain[1024];
	size_t len;

	announcement_text(plain, 3);
	len = seal(datagram, MESSAGE_HELLO, plain, gossip_key);
	for (int i = 0; i < 2 * RATELIMIT_BURST; i++)
		send_bytes(f, datagram, len, &f->bob.at);
	let_bob_receive(f, 2 * RATELIMIT_BURST);
	/* On a slow machine a few tokens come back meanwhile. */
	limited = counters->datagrams[FATE_RATE_LIMITED];
	assert_in_range(limited, RATELIMIT_BURST / 2, RATELIMIT_BURST);
	assert_int_equal(counters->replies_sent, 2 * RATELIMIT_BURST - limited);
	assert_int_equal(udp_send(&f->raw, datagram, len, &f->bob.at, &elsewhere), 0);
	let_bob_receive(f, 2 * RATELIMIT_BURST + 1);
	assert_true(ip_equal(&f->bob.from.ip, &elsewhere.ip));
}

/* --- what we send --------------------------------------------------------------------------- */

static void known_peers_are_told_as_far_as_no_fragment_is_needed(void **state)
{
	struct fixture *f = *state;
	struct known_peer known[20];
	struct announcement reply;

	for (unsigned int i = 0; i < 20; i++) {
		known[i] = peer_of(5 + i);
		(void)str_copy(known[i].endpoint, sizeof(known[i].endpoint), "192.0.2.1:51820");
	}
	f->bob.self.known = known;
	f->bob.self.n_known = 20;
	send_hello(f, 3);
	let_bob_receive(f, 1);
	assert_in_range(f->raw_len, 1, DATAGRAM_GOOD);
	open_newest(f, MESSAGE_REPLY, &reply);
	assert_in_range(reply.n_known, 1, 19);
	announce_free(&reply);
}

static void a_node_with_a_hundred_routes_still_announces_all_of_them(void **state)
{
	struct fixture *f = *state;
	struct known_peer known = peer_of(5);
	struct announcement reply;

	for (size_t i = 0; i < ANNOUNCE_ROUTES_MAX; i++) {
		f->bob.self.routes[i] = prefix_of("192.168.100.0/24");
		f->bob.self.routes[i].ip.b[2] = (uint8_t)(100 + i);
	}
	f->bob.self.n_routes = ANNOUNCE_ROUTES_MAX;
	f->bob.self.known = &known;
	f->bob.self.n_known = 1;
	send_hello(f, 3);
	let_bob_receive(f, 1);
	open_newest(f, MESSAGE_REPLY, &reply);
	assert_int_equal(reply.n_routes, ANNOUNCE_ROUTES_MAX);
	assert_int_equal(reply.n_known, 0);
	announce_free(&reply);
}

static bool bob_was_told_goodbye_twice(void *arg)
{
	const struct fixture *f = arg;

	return f->bob.n_goodbyes > 1;
}

static void who_has_stopped_says_goodbye_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	exchange_hello(f->alice.x, &f->raw_at, 0);
	exchange_stop(f->alice.x);
	exchange_hello(f->bob.x, &f->alice.at, 0);
	exchange_hello(f->alice.x, &f->bob.at, 0);
	exchange_goodbye(f->alice.x, &f->bob.at, &f->alice.self.self.key);
	assert_true(loop_until(f->base, bob_was_told_goodbye, f));
	/* A second one, so that the loop has been at the HELLO, too. */
	exchange_goodbye(f->alice.x, &f->bob.at, &f->alice.self.self.key);
	assert_true(loop_until(f->base, bob_was_told_goodbye_twice, f));
	assert_int_equal(f->alice.n_announced + f->bob.n_announced, 0);
	assert_int_equal(f->alice.counters.replies_sent, 0);
	assert_int_equal(f->alice.counters.hellos_sent, 1);
}

static void closing_ends_what_is_under_way(void **state)
{
	struct fixture *f = *state;

	exchange_hello(f->alice.x, &f->raw_at, 0);
	exchange_hello(f->alice.x, &f->bob.at, 0);
	exchange_close(f->alice.x);
	f->alice.x = NULL;
	let_bob_receive(f, 1);
	assert_int_equal(f->alice.n_announced, 0);
}

static void the_port_of_another_node_is_refused_and_the_cure_named(void **state)
{
	const struct fixture *f = *state;
	const struct exchange_config cfg = { .key = gossip_key, .port = f->alice.at.port };
	struct exchange *second = NULL;
	struct err e = { 0 };

	assert_int_equal(exchange_open(&second, f->base, &cfg, &e), -EADDRINUSE);
	assert_null(second);
	assert_int_equal(e.exit_code, EXITS_SYSTEM);
	assert_non_null(strstr(e.msg, "give each a network of its own"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_exchange_tells_each_of_the_other),
		T(a_hello_is_answered_from_the_address_it_came_to),
		T(a_visitor_is_answered_and_not_told_of),
		T(every_copy_of_a_hello_is_answered),
		T(a_reply_says_where_the_hello_came_from),
		T(a_reply_that_nobody_asked_for_is_ignored),
		T(only_the_address_that_was_asked_may_reply_and_only_once),
		T(a_hello_without_an_answer_is_sent_again_byte_for_byte),
		T(an_exchange_under_way_is_not_started_again_until_it_has_ended),
		T(a_hello_under_way_says_what_has_changed_meanwhile),
		T(what_the_node_withholds_is_not_sent),
		T(an_exchange_with_nobody_is_not_started),
		T(without_punching_a_hello_is_sent_once_and_its_answer_awaited),
		T(a_goodbye_arrives_with_its_key_and_time),
		T(an_announcement_relabelled_as_goodbye_is_refused),
		T(a_goodbye_relabelled_as_hello_is_refused_and_not_answered),
		T(what_another_secret_sealed_is_counted_as_not_ours),
		T(noise_and_empty_datagrams_disturb_nobody),
		T(other_types_of_members_are_neither_answered_nor_held_against_them),
		T(a_member_of_another_time_is_counted_as_stale_and_told_of),
		T(a_reply_that_nobody_asked_for_counts_as_invalid),
		T(the_round_trip_of_a_hello_that_was_sent_once_is_told),
		T(the_round_trip_of_a_hello_that_was_sent_again_is_not_known),
		T(a_flood_from_one_address_leaves_the_others_their_share),
		T(known_peers_are_told_as_far_as_no_fragment_is_needed),
		T(a_node_with_a_hundred_routes_still_announces_all_of_them),
		T(who_has_stopped_says_goodbye_and_nothing_else),
		T(closing_ends_what_is_under_way),
		T(the_port_of_another_node_is_refused_and_the_cure_named),
	};

	(void)log_init("test", LOG_FORMAT_TEXT, "error");
	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

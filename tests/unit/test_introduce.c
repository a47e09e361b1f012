/* SPDX-License-Identifier: MIT */
#include "daemon/nat/introduce.h"
#include "daemon/wire/json.h"
#include "tests/unit/fixtures.h"
#include "tests/unit/vectors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BOB   "cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A="
#define CAROL "bf0GTbhoB86DZjM/aQKoJxN7499Y7jdigZ+GBQmMbXY="
#define ZERO  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PAIR  "48082b61a6349283"
#define ASKS  "{\"from_pubkey\":\"" BOB "\",\"target_pubkey\":\"" CAROL "\""
#define TELLS "{\"pair_id\":\"" PAIR "\",\"peer_pubkey\":\"" CAROL "\""
#define NOW_S 1767225600

static struct envelope envelope_of(const char *body)
{
	struct envelope env = { .timestamp = NOW_S };

	env.body = json_parse(body, strlen(body), NULL);
	if (!env.body)
		fail_msg("no JSON: %s", body);
	return env;
}

static int read_offer(struct offer *out, const char *body)
{
	struct envelope env = envelope_of(body);
	int r = offer_parse(out, &env);

	envelope_free(&env);
	return r;
}

static int read_start(struct start *out, const char *body)
{
	struct envelope env = envelope_of(body);
	int r = start_parse(out, &env);

	envelope_free(&env);
	return r;
}

static void refuse_offer(const char *body)
{
	struct offer o;

	if (read_offer(&o, body) != -EINVAL)
		fail_msg("was taken: %s", body);
}

static void refuse_start(const char *body)
{
	struct start s;

	if (read_start(&s, body) != -EINVAL)
		fail_msg("was taken: %s", body);
}

static void an_offer_of_the_vectors_is_read_and_written(void **state)
{
	const json_t *item;
	size_t seen = 0;
	size_t i;

	(void)state;
	json_array_foreach (vector_list(vectors_section("envelopes"), "sealed"), i, item) {
		const char *plain = vector_text(item, "plaintext");
		bool is_offer = strcmp(vector_text(item, "type"), "RENDEZVOUS_OFFER") == 0;
		char out[INTRODUCE_PLAIN_MAX];
		struct offer offer;
		struct start start;

		if (is_offer) {
			assert_int_equal(read_offer(&offer, plain), 0);
			assert_true(offer_format(out, sizeof(out), &offer, NOW_S) > 0);
		} else if (strcmp(vector_text(item, "type"), "RENDEZVOUS_START") == 0) {
			assert_int_equal(read_start(&start, plain), 0);
			assert_true(start_format(out, sizeof(out), &start) > 0);
		} else {
			continue;
		}
		assert_string_equal(out, plain);
		seen++;
	}
	assert_int_equal(seen, 2);
}

static void an_offer_names_two_nodes_and_their_pair(void **state)
{
	struct offer o;

	(void)state;
	assert_int_equal(read_offer(&o, ASKS "}"), 0);
	assert_int_equal(read_offer(&o, ASKS ",\"pair_id\":\"\"}"), 0);
	assert_int_equal(read_offer(&o, ASKS ",\"PAIR_ID\":\"" PAIR "\"}"), 0);
	assert_true(o.seed == UINT64_C(0x48082b61a6349283));
	refuse_offer(ASKS ",\"pair_id\":\"48082b61a6349284\"}");
	refuse_offer(ASKS ",\"pair_id\":\"48082b61a63492830\"}");
	refuse_offer(ASKS ",\"pair_id\":1}");
	refuse_offer("{\"from_pubkey\":\"" BOB "\"}");
	refuse_offer("{\"target_pubkey\":\"" BOB "\"}");
	refuse_offer("{\"from_pubkey\":\"" BOB "\",\"target_pubkey\":\"" BOB "\"}");
	refuse_offer("{\"from_pubkey\":\"" BOB "\",\"target_pubkey\":\"" ZERO "\"}");
	refuse_offer("{\"from_pubkey\":\"" BOB "\",\"target_pubkey\":\"short\"}");
	refuse_offer("{\"from_pubkey\":\"" BOB "\",\"target_pubkey\":[]}");
}

static void only_literals_that_we_would_send_to_are_candidates(void **state)
{
	struct offer o;

	(void)state;
	assert_int_equal(read_offer(&o, ASKS ",\"candidates\":[\"203.0.113.9:52001\",\"bad\",null,"
					     "\"example.org:52000\",\"127.0.0.1:52000\","
					     "\"203.0.113.9:53\",\"203.0.113.9:52001\","
					     "\"[::ffff:203.0.113.10]:52001\"],"
					     "\"observed_addr\":\"198.51.100.1:52000\"}"),
			 0);
	assert_int_equal(o.candidates.n, 3);
	assert_endpoint(&o.candidates.at[0], "203.0.113.9:52001");
	assert_endpoint(&o.candidates.at[1], "203.0.113.10:52001");
	assert_endpoint(&o.candidates.at[2], "198.51.100.1:52000");
	refuse_offer(ASKS ",\"candidates\":\"203.0.113.9:52001\"}");
	refuse_offer(ASKS ",\"candidates\":[1]}");
	refuse_offer(ASKS ",\"observed_addr\":7}");
}

/* A START with so many candidates. */
static int read_many(struct start *out, int n)
{
	static char body[1 << 14];
	size_t len = (size_t)snprintf(body, sizeof(body), "%s", TELLS ",\"peer_candidates\":[");

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len, "%s\"203.0.113.9:%d\"",
					i > 0 ? "," : "", 2000 + i);
	(void)snprintf(body + len, sizeof(body) - len, "]}");
	return read_start(out, body);
}

static void candidates_are_bounded(void **state)
{
	struct start s;

	(void)state;
	assert_int_equal(read_many(&s, INTRODUCE_LIST_MAX), 0);
	assert_int_equal(s.candidates.n, RENDEZVOUS_CANDIDATES_MAX);
	assert_int_equal(read_many(&s, INTRODUCE_LIST_MAX + 1), -EINVAL);
}

static void a_start_says_whom_to_meet_where_and_when(void **state)
{
	struct start s;

	(void)state;
	assert_int_equal(read_start(&s, TELLS ",\"start_at_unix_ms\":1767225601800,"
					      "\"peer_endpoint\":\"203.0.113.9:40000\","
					      "\"introducer_key\":\"" BOB "\"}"),
			 0);
	assert_string_equal(s.pair_id, PAIR);
	assert_endpoint(&s.peer_endpoint, "203.0.113.9:40000");
	assert_true(s.has_introducer);
	assert_int_equal(start_delay_ms(&s, INT64_C(1767225600500)), 1300);
	assert_int_equal(read_start(&s, TELLS ",\"introducer_key\":\"\"}"), 0);
	assert_false(s.has_introducer);
	assert_int_equal(s.peer_endpoint.ip.family, 0);
	refuse_start("{\"pair_id\":\"" PAIR "\"}");
	refuse_start(TELLS ",\"start_at_unix_ms\":-1}");
	refuse_start(TELLS ",\"start_at_unix_ms\":1.5}");
	refuse_start(TELLS ",\"start_at_unix_ms\":9223372036854775807}");
	refuse_start(TELLS ",\"start_at_unix_ms\":\"now\"}");
	refuse_start(TELLS ",\"introducer_key\":{}}");
	refuse_start(TELLS ",\"peer_endpoint\":1}");
	refuse_start("{\"pair_id\":\"" PAIR PAIR "\",\"peer_pubkey\":\"" CAROL "\"}");
}

static void an_endpoint_that_we_would_not_send_to_is_none(void **state)
{
	static const char *const texts[] = { "127.0.0.1:51820",	  "0.0.0.0:51820",
					     "203.0.113.9:53",	  "203.0.113.9:0",
					     "203.0.113.9",	  "host.example:51820",
					     "[fe80::1]:51820",	  "239.1.1.1:51820",
					     "203.0.113.9:70000", "" };
	char body[256];
	struct start s;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)snprintf(body, sizeof(body), TELLS ",\"peer_endpoint\":\"%s\"}", texts[i]);
		assert_int_equal(read_start(&s, body), 0);
		if (s.peer_endpoint.ip.family != 0)
			fail_msg("%s was taken", texts[i]);
	}
}

static void what_the_introducer_knows_of_the_peer_is_taken_along(void **state)
{
	static const char entry[] = "\"peer\":{\"wg_pubkey\":\"%s\",\"mesh_ip\":\"10.77.1.3\"}";
	char body[512];
	char out[INTRODUCE_PLAIN_MAX];
	char peer[160];
	struct start s;

	(void)state;
	(void)snprintf(peer, sizeof(peer), entry, CAROL);
	(void)snprintf(body, sizeof(body), TELLS ",%s,\"peer_is_ours\":true}", peer);
	assert_int_equal(read_start(&s, body), 0);
	assert_int_equal(s.who.mesh_ip.family, AF_INET);
	assert_true(s.is_ours);
	assert_true(start_format(out, sizeof(out), &s) > 0);
	assert_int_equal(read_start(&s, out), 0);
	assert_int_equal(s.who.mesh_ip.family, AF_INET);
	assert_true(s.is_ours);
	/* Of somebody else, or not in order: the key is all that is known. */
	(void)snprintf(peer, sizeof(peer), entry, BOB);
	(void)snprintf(body, sizeof(body), TELLS ",%s,\"peer_is_ours\":1}", peer);
	assert_int_equal(read_start(&s, body), 0);
	assert_int_equal(s.who.mesh_ip.family, 0);
	assert_memory_equal(&s.who.key, &s.peer, sizeof(s.peer));
	assert_false(s.is_ours);
	assert_int_equal(read_start(&s, TELLS ",\"peer\":[]}"), 0);
	assert_int_equal(s.who.mesh_ip.family, 0);
}

static void the_wait_for_a_start_is_bounded_whatever_the_clocks_say(void **state)
{
	const int64_t sent_ms = INT64_C(1000) * NOW_S;
	struct start s = { .timestamp = NOW_S, .start_ms = sent_ms + 1800 };

	(void)state;
	assert_int_equal(start_delay_ms(&s, sent_ms), 1800);
	assert_int_equal(start_delay_ms(&s, sent_ms + 1750), START_DELAY_MIN_MS);
	/* Our clock is minutes off: that of the introducer alone counts. */
	assert_int_equal(start_delay_ms(&s, sent_ms + 60000), 1800);
	assert_int_equal(start_delay_ms(&s, sent_ms - 60000), 1800);
	s.start_ms = sent_ms + 3600000;
	assert_int_equal(start_delay_ms(&s, sent_ms), START_DELAY_MAX_MS);
	s.start_ms = 1;
	assert_int_equal(start_delay_ms(&s, sent_ms), START_DELAY_MIN_MS);
	s.start_ms = 0;
	assert_int_equal(start_delay_ms(&s, sent_ms), START_DELAY_MIN_MS);
}

static void the_largest_start_fits_one_datagram(void **state)
{
	struct start s = { .timestamp = NOW_S, .start_ms = 1, .has_introducer = true };
	char out[INTRODUCE_PLAIN_MAX];

	(void)state;
	s.peer = key_of(3);
	s.introducer = s.peer;
	(void)rendezvous_pair_id(s.pair_id, UINT64_MAX);
	s.peer_endpoint = endpoint_of("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535");
	for (uint16_t i = 0; i < RENDEZVOUS_CANDIDATES_MAX; i++) {
		struct endpoint at = s.peer_endpoint;

		at.port = (uint16_t)(at.port - i);
		rendezvous_add(&s.candidates, &at);
	}
	assert_int_equal(start_format(out, sizeof(out), &s), -EMSGSIZE);
	s.candidates.n = 10;
	assert_true(start_format(out, sizeof(out), &s) > 0);
	for (size_t i = 0; i < RENDEZVOUS_CANDIDATES_MAX; i++)
		s.candidates.at[i] = endpoint_of("203.0.113.255:65535");
	s.candidates.n = RENDEZVOUS_CANDIDATES_MAX;
	assert_true(start_format(out, sizeof(out), &s) > 0);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_offer_of_the_vectors_is_read_and_written),
		T(an_offer_names_two_nodes_and_their_pair),
		T(only_literals_that_we_would_send_to_are_candidates),
		T(candidates_are_bounded),
		T(a_start_says_whom_to_meet_where_and_when),
		T(an_endpoint_that_we_would_not_send_to_is_none),
		T(what_the_introducer_knows_of_the_peer_is_taken_along),
		T(the_wait_for_a_start_is_bounded_whatever_the_clocks_say),
		T(the_largest_start_fits_one_datagram),
	};

	return cmocka_run_group_tests_name("introduce", tests, NULL, NULL);
}

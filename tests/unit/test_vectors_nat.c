/* SPDX-License-Identifier: MIT */
#include "daemon/nat/relay.h"
#include "daemon/nat/rendezvous.h"
#include "daemon/wire/token.h"
#include "tests/unit/vectors.h"

#include <stdio.h>

#define SPAN_S 20 /* the longer of the two periods */

static uint64_t seed_of(const json_t *pair)
{
	return rendezvous_pair_seed(vector_text(pair, "a"), vector_text(pair, "b"));
}

static void pairs_have_their_seeds_and_ids_from_both_ends(void **state)
{
	const json_t *pair;
	size_t i;

	(void)state;
	json_array_foreach (vector_list(vectors_section("rendezvous"), "pairs"), i, pair) {
		uint64_t back =
			rendezvous_pair_seed(vector_text(pair, "b"), vector_text(pair, "a"));
		char text[RENDEZVOUS_PAIR_ID_SIZE];

		assert_true(seed_of(pair) == back);
		assert_string_equal(rendezvous_pair_id(text, back), vector_text(pair, "pair_id"));
		assert_string_equal(text, vector_text(pair, "pair_seed_hex"));
	}
}

static bool lists(const json_t *list, int64_t second)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_integer_value(item) == second)
			return true;
	return false;
}

/* Every second from the first that is listed to the last, and those around them. */
static void assert_windows(uint64_t seed, const json_t *list, struct rendezvous_window w)
{
	int64_t first = json_integer_value(json_array_get(list, 0));
	int64_t last = json_integer_value(json_array_get(list, json_array_size(list) - 1));

	for (int64_t s = first - w.period_s + w.length_s; s <= last + w.period_s - w.length_s;
	     s++) {
		int64_t next = s;

		assert_int_equal(rendezvous_is_in_window(seed, s, w), lists(list, s));
		while (next <= last && !lists(list, next))
			next++;
		if (next <= last)
			assert_int_equal(rendezvous_next_window(seed, s, w), next);
	}
}

static void the_windows_of_a_pair_are_open_in_exactly_their_seconds(void **state)
{
	const json_t *pair;
	size_t i;

	(void)state;
	json_array_foreach (vector_list(vectors_section("rendezvous"), "pairs"), i, pair) {
		uint64_t seed = seed_of(pair);

		assert_int_equal(seed % SPAN_S, vector_int(pair, "window20_offset"));
		assert_int_equal(seed % 8, vector_int(pair, "window8_offset"));
		assert_windows(seed, vector_list(pair, "in_window20_4_at"), RENDEZVOUS_WINDOW);
		assert_windows(seed, vector_list(pair, "in_window8_2_at"), RENDEZVOUS_WINDOW_IPV6);
	}
}

static void existing_nodes_choose_the_relay_that_the_vectors_say(void **state)
{
	const json_t *list = vector_list(vectors_section("rendezvous"), "relay_choice_directional");
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach (list, i, item) {
		const json_t *keys = vector_list(item, "candidates");
		struct relay_pool pool = { 0 };
		uint16_t slot;

		for (size_t k = json_array_size(keys); k-- > 0;)
			relay_pool_add(&pool, json_string_value(json_array_get(keys, k)),
				       (uint16_t)k);
		/* The vectors are from the point of view of the existing node. */
		slot = relay_choose_as_existing(&pool, vector_text(item, "local"),
						vector_text(item, "peer"));
		assert_string_equal(json_string_value(json_array_get(keys, slot)),
				    vector_text(item, "relay"));
	}
}

static void introducers_are_asked_in_the_order_of_the_vectors(void **state)
{
	const json_t *section = json_object_get(vectors_section("rendezvous"), "introducer_order");
	uint64_t seed =
		rendezvous_pair_seed(vector_text(section, "local"), vector_text(section, "remote"));
	struct rendezvous_introducer pool[RENDEZVOUS_POOL_MAX];
	struct rendezvous_introducer out[RENDEZVOUS_INTRODUCERS_MAX];
	const json_t *order = vector_list(section, "order");
	const json_t *item;
	size_t n = 0;

	(void)state;
	json_array_foreach (vector_list(section, "candidates"), n, item) {
		(void)snprintf(pool[n].key_text, sizeof(pool[n].key_text), "%s",
			       json_string_value(json_array_get(item, 0)));
		pool[n].is_explicit = json_is_true(json_array_get(item, 1));
	}
	assert_int_equal(rendezvous_choose(pool, n, seed, out), json_array_size(order));
	for (size_t i = 0; i < json_array_size(order); i++)
		assert_string_equal(out[i].key_text, json_string_value(json_array_get(order, i)));
}

static void ports_are_spread_as_in_the_vectors(void **state)
{
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach (vector_list(vectors_section("rendezvous"), "port_spread"), i, item) {
		const json_t *want = json_object_get(item, "out");
		struct rendezvous_candidates in = { 0 };
		struct rendezvous_candidates out;
		const json_t *text;
		size_t k;

		json_array_foreach (json_object_get(item, "in"), k, text) {
			struct endpoint at;

			if (endpoint_parse(&at, json_string_value(text)) == 0)
				rendezvous_add(&in, &at);
		}
		rendezvous_spread(&out, &in);
		assert_int_equal(out.n, json_array_size(want));
		for (k = 0; k < out.n; k++) {
			char got[ENDPOINT_TEXT_SIZE];

			assert_string_equal(endpoint_format(got, &out.at[k]),
					    json_string_value(json_array_get(want, k)));
		}
	}
}

static void tokens_of_each_hour_are_those_of_the_vectors(void **state)
{
	const json_t *section = vectors_section("tokens");
	const char *pubkey = vector_text(section, "wg_pubkey");
	uint8_t membership[CRYPTO_KEY_LEN];
	uint8_t token[TOKEN_LEN];
	const json_t *item;
	size_t i;

	(void)state;
	from_hex(membership, sizeof(membership), vector_text(section, "membership_key_hex"));
	json_array_foreach (vector_list(section, "tokens"), i, item) {
		int64_t hour = vector_int(item, "hour");

		token_make(token, membership, pubkey, hour);
		assert_hex(token, sizeof(token), vector_text(item, "token_hex"));
		assert_true(token_check(token, membership, pubkey, hour * 3600));
	}
}

static void a_rotation_is_announced_and_signed_as_in_the_vectors(void **state)
{
	const json_t *section = vectors_section("tokens");
	const json_t *item = json_object_get(section, "rotation");
	const char *text = vector_text(item, "new_secret");
	uint8_t membership[CRYPTO_KEY_LEN];
	uint8_t signature[CRYPTO_SHA256_LEN];
	struct secret secret;
	struct rotation r;
	struct err e = { 0 };
	char b64[64];

	(void)state;
	from_hex(membership, sizeof(membership), vector_text(section, "membership_key_hex"));
	assert_int_equal(secret_parse(&secret, text, strlen(text), &e), 0);
	rotation_announce(&r, &secret, vector_int(item, "grace_period"),
			  vector_int(item, "timestamp"));
	crypto_base64(b64, sizeof(b64), r.new_hash, sizeof(r.new_hash));
	assert_string_equal(b64, vector_text(item, "new_secret_hash_b64"));
	rotation_sign(signature, &r, membership);
	crypto_base64(b64, sizeof(b64), signature, sizeof(signature));
	assert_string_equal(b64, vector_text(item, "signature_b64"));
	assert_true(rotation_check(&r, signature, membership));
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pairs_have_their_seeds_and_ids_from_both_ends),
		T(the_windows_of_a_pair_are_open_in_exactly_their_seconds),
		T(existing_nodes_choose_the_relay_that_the_vectors_say),
		T(introducers_are_asked_in_the_order_of_the_vectors),
		T(ports_are_spread_as_in_the_vectors),
		T(tokens_of_each_hour_are_those_of_the_vectors),
		T(a_rotation_is_announced_and_signed_as_in_the_vectors),
	};

	if (crypto_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("vectors_nat", tests, NULL, NULL);
}

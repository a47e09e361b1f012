/* SPDX-License-Identifier: MIT */
#include "daemon/wire/announce.h"
#include "daemon/wire/endpoint.h"
#include "daemon/wire/json.h"
#include "tests/unit/vectors.h"

#include <errno.h>

static void load_key(uint8_t key[static CRYPTO_KEY_LEN], const json_t *section)
{
	assert_int_equal(from_hex(key, CRYPTO_KEY_LEN, vector_text(section, "gossip_key_hex")),
			 CRYPTO_KEY_LEN);
}

static void sealing_gives_exactly_the_datagram(void **state)
{
	const json_t *section = vectors_section("envelopes");
	uint8_t key[CRYPTO_KEY_LEN];
	const json_t *item;
	size_t i;

	(void)state;
	load_key(key, section);
	json_array_foreach (vector_list(section, "sealed"), i, item) {
		const char *plain = vector_text(item, "plaintext");
		const char *want = vector_text(item, "datagram");
		uint8_t nonce[CRYPTO_NONCE_LEN];
		char out[4096];

		from_hex(nonce, sizeof(nonce), vector_text(item, "nonce_hex"));
		assert_int_equal(envelope_seal(out, sizeof(out),
					       message_type_parse(vector_text(item, "type")), plain,
					       strlen(plain), nonce, key),
				 strlen(want));
		assert_string_equal(out, want);
	}
}

static void assert_formats_back(const struct envelope *env, const char *plain)
{
	struct announcement a;
	struct wg_key key;
	char out[4096];

	if (env->type == MESSAGE_GOODBYE) {
		assert_int_equal(goodbye_parse(&key, env), 0);
		assert_int_equal(goodbye_format(out, sizeof(out), &key, env->timestamp),
				 strlen(plain));
		assert_string_equal(out, plain);
		return;
	}
	assert_int_equal(goodbye_parse(&key, env), -EINVAL);
	if (env->type >= MESSAGE_RENDEZVOUS_OFFER) {
		assert_int_equal(announce_parse(&a, env, true), ANNOUNCE_BAD_KEY);
		return;
	}
	assert_int_equal(announce_parse(&a, env, true), ANNOUNCE_OK);
	assert_int_equal(announce_format(out, sizeof(out), &a), strlen(plain));
	assert_string_equal(out, plain);
	announce_free(&a);
}

static void opened_bodies_are_written_back_byte_for_byte(void **state)
{
	const json_t *section = vectors_section("envelopes");
	uint8_t key[CRYPTO_KEY_LEN];
	const json_t *item;
	size_t i;

	(void)state;
	load_key(key, section);
	json_array_foreach (vector_list(section, "sealed"), i, item) {
		const char *datagram = vector_text(item, "datagram");
		struct envelope env;

		assert_int_equal(envelope_open(&env, datagram, strlen(datagram), key,
					       vector_int(section, "now")),
				 ENVELOPE_OK);
		assert_string_equal(message_type_name(env.type), vector_text(item, "type"));
		assert_int_equal(env.timestamp, vector_int(section, "now"));
		assert_formats_back(&env, vector_text(item, "plaintext"));
		envelope_free(&env);
	}
}

/* Verdict of our modules under the vector's opener, in the vectors' words. */
static const char *verdict(const json_t *item, const uint8_t key[static CRYPTO_KEY_LEN])
{
	const char *b64 = vector_text(item, "datagram_b64");
	uint8_t datagram[8192];
	long len = crypto_unbase64(datagram, sizeof(datagram), b64, strlen(b64), false);
	enum announce_result judged;
	enum envelope_result opened;
	struct announcement a;
	struct envelope env;

	assert_true(len >= 0);
	opened = envelope_open(&env, datagram, (size_t)len, key, vector_int(item, "now"));
	if (opened != ENVELOPE_OK || strcmp(vector_text(item, "opener"), "raw") == 0) {
		if (opened == ENVELOPE_OK)
			envelope_free(&env);
		return envelope_result_name(opened);
	}
	judged = announce_parse(&a, &env, true);
	if (judged == ANNOUNCE_OK)
		announce_free(&a);
	envelope_free(&env);
	return announce_result_name(judged);
}

/* The one case where our verdict is stricter than the existing daemon's, as its label demands. */
static const char *expected(const json_t *item)
{
	if (strstr(vector_text(item, "label"), "non-canonical tail bits"))
		return "wg_pubkey";
	return vector_text(item, "upstream_verdict");
}

static void every_datagram_gets_the_verdict_of_existing_nodes(void **state)
{
	const json_t *section = vectors_section("rejects");
	uint8_t key[CRYPTO_KEY_LEN];
	const json_t *item;
	size_t i;

	(void)state;
	load_key(key, section);
	json_array_foreach (vector_list(section, "cases"), i, item) {
		const char *got = verdict(item, key);

		if (strcmp(got, expected(item)) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", vector_text(item, "label"), got,
				 expected(item));
	}
}

static const struct ip *sender_of(struct ip *ip, const json_t *item)
{
	const json_t *text = json_object_get(item, "sender_ip");

	if (json_is_null(text))
		return NULL;
	assert_int_equal(ip_parse(ip, json_string_value(text)), 0);
	return ip;
}

static void advertised_endpoints_resolve_by_path(void **state)
{
	const json_t *section = vectors_section("endpoints");
	char out[ENDPOINT_OUT_SIZE];
	const json_t *item;
	struct ip ip;
	size_t i;

	(void)state;
	json_array_foreach (vector_list(section, "lan"), i, item) {
		endpoint_from_lan(out, vector_text(item, "advertised"), sender_of(&ip, item));
		assert_string_equal(out, vector_text(item, "endpoint"));
	}
	json_array_foreach (vector_list(section, "exchange"), i, item) {
		endpoint_from_exchange(out, vector_text(item, "advertised"), sender_of(&ip, item));
		assert_string_equal(out, vector_text(item, "endpoint"));
	}
	json_array_foreach (vector_list(section, "known_peer"), i, item) {
		endpoint_from_known_peer(out, vector_text(item, "in"));
		assert_string_equal(out, vector_text(item, "out"));
	}
	json_array_foreach (vector_list(section, "control"), i, item) {
		endpoint_control(out, vector_text(item, "in"),
				 (uint16_t)vector_int(item, "gossip_port"));
		assert_string_equal(out, vector_text(item, "out"));
	}
}

static void endpoints_are_replaced_by_rank(void **state)
{
	const json_t *section = vectors_section("endpoints");
	const char *method;
	json_t *rank;
	const json_t *item;
	size_t i;

	(void)state;
	json_object_foreach (json_object_get(section, "ranks"), method, rank)
		assert_int_equal(endpoint_rank(method), json_integer_value(rank));
	json_array_foreach (vector_list(section, "updates"), i, item)
		assert_int_equal(endpoint_replaces(
					 vector_text(item, "old"), vector_text(item, "old_method"),
					 vector_text(item, "new"), vector_text(item, "new_method")),
				 json_is_true(json_object_get(item, "replaces")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealing_gives_exactly_the_datagram),
		cmocka_unit_test(opened_bodies_are_written_back_byte_for_byte),
		cmocka_unit_test(every_datagram_gets_the_verdict_of_existing_nodes),
		cmocka_unit_test(advertised_endpoints_resolve_by_path),
		cmocka_unit_test(endpoints_are_replaced_by_rank),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

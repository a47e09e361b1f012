/* SPDX-License-Identifier: MIT */
#include "daemon/dht/nodefile.h"
#include "daemon/state/identity.h"
#include "daemon/state/peercache.h"
#include "tests/unit/vectors.h"

#include <errno.h>

static void assert_identity_round_trip(const char *text, bool has_addresses)
{
	char out[IDENTITY_FILE_MAX];
	struct identity id;
	struct err e;

	assert_int_equal(identity_parse(&id, text, strlen(text), &e), 0);
	assert_int_equal(id.mesh_ip.family, has_addresses ? AF_INET : 0);
	assert_int_equal(id.mesh_ip6.family, has_addresses ? AF_INET6 : 0);
	assert_int_equal(identity_format(out, sizeof(out), &id), strlen(text));
	assert_string_equal(out, text);
}

static void key_files_are_rewritten_byte_for_byte(void **state)
{
	const json_t *section = vectors_section("state_files");

	(void)state;
	assert_identity_round_trip(vector_text(json_object_get(section, "iface_json"), "text"),
				   true);
	assert_identity_round_trip(vector_text(json_object_get(section, "iface_json_old"), "text"),
				   false);
}

static void assert_keys(const struct cached_peer *peers, size_t n, const json_t *want)
{
	char key[45];

	assert_int_equal(n, json_array_size(want));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(wg_key_format(key, &peers[i].peer.key),
				    json_string_value(json_array_get(want, i)));
}

static void peer_caches_are_rewritten_byte_for_byte(void **state)
{
	const json_t *item = json_object_get(vectors_section("state_files"), "peers_json");
	const char *text = vector_text(item, "text");
	struct cached_peer *peers = NULL;
	char *out = NULL;
	size_t n;

	(void)state;
	assert_int_equal(peercache_parse(&peers, &n, text, strlen(text), vector_int(item, "now"),
					 PEERCACHE_AGE_S),
			 0);
	assert_int_equal(n, 2);
	assert_int_equal(peercache_format(&out, peers, n, vector_int(item, "now")), strlen(text));
	assert_string_equal(out, text);
	free(out);
	free(peers);
}

static void cached_peers_older_than_a_day_are_skipped_when_asked(void **state)
{
	const json_t *item = json_object_get(vectors_section("state_files"), "peers_json");
	const char *text = vector_text(item, "text");
	struct cached_peer *peers = NULL;
	size_t n;

	(void)state;
	assert_int_equal(
		peercache_parse(&peers, &n, text, strlen(text), vector_int(item, "now"), 86400), 0);
	assert_keys(peers, n, vector_list(item, "restored_keys"));
	free(peers);
}

static void an_empty_cache_is_null(void **state)
{
	const json_t *item = json_object_get(vectors_section("state_files"), "peers_json_empty");
	const char *text = vector_text(item, "text");
	struct cached_peer *peers;
	char *out = NULL;
	size_t n;

	(void)state;
	assert_int_equal(peercache_parse(&peers, &n, text, strlen(text), 1767225600, 86400), 0);
	assert_null(peers);
	assert_int_equal(n, 0);
	assert_int_equal(peercache_format(&out, NULL, 0, 1767225600), strlen(text));
	assert_string_equal(out, text);
	free(out);
}

static void node_files_hold_records_of_38_bytes(void **state)
{
	const json_t *item = json_object_get(vectors_section("state_files"), "dht_nodes");
	const json_t *want = vector_list(item, "nodes");
	static struct krpc_node nodes[NODEFILE_NODES_MAX];
	uint8_t again[256];
	uint8_t file[256];
	size_t len = from_hex(file, sizeof(file), vector_text(item, "hex"));
	size_t n = 0;

	(void)state;
	assert_int_equal(nodefile_parse(nodes, &n, file, len), 0);
	assert_int_equal(n, json_array_size(want));
	for (size_t i = 0; i < n; i++) {
		const json_t *node = json_array_get(want, i);
		char ip[IP_TEXT_SIZE];

		assert_hex(nodes[i].id.b, NODEID_LEN, vector_text(node, "id_hex"));
		assert_string_equal(ip_format(ip, &nodes[i].at.ip), vector_text(node, "ip"));
		assert_int_equal(nodes[i].at.port, vector_int(node, "port"));
	}
	assert_int_equal(nodefile_format(again, nodes, n), len);
	assert_memory_equal(again, file, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_files_are_rewritten_byte_for_byte),
		cmocka_unit_test(peer_caches_are_rewritten_byte_for_byte),
		cmocka_unit_test(cached_peers_older_than_a_day_are_skipped_when_asked),
		cmocka_unit_test(an_empty_cache_is_null),
		cmocka_unit_test(node_files_hold_records_of_38_bytes),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/wire/derive.h"
#include "tests/unit/vectors.h"

#include <errno.h>

static void load_secret(struct secret *out, const char *text)
{
	assert_int_equal(secret_parse(out, text, strlen(text), NULL), 0);
}

static void load_keys(struct secret *secret, struct mesh_keys *keys, const json_t *object)
{
	load_secret(secret, vector_text(object, "secret"));
	derive_keys(keys, secret);
}

static void assert_ip(const struct ip *ip, const char *want)
{
	char text[IP_TEXT_SIZE];

	assert_string_equal(ip_format(text, ip), want);
}

static void every_way_of_giving_a_secret_yields_the_same_key_material(void **state)
{
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach (vectors_section("secrets"), i, item) {
		const char *input = vector_text(item, "input");
		struct secret secret;
		struct err e = { 0 };
		int r = secret_parse(&secret, input, strlen(input), &e);

		if (!json_is_true(json_object_get(item, "ok"))) {
			assert_int_equal(r, -EINVAL);
			assert_int_equal(e.exit_code, EXITS_USAGE);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(secret.text, vector_text(item, "secret"));
		assert_int_equal(secret.len, vector_int(item, "secret_bytes"));
	}
}

static void assert_addresses(const struct mesh_keys *keys, const json_t *item)
{
	char text[PREFIX_TEXT_SIZE];
	struct prefix v6;

	assert_hex(keys->subnet_raw, 2, vector_text(item, "mesh_subnet_hex"));
	assert_string_equal(prefix_format(text, &keys->subnet),
			    vector_text(item, "mesh_subnet_cidr"));
	assert_hex(keys->prefix6.ip.b, 8, vector_text(item, "mesh_prefix_v6_hex"));
	assert_int_equal(prefix_parse(&v6, vector_text(item, "mesh_prefix_v6_text")), 0);
	assert_true(prefix_equal(&keys->prefix6, &v6));
	assert_ip(&keys->group, vector_text(item, "multicast_group"));
	assert_int_equal(DERIVE_LAN_PORT, vector_int(item, "multicast_port"));
	assert_int_equal(keys->gossip_port, vector_int(item, "gossip_port"));
	assert_int_equal(keys->gossip_port + 1, vector_int(item, "dht_port"));
	assert_int_equal(keys->gossip_port + DERIVE_PROBE_OFFSET,
			 vector_int(item, "probe_tcp_port"));
}

static void assert_names(const struct mesh_keys *keys, const json_t *item)
{
	char title[24] = "wgmesh-";
	char mesh_id[MESH_ID_SIZE];
	char file[NODES_FILE_SIZE];
	char psk[45];

	assert_hex(keys->network_id, 20, vector_text(item, "network_id_hex"));
	assert_hex(keys->network_id, 8, vector_text(item, "network_id_short_hex"));
	derive_mesh_id(mesh_id, keys);
	assert_string_equal(mesh_id, vector_text(item, "mesh_id_hex"));
	derive_nodes_file(file, keys, "wg0", false);
	assert_string_equal(file, vector_text(item, "nodes_file_wg0"));
	assert_hex(keys->rendezvous, 8, vector_text(item, "rendezvous_id_hex"));
	crypto_hex(title + 7, sizeof(title) - 7, keys->rendezvous, 8);
	assert_string_equal(title, vector_text(item, "registry_title"));
	crypto_base64(psk, sizeof(psk), keys->psk, CRYPTO_KEY_LEN);
	assert_string_equal(psk, vector_text(item, "psk_b64"));
}

static void all_keys_names_and_addresses_follow_from_the_secret(void **state)
{
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach (vectors_section("keys"), i, item) {
		struct secret secret;
		struct mesh_keys keys;

		load_keys(&secret, &keys, item);
		assert_hex((const uint8_t *)secret.text, secret.len,
			   vector_text(item, "secret_utf8_hex"));
		assert_hex(keys.gossip_key, 32, vector_text(item, "gossip_key_hex"));
		assert_hex(keys.psk, 32, vector_text(item, "psk_hex"));
		assert_hex(keys.membership, 32, vector_text(item, "membership_key_hex"));
		assert_hex(keys.epoch_seed, 32, vector_text(item, "epoch_seed_hex"));
		assert_addresses(&keys, item);
		assert_names(&keys, item);
	}
}

static void hourly_ids_change_on_the_hour(void **state)
{
	const json_t *item;
	const json_t *hour;
	size_t i;
	size_t k;

	(void)state;
	json_array_foreach (vectors_section("keys"), i, item) {
		json_array_foreach (vector_list(item, "hourly_network_ids"), k, hour) {
			long long unix_s = vector_int(hour, "unix");
			uint8_t id[NETWORK_ID_LEN];
			struct secret secret;

			load_secret(&secret, vector_text(item, "secret"));
			derive_hourly_id(id, &secret, unix_s);
			assert_hex(id, sizeof(id), vector_text(hour, "infohash_hex"));
			derive_hourly_id(id, &secret, unix_s - 3600);
			assert_hex(id, sizeof(id), vector_text(hour, "previous_hex"));
		}
	}
}

static void assert_custom(const struct secret *secret, const struct mesh_keys *keys, json_t *node)
{
	static const char *const names[] = { "base", "nonce1", "nonce2" };
	const char *pubkey = vector_text(node, "wg_pubkey");
	const char *cidr;
	json_t *want;

	json_object_foreach (json_object_get(node, "custom"), cidr, want) {
		struct prefix subnet;

		assert_int_equal(derive_custom_subnet(&subnet, cidr), 0);
		for (unsigned int n = 0; n < 3; n++) {
			struct ip ip = derive_mesh_ip(secret, keys, &subnet, pubkey, n);

			assert_ip(&ip, vector_text(want, names[n]));
		}
	}
}

static void assert_node(const struct secret *secret, const struct mesh_keys *keys, json_t *node)
{
	const char *pubkey = vector_text(node, "wg_pubkey");
	struct ip ip = derive_mesh_ip(secret, keys, NULL, pubkey, 0);
	const json_t *want;
	size_t i;

	assert_ip(&ip, vector_text(node, "mesh_ip"));
	ip = derive_mesh_ip6(secret, keys, pubkey);
	assert_ip(&ip, vector_text(node, "mesh_ipv6"));
	json_array_foreach (vector_list(node, "nonce_ips"), i, want) {
		/* The first is the collision formula with nonce 0: a base address of old releases,
		 * which nodes keep in their state file and nobody derives any more. */
		if (i == 0)
			continue;
		ip = derive_mesh_ip(secret, keys, NULL, pubkey, (unsigned int)i);
		assert_ip(&ip, json_string_value(want));
	}
	assert_custom(secret, keys, node);
}

static void mesh_addresses_follow_from_key_and_secret(void **state)
{
	const json_t *mesh;
	json_t *node;
	size_t i;
	size_t k;

	(void)state;
	json_array_foreach (vectors_section("mesh_ips"), i, mesh) {
		struct secret secret;
		struct mesh_keys keys;

		load_keys(&secret, &keys, mesh);
		assert_hex(keys.subnet_raw, 2, vector_text(mesh, "mesh_subnet_hex"));
		json_array_foreach (vector_list(mesh, "nodes"), k, node) {
			struct wg_key key;
			uint8_t private_key[32];
			char text[45];
			const char *b64 = vector_text(node, "wg_private_key");

			assert_int_equal(crypto_unbase64(private_key, 32, b64, 44, false), 32);
			crypto_wg_public(key.b, private_key);
			assert_string_equal(wg_key_format(text, &key),
					    vector_text(node, "wg_pubkey"));
			assert_node(&secret, &keys, node);
		}
	}
}

static void corner_cases_of_mesh_addresses_are_met(void **state)
{
	const json_t *mesh;
	const json_t *item;
	size_t i;
	size_t k;

	(void)state;
	json_array_foreach (vectors_section("mesh_ips"), i, mesh) {
		struct secret secret;
		struct mesh_keys keys;

		load_keys(&secret, &keys, mesh);
		json_array_foreach (vector_list(mesh, "corner_cases"), k, item) {
			const char *pubkey = vector_text(item, "wg_pubkey");
			struct ip ip = derive_mesh_ip(&secret, &keys, NULL, pubkey, 0);

			assert_ip(&ip, vector_text(item, "mesh_ip"));
			ip = derive_mesh_ip(&secret, &keys, NULL, pubkey, 1);
			assert_ip(&ip, vector_text(item, "nonce1"));
			ip = derive_mesh_ip6(&secret, &keys, pubkey);
			assert_ip(&ip, vector_text(item, "mesh_ipv6"));
		}
	}
}

static void unsuitable_custom_subnets_are_refused(void **state)
{
	const json_t *mesh;
	const json_t *item;
	size_t i;
	size_t k;

	(void)state;
	json_array_foreach (vectors_section("mesh_ips"), i, mesh) {
		json_array_foreach (vector_list(mesh, "rejected_custom_subnets"), k, item) {
			struct prefix subnet;

			assert_int_equal(derive_custom_subnet(&subnet, json_string_value(item)),
					 -EINVAL);
		}
	}
}

static void assert_collision(const struct secret *secret, const struct mesh_keys *keys,
			     const json_t *item)
{
	const char *winner = vector_text(item, "winner");
	const char *loser = vector_text(item, "loser");
	const json_t *cidr = json_object_get(item, "subnet");
	const struct prefix *custom = NULL;
	struct prefix subnet;
	struct ip ip;

	if (cidr) {
		assert_int_equal(derive_custom_subnet(&subnet, json_string_value(cidr)), 0);
		custom = &subnet;
	}
	ip = derive_mesh_ip(secret, keys, custom, winner, 0);
	assert_ip(&ip, vector_text(item, "mesh_ip"));
	ip = derive_mesh_ip(secret, keys, custom, loser, 0);
	assert_ip(&ip, vector_text(item, "mesh_ip"));
	assert_string_equal(derive_collision_winner(loser, winner), winner);
	assert_string_equal(derive_collision_winner(winner, loser), winner);
	ip = derive_mesh_ip(secret, keys, custom, loser, 1);
	assert_ip(&ip, vector_text(item, "loser_nonce1"));
}

static void the_lower_key_keeps_an_address_and_the_other_moves(void **state)
{
	const json_t *section = vectors_section("collisions");
	struct secret secret;
	struct mesh_keys keys;
	const json_t *item;
	size_t i;

	(void)state;
	load_keys(&secret, &keys, section);
	json_array_foreach (vector_list(section, "legacy_16"), i, item)
		assert_collision(&secret, &keys, item);
	assert_collision(&secret, &keys, json_object_get(section, "custom_28"));
	json_array_foreach (vector_list(section, "order_cases"), i, item)
		assert_string_equal(
			derive_collision_winner(vector_text(item, "a"), vector_text(item, "b")),
			vector_text(item, "winner"));
}

static void a_loser_walks_on_while_addresses_are_taken(void **state)
{
	const json_t *section = vectors_section("collisions");
	json_t *chain = json_object_get(section, "legacy_16_chain");
	json_t *taken = json_object_get(chain, "taken");
	const char *loser = vector_text(chain, "loser");
	struct secret secret;
	struct mesh_keys keys;
	unsigned int nonce = 0;
	char text[IP_TEXT_SIZE];
	const char *holder;
	struct ip ip;

	(void)state;
	load_keys(&secret, &keys, section);
	do {
		ip = derive_mesh_ip(&secret, &keys, NULL, loser, nonce++);
		holder = json_string_value(json_object_get(taken, ip_format(text, &ip)));
	} while (holder);
	assert_ip(&ip, vector_text(chain, "walk_result"));
	assert_int_equal(nonce - 1, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_of_giving_a_secret_yields_the_same_key_material),
		cmocka_unit_test(all_keys_names_and_addresses_follow_from_the_secret),
		cmocka_unit_test(hourly_ids_change_on_the_hour),
		cmocka_unit_test(mesh_addresses_follow_from_key_and_secret),
		cmocka_unit_test(corner_cases_of_mesh_addresses_are_met),
		cmocka_unit_test(unsuitable_custom_subnets_are_refused),
		cmocka_unit_test(the_lower_key_keeps_an_address_and_the_other_moves),
		cmocka_unit_test(a_loser_walks_on_while_addresses_are_taken),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

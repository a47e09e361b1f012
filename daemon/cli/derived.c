/* SPDX-License-Identifier: MIT */
#include "daemon/cli/derived.h"
#include "common/exits.h"
#include "daemon/cli/cli.h"
#include "daemon/config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define NETWORK_ID_SHOWN 8

static void hex(char *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Existing nodes write every digit of the prefix, so this is not RFC 5952. */
static void prefix6_text(char out[static 32], const struct prefix *p)
{
	const uint8_t *b = p->ip.b;

	(void)snprintf(out, 32, "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", b[0], b[1], b[2], b[3],
		       b[4], b[5], b[6], b[7]);
}

static json_t *derived_json(const struct mesh_keys *k, const char *ifname,
			    const struct prefix *subnet)
{
	char network_id[2 * NETWORK_ID_SHOWN + 1];
	char rendezvous[2 * sizeof(k->rendezvous) + 1];
	char subnet_text[PREFIX_TEXT_SIZE];
	char group[IP_TEXT_SIZE];
	char prefix6[32];
	json_t *obj = json_object();

	hex(network_id, k->network_id, NETWORK_ID_SHOWN);
	hex(rendezvous, k->rendezvous, sizeof(k->rendezvous));
	prefix6_text(prefix6, &k->prefix6);
	(void)json_object_set_new(obj, "interface", json_string(ifname));
	(void)json_object_set_new(obj, "network_id", json_string(network_id));
	(void)json_object_set_new(obj, "mesh_subnet",
				  json_string(prefix_format(subnet_text, subnet)));
	(void)json_object_set_new(obj, "mesh_ipv6_prefix", json_string(prefix6));
	(void)json_object_set_new(obj, "gossip_port", json_integer(k->gossip_port));
	(void)json_object_set_new(obj, "dht_port", json_integer(k->gossip_port + 1));
	(void)json_object_set_new(obj, "probe_port",
				  json_integer(k->gossip_port + DERIVE_PROBE_OFFSET));
	(void)json_object_set_new(obj, "multicast_group", json_string(ip_format(group, &k->group)));
	(void)json_object_set_new(obj, "multicast_port", json_integer(DERIVE_LAN_PORT));
	(void)json_object_set_new(obj, "rendezvous_id", json_string(rendezvous));
	return obj;
}

/* Existing scripts read these lines: a member and its value each. */
static void print_text(json_t *obj)
{
	const char *key;
	json_t *value;

	json_object_foreach (obj, key, value) {
		if (json_is_string(value))
			(void)printf("%-17s %s\n", key, json_string_value(value));
		else
			(void)printf("%-17s %lld\n", key, (long long)json_integer_value(value));
	}
}

static int print(json_t *obj, bool as_json)
{
	if (as_json) {
		(void)json_dumpf(obj, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	} else {
		print_text(obj);
	}
	json_decref(obj);
	return EXITS_OK;
}

int derived_show(const struct settings *s, const char *ifname)
{
	struct secret secret;
	struct mesh_keys keys;
	struct prefix subnet;
	struct err e = { 0 };
	int code;

	if (config_secret(&secret, s, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	derive_keys(&keys, &secret);
	subnet = keys.subnet;
	if (config_mesh_subnet(&subnet, s, &e) < 0)
		code = cli_fail(&e, EXITS_USAGE);
	else
		code = print(derived_json(&keys, ifname, &subnet), settings_flag(s, SETTING_JSON));
	derive_keys_wipe(&keys);
	secret_wipe(&secret);
	return code;
}

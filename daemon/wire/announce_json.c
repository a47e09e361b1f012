/* SPDX-License-Identifier: MIT */
#include "daemon/wire/announce_json.h"
#include "common/str.h"

#include <errno.h>
#include <string.h>

#define KEY_TEXT_SIZE 45

/**
 * struct peer_text - A node's members before they are judged
 */
struct peer_text {
	struct json_text key;
	struct json_text hostname;
	struct json_text mesh_ip;
	struct json_text mesh_ip6;
	struct json_text endpoint;
	struct json_text nat_type;
};

/* Only the JSON types are looked at: one wrong type spoils the whole object, as in Go. */
static int read_types(struct peer_text *t, bool *introducer, json_t *object,
		      const char *endpoint_name)
{
	/* null is an object with no members. */
	if (!json_is_object(object) && !json_is_null(object))
		return -EINVAL;
	if (json_member_text(&t->key, object, "wg_pubkey") < 0 ||
	    json_member_text(&t->hostname, object, "hostname") < 0 ||
	    json_member_text(&t->mesh_ip, object, "mesh_ip") < 0 ||
	    json_member_text(&t->mesh_ip6, object, "mesh_ipv6") < 0 ||
	    json_member_text(&t->endpoint, object, endpoint_name) < 0 ||
	    json_member_text(&t->nat_type, object, "nat_type") < 0)
		return -EINVAL;
	return json_member_bool(introducer, object, "introducer");
}

/* The key of 32 zero bytes stands for "no key" in WireGuard's interfaces, so nobody may have it. */
static int read_key(struct wg_key *out, const struct json_text *text)
{
	static const struct wg_key none;
	char copy[KEY_TEXT_SIZE];

	if (json_text_copy(copy, sizeof(copy), text) < 0 || wg_key_parse(out, copy) < 0)
		return -EINVAL;
	return memcmp(out, &none, sizeof(none)) == 0 ? -EINVAL : 0;
}

static int read_ip(struct ip *out, const struct json_text *text)
{
	char copy[IP_TEXT_SIZE];

	*out = (struct ip) { 0 };
	if (json_text_copy(copy, sizeof(copy), text) < 0 || ip_parse(out, copy) < 0)
		return -EINVAL;
	ip_unmap(out);
	return 0;
}

static int read_hostname(char *out, size_t size, const struct json_text *text)
{
	for (size_t i = 0; i < text->len; i++) {
		if (text->s[i] < ' ' || text->s[i] > '~')
			return -EINVAL;
	}
	return json_text_copy(out, size, text);
}

/* Existing nodes do not look at it; what we have no word for is as good as unknown. */
static void read_nat_type(char *out, size_t size, const struct json_text *text)
{
	if (json_text_copy(out, size, text) < 0 ||
	    (out[0] != '\0' && strcmp(out, "cone") != 0 && strcmp(out, "symmetric") != 0))
		str_cut(out, size, "unknown", strlen("unknown"));
}

int announce_read_key(struct wg_key *out, json_t *object)
{
	return announce_read_key_named(out, object, "wg_pubkey");
}

int announce_read_key_named(struct wg_key *out, json_t *object, const char *name)
{
	struct json_text text;
	int r = json_member_text(&text, object, name);

	return r < 0 ? r : read_key(out, &text);
}

enum announce_result announce_read_peer(struct known_peer *out, json_t *object,
					const char *endpoint_name)
{
	struct peer_text t;

	*out = (struct known_peer) { 0 };
	if (read_types(&t, &out->introducer, object, endpoint_name) < 0)
		return ANNOUNCE_BAD_PAYLOAD;
	if (read_key(&out->key, &t.key) < 0)
		return ANNOUNCE_BAD_KEY;
	if (read_ip(&out->mesh_ip, &t.mesh_ip) < 0)
		return ANNOUNCE_BAD_MESH_IP;
	if (json_text_copy(out->endpoint, sizeof(out->endpoint), &t.endpoint) < 0 ||
	    !endpoint_is_acceptable(out->endpoint))
		return ANNOUNCE_BAD_ENDPOINT;
	if (read_hostname(out->hostname, sizeof(out->hostname), &t.hostname) < 0)
		return ANNOUNCE_BAD_HOSTNAME;
	(void)read_ip(&out->mesh_ip6, &t.mesh_ip6);
	read_nat_type(out->nat_type, sizeof(out->nat_type), &t.nat_type);
	return ANNOUNCE_OK;
}

enum announce_result announce_read_routes(struct prefix *routes, size_t *n, json_t *object)
{
	const json_t *list;
	const json_t *item;
	size_t i;

	*n = 0;
	if (json_member_list(&list, object, "routable_networks") < 0)
		return ANNOUNCE_BAD_PAYLOAD;
	if (json_array_size(list) > ANNOUNCE_ROUTES_MAX)
		return ANNOUNCE_BAD_ROUTES;
	json_array_foreach (list, i, item) {
		char copy[PREFIX_TEXT_SIZE];
		struct json_text text;

		if (json_as_text(&text, item) < 0)
			return ANNOUNCE_BAD_PAYLOAD;
		if (json_text_copy(copy, sizeof(copy), &text) < 0 ||
		    prefix_parse(&routes[i], copy) < 0)
			return ANNOUNCE_BAD_ROUTES;
	}
	*n = json_array_size(list);
	return ANNOUNCE_OK;
}

void announce_write_peer(struct json_writer *w, const struct known_peer *peer,
			 const char *endpoint_name)
{
	char key[KEY_TEXT_SIZE];
	char ip[IP_TEXT_SIZE];

	json_write_text(w, "wg_pubkey", wg_key_format(key, &peer->key));
	if (peer->hostname[0] != '\0')
		json_write_text(w, "hostname", peer->hostname);
	json_write_text(w, "mesh_ip", ip_format(ip, &peer->mesh_ip));
	if (peer->mesh_ip6.family != 0)
		json_write_text(w, "mesh_ipv6", ip_format(ip, &peer->mesh_ip6));
	json_write_text(w, endpoint_name, peer->endpoint);
	if (peer->introducer)
		json_write_true(w, "introducer");
}

void announce_write_routes(struct json_writer *w, const struct prefix *routes, size_t n)
{
	char text[PREFIX_TEXT_SIZE];

	if (n == 0)
		return;
	json_write_open(w, "routable_networks", '[');
	for (size_t i = 0; i < n; i++)
		json_write_text(w, NULL, prefix_format(text, &routes[i]));
	json_write_close(w, ']');
}

void announce_write_nat_type(struct json_writer *w, const struct known_peer *peer)
{
	if (peer->nat_type[0] != '\0')
		json_write_text(w, "nat_type", peer->nat_type);
}

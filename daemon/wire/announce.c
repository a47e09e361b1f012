/* SPDX-License-Identifier: MIT */
#include "daemon/wire/announce.h"
#include "common/defs.h"
#include "daemon/wire/announce_json.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const char *const result_names[] = {
	[ANNOUNCE_OK] = "accept",
	[ANNOUNCE_BAD_PAYLOAD] = "payload-json",
	[ANNOUNCE_BAD_KEY] = "wg_pubkey",
	[ANNOUNCE_BAD_MESH_IP] = "mesh_ip",
	[ANNOUNCE_BAD_ENDPOINT] = "wg_endpoint",
	[ANNOUNCE_BAD_HOSTNAME] = "hostname",
	[ANNOUNCE_BAD_ROUTES] = "routable_networks",
	[ANNOUNCE_BAD_KNOWN_PEERS] = "known_peers",
	[ANNOUNCE_NO_MEMORY] = "no-memory",
};
static_assert(ARRAY_LEN(result_names) == ANNOUNCE_NO_MEMORY + 1, "a name for every result");

const char *announce_result_name(enum announce_result r)
{
	return result_names[r];
}

static enum announce_result read_observed(struct endpoint *out, json_t *body)
{
	char copy[ENDPOINT_TEXT_SIZE];
	struct json_text text;

	if (json_member_text(&text, body, "observed_endpoint") < 0)
		return ANNOUNCE_BAD_PAYLOAD;
	*out = (struct endpoint) { 0 };
	if (json_text_copy(copy, sizeof(copy), &text) == 0)
		(void)endpoint_parse(out, copy);
	return ANNOUNCE_OK;
}

/* What the strict reader says of a list with this entry in it. */
static enum announce_result judge_entry(enum announce_result entry, bool strict)
{
	if (entry == ANNOUNCE_OK || !strict)
		return ANNOUNCE_OK;
	return entry == ANNOUNCE_BAD_PAYLOAD ? entry : ANNOUNCE_BAD_KNOWN_PEERS;
}

/* Fills out->known, which has room for ANNOUNCE_PEERS_MAX or the length of @list. */
static enum announce_result read_entries(struct announcement *out, const json_t *list, bool strict)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		enum announce_result r = ANNOUNCE_BAD_KNOWN_PEERS;

		if (out->n_known < ANNOUNCE_PEERS_MAX)
			r = announce_read_peer(&out->known[out->n_known], item, "wg_endpoint");
		if (r == ANNOUNCE_OK)
			out->n_known++;
		else
			out->n_dropped++;
		r = judge_entry(r, strict);
		if (r != ANNOUNCE_OK)
			return r;
	}
	return ANNOUNCE_OK;
}

static enum announce_result read_known(struct announcement *out, json_t *body, bool strict)
{
	enum announce_result r;
	const json_t *list;
	size_t n;

	if (json_member_list(&list, body, "known_peers") < 0)
		return ANNOUNCE_BAD_PAYLOAD;
	n = json_array_size(list);
	if (n == 0)
		return ANNOUNCE_OK;
	out->known = calloc(n < ANNOUNCE_PEERS_MAX ? n : ANNOUNCE_PEERS_MAX, sizeof(*out->known));
	if (!out->known)
		return ANNOUNCE_NO_MEMORY;
	r = read_entries(out, list, strict);
	if (r != ANNOUNCE_OK)
		announce_free(out);
	return r;
}

/* No member of the protocol: whatever is wrong with it must not cost the announcement. */
static void read_instance(char out[static CLONE_INSTANCE_SIZE], json_t *body)
{
	struct json_text text;

	if (json_member_text(&text, body, "instance") < 0 ||
	    json_text_copy(out, CLONE_INSTANCE_SIZE, &text) < 0 || !clone_is_instance(out))
		out[0] = '\0';
}

/* No member of the protocol either. */
static bool read_visitor(json_t *body)
{
	bool is_visitor;

	return json_member_bool(&is_visitor, body, "visitor") == 0 && is_visitor;
}

/* Nobody else may read it, so what is wrong in it costs only itself. */
static size_t read_endpoints(struct endpoint out[static ANNOUNCE_ENDPOINTS_MAX], json_t *body)
{
	const json_t *list;
	const json_t *item;
	size_t n = 0;
	size_t i;

	if (json_member_list(&list, body, "endpoints") < 0)
		return 0;
	json_array_foreach (list, i, item) {
		char copy[ENDPOINT_TEXT_SIZE];
		struct json_text text;

		if (n == ANNOUNCE_ENDPOINTS_MAX)
			break;
		if (json_as_text(&text, item) == 0 &&
		    json_text_copy(copy, sizeof(copy), &text) == 0 &&
		    endpoint_parse(&out[n], copy) == 0 && endpoint_is_usable(&out[n]))
			n++;
	}
	return n;
}

enum announce_result announce_parse(struct announcement *out, const struct envelope *env,
				    bool strict)
{
	json_t *body = env->body;
	enum announce_result r;

	*out = (struct announcement) { .timestamp = env->timestamp };
	read_instance(out->instance, body);
	out->n_endpoints = read_endpoints(out->endpoints, body);
	out->is_visitor = read_visitor(body);
	pex_read(&out->pex, body);
	r = announce_read_peer(&out->self, body, "wg_endpoint");
	if (r != ANNOUNCE_OK)
		return r;
	r = announce_read_routes(out->routes, &out->n_routes, body);
	if (r != ANNOUNCE_OK)
		return r;
	r = read_observed(&out->observed, body);
	if (r != ANNOUNCE_OK)
		return r;
	return read_known(out, body, strict);
}

void announce_free(struct announcement *a)
{
	free(a->known);
	a->known = NULL;
	a->n_known = 0;
}

static void write_known(struct json_writer *w, const struct known_peer *peer)
{
	json_write_open(w, NULL, '{');
	announce_write_peer(w, peer, "wg_endpoint");
	announce_write_nat_type(w, peer);
	json_write_close(w, '}');
}

static void write_endpoints(struct json_writer *w, const struct announcement *a)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (a->n_endpoints == 0)
		return;
	json_write_open(w, "endpoints", '[');
	for (size_t i = 0; i < a->n_endpoints; i++)
		json_write_text(w, NULL, endpoint_format(text, &a->endpoints[i]));
	json_write_close(w, ']');
}

/* All that follows the known peers. */
static void write_tail(struct json_writer *w, const struct announcement *a)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (a->observed.ip.family != 0)
		json_write_text(w, "observed_endpoint", endpoint_format(text, &a->observed));
	announce_write_nat_type(w, &a->self);
	if (a->instance[0] != '\0')
		json_write_text(w, "instance", a->instance);
	write_endpoints(w, a);
	if (a->is_visitor)
		json_write_true(w, "visitor");
	json_write_close(w, '}');
}

/* Writes as many known peers as leave room for the rest; with none, the member is left out. */
static void write_known_that_fit(struct json_writer *w, const struct announcement *a)
{
	struct json_writer fits = *w;
	bool is_open = false;

	json_write_open(w, "known_peers", '[');
	for (size_t i = 0; i < a->n_known; i++) {
		struct json_writer whole;

		write_known(w, &a->known[i]);
		whole = *w;
		json_write_close(&whole, ']');
		write_tail(&whole, a);
		if (whole.len >= whole.size)
			break;
		fits = *w;
		is_open = true;
	}
	*w = fits;
	if (is_open)
		json_write_close(w, ']');
}

/* Takes what room the rest leaves. */
static void write_pex_that_fits(struct json_writer *w, const struct announcement *a)
{
	struct json_writer whole = *w;

	write_tail(&whole, a);
	if (whole.len < whole.size)
		pex_write(w, &a->pex, whole.size - 1 - whole.len);
}

long announce_format(char *out, size_t size, const struct announcement *a)
{
	struct json_writer w;

	json_write_init(&w, out, size, false);
	json_write_open(&w, NULL, '{');
	json_write_text(&w, "protocol", ENVELOPE_PROTOCOL);
	announce_write_peer(&w, &a->self, "wg_endpoint");
	announce_write_routes(&w, a->routes, a->n_routes);
	json_write_int(&w, "timestamp", a->timestamp);
	write_known_that_fit(&w, a);
	write_pex_that_fits(&w, a);
	write_tail(&w, a);
	return json_write_end(&w);
}

long goodbye_format(char *out, size_t size, const struct wg_key *key, int64_t timestamp)
{
	struct json_writer w;
	char text[45];

	json_write_init(&w, out, size, false);
	json_write_open(&w, NULL, '{');
	json_write_text(&w, "protocol", ENVELOPE_PROTOCOL);
	json_write_int(&w, "timestamp", timestamp);
	json_write_text(&w, "wg_pubkey", wg_key_format(text, key));
	json_write_close(&w, '}');
	return json_write_end(&w);
}

int goodbye_parse(struct wg_key *key, const struct envelope *env)
{
	json_t *body = env->body;

	if (json_member(body, "mesh_ip") || json_member(body, "wg_endpoint"))
		return -EINVAL;
	return announce_read_key(key, body);
}

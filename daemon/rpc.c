/* SPDX-License-Identifier: MIT */
#include "daemon/rpc.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS 1000000

/* JSON-RPC 2.0 section 5.1 */
enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
};

struct answer {
	json_t *result;
	json_t *error;
};

/* No buffer in between: a message cut inside a character would be no JSON text. */
static struct answer fail(int code, const char *what, const char *detail)
{
	return (struct answer) {
		.error = json_pack("{s:i, s:s+}", "code", code, "message", what, detail),
	};
}

static void put_ip(json_t *obj, const char *name, const struct ip *ip)
{
	char text[IP_TEXT_SIZE];

	if (ip->family != 0)
		(void)json_object_set_new(obj, name, json_string(ip_format(text, ip)));
}

static json_t *method_names(const struct peer *p)
{
	static const enum peer_method all[] = { METHOD_LAN, METHOD_EXCHANGE, METHOD_TRANSITIVE,
						METHOD_CACHE };
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (p->methods & all[i])
			(void)json_array_append_new(list, json_string(peer_method_name(all[i])));
	return list;
}

static void put_time(json_t *obj, const char *name, int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm = { 0 };
	char text[32];

	(void)gmtime_r(&t, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)json_object_set_new(obj, name, json_string(text));
}

static json_t *peer_json(const struct peer *p)
{
	char text[ENDPOINT_TEXT_SIZE];
	char net[PREFIX_TEXT_SIZE];
	json_t *obj = json_object();
	json_t *routes = json_array();

	(void)json_object_set_new(obj, "pubkey", json_string(p->key_text));
	if (p->info.hostname[0] != '\0')
		(void)json_object_set_new(obj, "hostname", json_string(p->info.hostname));
	put_ip(obj, "mesh_ip", &p->info.mesh_ip);
	put_ip(obj, "mesh_ipv6", &p->info.mesh_ip6);
	(void)json_object_set_new(obj, "endpoint",
				  json_string(endpoint_format(text, &p->endpoint)));
	put_time(obj, "last_seen", p->seen_unix_s);
	(void)json_object_set_new(obj, "discovered_via", method_names(p));
	for (size_t i = 0; i < p->n_routes; i++)
		(void)json_array_append_new(routes, json_string(prefix_format(net, &p->routes[i])));
	if (p->n_routes > 0)
		(void)json_object_set(obj, "routable_networks", routes);
	json_decref(routes);
	if (p->handshake_s != 0)
		put_time(obj, "last_handshake", p->handshake_s);
	return obj;
}

static struct answer do_ping(const struct rpc_source *src, json_t *params)
{
	(void)src;
	(void)params;
	return (struct answer) {
		.result = json_pack("{s:b, s:s}", "pong", 1, "version", WGMESH_VERSION),
	};
}

static struct answer do_status(const struct rpc_source *src, json_t *params)
{
	const struct rpc_status *s = src->status;
	json_t *obj = json_object();

	(void)params;
	put_ip(obj, "mesh_ip", &s->mesh_ip);
	put_ip(obj, "mesh_ipv6", &s->mesh_ip6);
	(void)json_object_set_new(obj, "pubkey", json_string(s->pubkey));
	(void)json_object_set_new(obj, "uptime", json_integer(s->uptime_ms * NS_PER_MS));
	(void)json_object_set_new(obj, "interface", json_string(s->ifname));
	(void)json_object_set_new(obj, "version", json_string(WGMESH_VERSION));
	(void)json_object_set_new(obj, "backend", json_string(s->backend));
	(void)json_object_set_new(obj, "identity", json_string(s->identity));
	return (struct answer) { .result = obj };
}

static struct answer do_count(const struct rpc_source *src, json_t *params)
{
	size_t total = peers_count(src->peers);
	size_t active = 0;

	(void)params;
	for (const struct peer *p = peers_next(src->peers, NULL); p; p = peers_next(src->peers, p))
		active += peer_is_active(p, src->now) ? 1 : 0;
	return (struct answer) {
		.result = json_pack("{s:i, s:i, s:i}", "active", (int)active, "total", (int)total,
				    "dead", (int)(total - active)),
	};
}

static struct answer do_list(const struct rpc_source *src, json_t *params)
{
	json_t *list = json_array();

	(void)params;
	for (const struct peer *p = peers_next(src->peers, NULL); p; p = peers_next(src->peers, p))
		if (peer_is_active(p, src->now))
			(void)json_array_append_new(list, peer_json(p));
	return (struct answer) { .result = json_pack("{s:o}", "peers", list) };
}

static struct answer do_get(const struct rpc_source *src, json_t *params)
{
	const char *text = json_string_value(json_object_get(params, "pubkey"));
	struct wg_key key;
	struct peer *p;

	if (!text || *text == '\0')
		return fail(RPC_INVALID_PARAMS, "missing or invalid 'pubkey' parameter", "");
	p = wg_key_parse(&key, text) == 0 ? peers_find(src->peers, &key) : NULL;
	if (!p)
		return fail(RPC_INVALID_PARAMS, "peer not found: ", text);
	return (struct answer) { .result = peer_json(p) };
}

static const struct {
	const char *name;
	struct answer (*fn)(const struct rpc_source *src, json_t *params);
} methods[] = {
	{ "daemon.ping", do_ping }, { "daemon.status", do_status }, { "peers.count", do_count },
	{ "peers.list", do_list },  { "peers.get", do_get },
};

static struct answer dispatch(const struct rpc_source *src, json_t *req)
{
	const char *version = json_string_value(json_object_get(req, "jsonrpc"));
	const char *method = json_string_value(json_object_get(req, "method"));

	if (!version || strcmp(version, "2.0") != 0)
		return fail(RPC_INVALID_REQUEST, "invalid jsonrpc version, must be 2.0", "");
	for (size_t i = 0; method && i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, method) == 0)
			return methods[i].fn(src, json_object_get(req, "params"));
	return fail(RPC_NO_METHOD, "method not found: ", method ? method : "");
}

static bool has_sane_params(json_t *req)
{
	json_t *params = json_object_get(req, "params");

	return !params || json_is_null(params) || json_is_object(params);
}

/* The answer as one line, or NULL without memory. */
static char *render(struct answer a, json_t *id)
{
	json_t *obj = json_object();
	char *text;
	char *line;
	size_t len;

	(void)json_object_set_new(obj, "jsonrpc", json_string("2.0"));
	(void)json_object_set_new(obj, a.error ? "error" : "result", a.error ? a.error : a.result);
	(void)json_object_set_new(obj, "id", id ? json_incref(id) : json_null());
	text = json_dumps(obj, JSON_COMPACT);
	json_decref(obj);
	if (!text)
		return NULL;
	len = strlen(text);
	line = realloc(text, len + 2);
	if (!line) {
		free(text);
		return NULL;
	}
	line[len] = '\n';
	line[len + 1] = '\0';
	return line;
}

char *rpc_answer(const char *line, size_t len, const struct rpc_source *src)
{
	json_error_t why;
	json_t *req = json_loadb(line, len, 0, &why);
	json_t *id = json_object_get(req, "id");
	char *out;

	if (!json_is_object(req) || !has_sane_params(req))
		out = render(fail(RPC_PARSE_ERROR, "parse error",
				  req ? ": the request or its params are no object" : ""),
			     NULL);
	else
		out = render(dispatch(src, req), id);
	json_decref(req);
	return out;
}

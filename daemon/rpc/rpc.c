/* SPDX-License-Identifier: MIT */
#include "daemon/rpc/rpc.h"
#include "common/defs.h"
#include "daemon/view/viewjson.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* JSON-RPC 2.0 section 5.1 */
enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL = -32603,
};

/* Neither: it is still to come. */
struct answer {
	json_t *result;
	json_t *error;
};

struct method {
	const char *name;
	/* What can be done and answered at once; NULL when there is no such thing. */
	struct answer (*start)(const struct view_source *src, json_t *params);
	/* Answers from a fresh view. */
	struct answer (*finish)(const struct view *v, json_t *params);
};

struct rpc_call {
	json_t *request;
	json_t *id; /* borrowed from the request */
	const struct method *method;
	struct answer answer;
};

/* No buffer in between: a message cut inside a character would be no JSON text. */
static struct answer fail(int code, const char *what, const char *detail)
{
	return (struct answer) {
		.error = json_pack("{s:i, s:s+}", "code", code, "message", what, detail),
	};
}

static json_t *params_of(const struct rpc_call *c)
{
	return json_object_get(c->request, "params");
}

static struct answer start_ping(const struct view_source *src, json_t *params)
{
	(void)src;
	(void)params;
	return (struct answer) {
		.result = json_pack("{s:b, s:s}", "pong", 1, "version", WGMESH_VERSION),
	};
}

static struct answer finish_status(const struct view *v, json_t *params)
{
	(void)params;
	return (struct answer) { .result = viewjson_status(v) };
}

static struct answer finish_count(const struct view *v, json_t *params)
{
	struct viewjson_counts c = viewjson_count(v);

	(void)params;
	return (struct answer) {
		.result = json_pack("{s:i, s:i, s:i}", "active", c.active, "total", c.total, "dead",
				    c.total - c.active),
	};
}

static struct answer finish_list(const struct view *v, json_t *params)
{
	bool all = json_is_true(json_object_get(params, "all"));
	json_t *list = json_array();

	for (const struct peer *p = v->peers ? peers_next(v->peers, NULL) : NULL; p;
	     p = peers_next(v->peers, p))
		if (all || peer_is_active(p, v->now))
			(void)json_array_append_new(list, viewjson_peer(v, p));
	return (struct answer) { .result = json_pack("{s:o}", "peers", list) };
}

static struct answer finish_get(const struct view *v, json_t *params)
{
	const char *text = json_string_value(json_object_get(params, "pubkey"));
	struct wg_key key;
	struct peer *p;

	if (!text || *text == '\0')
		return fail(RPC_INVALID_PARAMS, "missing or invalid 'pubkey' parameter", "");
	p = v->peers && wg_key_parse(&key, text) == 0 ? peers_find(v->peers, &key) : NULL;
	if (!p)
		return fail(RPC_INVALID_PARAMS, "peer not found: ", text);
	return (struct answer) { .result = viewjson_peer(v, p) };
}

static struct answer start_log_set(const struct view_source *src, json_t *params)
{
	const char *levels = json_string_value(json_object_get(params, "levels"));
	struct err e = { 0 };

	if (!levels || *levels == '\0')
		return fail(RPC_INVALID_PARAMS, "missing or invalid 'levels' parameter", "");
	if (src->set_log_levels(src->arg, levels, &e) < 0)
		return fail(RPC_INVALID_PARAMS, e.msg, "");
	return (struct answer) { .result = json_pack("{s:s}", "levels", levels) };
}

static struct answer start_reload(const struct view_source *src, json_t *params)
{
	struct err e = { 0 };

	(void)params;
	if (src->reload(src->arg, &e) < 0)
		return fail(RPC_INTERNAL, e.msg, "");
	return (struct answer) { 0 };
}

/* A fresh view waits for the reload, too. */
static struct answer finish_reload(const struct view *v, json_t *params)
{
	(void)params;
	if (v->reload_note)
		return fail(RPC_INTERNAL, v->reload_note, "");
	return (struct answer) { .result = json_pack("{s:b}", "reloaded", 1) };
}

static const struct method methods[] = {
#define RPC_METHOD(name, start, finish, params, result, meaning) { name, start, finish },
#include "daemon/rpc/rpc.def"
#undef RPC_METHOD
};

/* Finds the method, or the error that there is instead. */
static struct answer dispatch(struct rpc_call *c, const struct view_source *src)
{
	const char *version = json_string_value(json_object_get(c->request, "jsonrpc"));
	const char *name = json_string_value(json_object_get(c->request, "method"));

	if (!version || strcmp(version, "2.0") != 0)
		return fail(RPC_INVALID_REQUEST, "invalid jsonrpc version, must be 2.0", "");
	for (size_t i = 0; name && !c->method && i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			c->method = &methods[i];
	if (!c->method)
		return fail(RPC_NO_METHOD, "method not found: ", name ? name : "");
	if (c->method->start)
		return c->method->start(src, params_of(c));
	return (struct answer) { 0 };
}

static bool has_sane_params(const struct rpc_call *c)
{
	json_t *params = params_of(c);

	return !params || json_is_null(params) || json_is_object(params);
}

/* The answer as one line, or NULL without memory; takes the answer over. */
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

struct rpc_call *rpc_begin(const char *line, size_t len, const struct view_source *src)
{
	struct rpc_call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->request = json_loadb(line, len, 0, NULL);
	if (!json_is_object(c->request) || !has_sane_params(c)) {
		c->answer = fail(RPC_PARSE_ERROR, "parse error",
				 c->request ? ": the request or its params are no object" : "");
	} else {
		c->id = json_object_get(c->request, "id");
		c->answer = dispatch(c, src);
	}
	return c;
}

bool rpc_needs_view(const struct rpc_call *c)
{
	return !c->answer.result && !c->answer.error;
}

char *rpc_finish(struct rpc_call *c, const struct view *v)
{
	char *line;

	if (rpc_needs_view(c) && v)
		c->answer = c->method->finish(v, params_of(c));
	line = rpc_needs_view(c) ? NULL : render(c->answer, c->id);
	c->answer = (struct answer) { 0 };
	rpc_drop(c);
	return line;
}

void rpc_drop(struct rpc_call *c)
{
	if (!c)
		return;
	json_decref(c->answer.result);
	json_decref(c->answer.error);
	json_decref(c->request);
	free(c);
}

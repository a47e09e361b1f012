/* SPDX-License-Identifier: MIT */
#include "daemon/dht/krpc.h"
#include "common/defs.h"
#include "daemon/dht/bencode.h"

#include <errno.h>
#include <string.h>

#define PEER4_LEN 6 /* address and port */
#define PEER6_LEN 18
#define NODE4_LEN (NODEID_LEN + PEER4_LEN)
#define NODE6_LEN (NODEID_LEN + PEER6_LEN)

static const char *const method_names[] = {
	[KRPC_PING] = "ping",
	[KRPC_FIND_NODE] = "find_node",
	[KRPC_GET_PEERS] = "get_peers",
	[KRPC_ANNOUNCE_PEER] = "announce_peer",
};

/* --- reading ------------------------------------------------------------------------------- */

static bool take_id(struct nodeid *out, const struct bencode *dict, const char *key)
{
	struct bencode v = bencode_find(dict, key);

	if (v.type != BENCODE_STRING || v.len != NODEID_LEN)
		return false;
	memcpy(out->b, v.data, NODEID_LEN);
	return true;
}

/* Compact address: its length says of which family. */
static bool take_endpoint(struct endpoint *out, const uint8_t *data, size_t len)
{
	*out = (struct endpoint) { 0 };
	if (len != PEER4_LEN && len != PEER6_LEN)
		return false;
	out->ip.family = len == PEER4_LEN ? AF_INET : AF_INET6;
	memcpy(out->ip.b, data, len - 2);
	out->port = (uint16_t)(data[len - 2] << 8 | data[len - 1]);
	return true;
}

static void take_nodes(struct krpc_message *out, const struct bencode *dict, const char *key,
		       size_t each)
{
	struct bencode v = bencode_find(dict, key);

	if (v.type != BENCODE_STRING)
		return;
	for (size_t at = 0; at + each <= v.len && out->n_nodes < KRPC_NODES_MAX; at += each) {
		struct krpc_node *node = &out->nodes[out->n_nodes++];

		memcpy(node->id.b, v.data + at, NODEID_LEN);
		(void)take_endpoint(&node->at, v.data + at + NODEID_LEN, each - NODEID_LEN);
	}
}

static void take_values(struct krpc_message *out, const struct bencode *dict)
{
	struct bencode list = bencode_find(dict, "values");
	struct bencode v;

	while (out->n_values < KRPC_VALUES_MAX && bencode_next(&v, &list))
		if (v.type == BENCODE_STRING &&
		    take_endpoint(&out->values[out->n_values], v.data, v.len))
			out->n_values++;
}

static void take_token(struct krpc_message *out, const struct bencode *dict)
{
	struct bencode v = bencode_find(dict, "token");

	if (v.type != BENCODE_STRING || v.len > KRPC_TOKEN_MAX)
		return;
	out->token_len = v.len;
	if (v.len > 0)
		memcpy(out->token, v.data, v.len);
}

static enum krpc_verdict take_response(struct krpc_message *out, const struct bencode *top)
{
	struct bencode r = bencode_find(top, "r");
	struct bencode seen = bencode_find(top, "ip");

	out->has_id = take_id(&out->id, &r, "id");
	if (!out->has_id)
		return KRPC_NOISE;
	if (seen.type == BENCODE_STRING)
		(void)take_endpoint(&out->seen_as, seen.data, seen.len);
	take_nodes(out, &r, "nodes", NODE4_LEN);
	take_nodes(out, &r, "nodes6", NODE6_LEN);
	take_values(out, &r);
	take_token(out, &r);
	return KRPC_OK;
}

static unsigned int take_want(const struct bencode *args)
{
	struct bencode list = bencode_find(args, "want");
	unsigned int want = 0;
	struct bencode v;

	while (bencode_next(&v, &list))
		want |= bencode_is(&v, "n4") ? KRPC_WANT_4 : bencode_is(&v, "n6") ? KRPC_WANT_6 : 0;
	return want;
}

static enum krpc_verdict take_method(struct krpc_message *out, const struct bencode *top)
{
	struct bencode q = bencode_find(top, "q");

	for (size_t i = 0; i < ARRAY_LEN(method_names); i++) {
		if (!bencode_is(&q, method_names[i]))
			continue;
		out->method = (enum krpc_method)i;
		return KRPC_OK;
	}
	if (q.type != BENCODE_STRING)
		return KRPC_BAD_QUERY;
	out->method = KRPC_FIND_NODE;
	return out->has_target ? KRPC_OK : KRPC_UNKNOWN_METHOD;
}

static bool take_announcement(struct krpc_message *out, const struct bencode *args)
{
	struct bencode port = bencode_find(args, "port");
	struct bencode implied = bencode_find(args, "implied_port");

	take_token(out, args);
	out->implied_port = implied.type == BENCODE_INTEGER && implied.integer != 0;
	if (port.type == BENCODE_INTEGER && port.integer > 0 && port.integer <= UINT16_MAX)
		out->port = (uint16_t)port.integer;
	return out->token_len > 0 && (out->port != 0 || out->implied_port);
}

static enum krpc_verdict take_query(struct krpc_message *out, const struct bencode *top)
{
	struct bencode args = bencode_find(top, "a");
	struct bencode ro = bencode_find(top, "ro");
	enum krpc_verdict verdict;

	out->has_id = take_id(&out->id, &args, "id");
	out->has_target =
		take_id(&out->target, &args, "info_hash") || take_id(&out->target, &args, "target");
	out->is_read_only = ro.type == BENCODE_INTEGER && ro.integer != 0;
	out->want = take_want(&args);
	verdict = take_method(out, top);
	if (verdict != KRPC_OK)
		return verdict;
	if (!out->has_id || (out->method != KRPC_PING && !out->has_target))
		return KRPC_BAD_QUERY;
	if (out->method == KRPC_ANNOUNCE_PEER && !take_announcement(out, &args))
		return KRPC_BAD_QUERY;
	return KRPC_OK;
}

static enum krpc_verdict take_error(struct krpc_message *out, const struct bencode *top)
{
	struct bencode list = bencode_find(top, "e");
	struct bencode v;
	size_t len;

	if (bencode_next(&v, &list) && v.type == BENCODE_INTEGER)
		out->error = v.integer;
	if (!bencode_next(&v, &list) || v.type != BENCODE_STRING)
		return KRPC_OK;
	len = v.len < KRPC_TEXT_SIZE - 1 ? v.len : KRPC_TEXT_SIZE - 1;
	memset(out->text, '?', len);
	for (size_t i = 0; i < len; i++)
		if (v.data[i] >= ' ' && v.data[i] <= '~')
			out->text[i] = (char)v.data[i];
	return KRPC_OK;
}

enum krpc_verdict krpc_parse(struct krpc_message *out, const void *buf, size_t len)
{
	struct bencode top;
	struct bencode tid;
	struct bencode kind;

	memset(out, 0, sizeof(*out));
	if (bencode_parse(&top, buf, len) < 0)
		return KRPC_NOISE;
	tid = bencode_find(&top, "t");
	kind = bencode_find(&top, "y");
	if (tid.type != BENCODE_STRING || tid.len == 0 || tid.len > KRPC_TID_MAX)
		return KRPC_NOISE;
	out->tid_len = tid.len;
	memcpy(out->tid, tid.data, tid.len);
	if (bencode_is(&kind, "q")) {
		out->kind = KRPC_QUERY;
		return take_query(out, &top);
	}
	if (bencode_is(&kind, "r")) {
		out->kind = KRPC_RESPONSE;
		return take_response(out, &top);
	}
	out->kind = KRPC_ERROR;
	return bencode_is(&kind, "e") ? take_error(out, &top) : KRPC_NOISE;
}

/* --- writing ------------------------------------------------------------------------------- */

static size_t pack_endpoint(uint8_t out[static PEER6_LEN], const struct endpoint *at)
{
	size_t len = at->ip.family == AF_INET6 ? PEER6_LEN : PEER4_LEN;

	memcpy(out, at->ip.b, len - 2);
	out[len - 2] = (uint8_t)(at->port >> 8);
	out[len - 1] = (uint8_t)at->port;
	return len;
}

static void put_endpoint(struct bencode_out *out, const struct endpoint *at)
{
	uint8_t packed[PEER6_LEN];

	bencode_put_string(out, packed, pack_endpoint(packed, at));
}

static void put_id(struct bencode_out *out, const char *key, const struct nodeid *id)
{
	bencode_put_text(out, key);
	bencode_put_string(out, id->b, NODEID_LEN);
}

static void put_token(struct bencode_out *out, const struct krpc_message *m)
{
	if (m->token_len == 0)
		return;
	bencode_put_text(out, "token");
	bencode_put_string(out, m->token, m->token_len);
}

static void put_nodes(struct bencode_out *out, const struct krpc_message *m, uint8_t family)
{
	uint8_t packed[KRPC_NODES_MAX * NODE6_LEN];
	size_t len = 0;

	for (size_t i = 0; i < m->n_nodes && i < KRPC_NODES_MAX; i++) {
		if (m->nodes[i].at.ip.family != family)
			continue;
		memcpy(packed + len, m->nodes[i].id.b, NODEID_LEN);
		len += NODEID_LEN;
		len += pack_endpoint(packed + len, &m->nodes[i].at);
	}
	bencode_put_text(out, family == AF_INET ? "nodes" : "nodes6");
	bencode_put_string(out, packed, len);
}

static void put_values(struct bencode_out *out, const struct krpc_message *m)
{
	if (m->n_values == 0)
		return;
	bencode_put_text(out, "values");
	bencode_put_list(out);
	for (size_t i = 0; i < m->n_values && i < KRPC_VALUES_MAX; i++)
		put_endpoint(out, &m->values[i]);
	bencode_put_end(out);
}

static void put_response(struct bencode_out *out, const struct krpc_message *m)
{
	if (m->seen_as.ip.family != 0) {
		bencode_put_text(out, "ip");
		put_endpoint(out, &m->seen_as);
	}
	bencode_put_text(out, "r");
	bencode_put_dict(out);
	put_id(out, "id", &m->id);
	if (m->want & KRPC_WANT_4)
		put_nodes(out, m, AF_INET);
	if (m->want & KRPC_WANT_6)
		put_nodes(out, m, AF_INET6);
	put_token(out, m);
	put_values(out, m);
	bencode_put_end(out);
}

static void put_want(struct bencode_out *out, unsigned int want)
{
	if (want == 0)
		return;
	bencode_put_text(out, "want");
	bencode_put_list(out);
	if (want & KRPC_WANT_4)
		bencode_put_text(out, "n4");
	if (want & KRPC_WANT_6)
		bencode_put_text(out, "n6");
	bencode_put_end(out);
}

static void put_arguments(struct bencode_out *out, const struct krpc_message *m)
{
	bencode_put_text(out, "a");
	bencode_put_dict(out);
	put_id(out, "id", &m->id);
	if (m->method == KRPC_ANNOUNCE_PEER) {
		bencode_put_text(out, "implied_port");
		bencode_put_integer(out, m->implied_port ? 1 : 0);
	}
	if (m->method == KRPC_GET_PEERS || m->method == KRPC_ANNOUNCE_PEER)
		put_id(out, "info_hash", &m->target);
	if (m->method == KRPC_ANNOUNCE_PEER) {
		bencode_put_text(out, "port");
		bencode_put_integer(out, m->port);
		put_token(out, m);
	}
	if (m->method == KRPC_FIND_NODE)
		put_id(out, "target", &m->target);
	put_want(out, m->want);
	bencode_put_end(out);
}

static void put_query(struct bencode_out *out, const struct krpc_message *m)
{
	put_arguments(out, m);
	bencode_put_text(out, "q");
	bencode_put_text(out, method_names[m->method]);
	if (!m->is_read_only)
		return;
	bencode_put_text(out, "ro");
	bencode_put_integer(out, 1);
}

static void put_error(struct bencode_out *out, const struct krpc_message *m)
{
	bencode_put_text(out, "e");
	bencode_put_list(out);
	bencode_put_integer(out, m->error);
	bencode_put_text(out, m->text);
	bencode_put_end(out);
}

long krpc_format(uint8_t buf[static KRPC_DATAGRAM_MAX], const struct krpc_message *m)
{
	static const char *const kinds[] = {
		[KRPC_QUERY] = "q", [KRPC_RESPONSE] = "r", [KRPC_ERROR] = "e"
	};
	struct bencode_out out = { .size = KRPC_DATAGRAM_MAX };

	out.buf = buf;
	bencode_put_dict(&out);
	if (m->kind == KRPC_QUERY)
		put_query(&out, m);
	else if (m->kind == KRPC_RESPONSE)
		put_response(&out, m);
	else
		put_error(&out, m);
	bencode_put_text(&out, "t");
	bencode_put_string(&out, m->tid, m->tid_len);
	bencode_put_text(&out, "y");
	bencode_put_text(&out, kinds[m->kind]);
	bencode_put_end(&out);
	return out.is_full ? -EMSGSIZE : (long)out.len;
}

/* SPDX-License-Identifier: MIT */
/* What others ask of us. */
#include "daemon/dht/dhtcore_impl.h"

#include <stdio.h>
#include <string.h>

/* As many as fit into KRPC_DATAGRAM_MAX beside the nodes of both families. */
#define VALUES4_MAX 48
#define VALUES6_MAX 24

/* Nobody is told of addresses of a network that he is not in himself. */
static void add_nodes(struct dhtcore *c, struct krpc_message *out, const struct dht_family *f,
		      const struct endpoint *from, int64_t now_ms)
{
	struct krpc_node list[NODETABLE_K];
	size_t n = nodetable_closest(&f->table, &c->in.target, list, NODETABLE_K, now_ms);

	for (size_t i = 0; i < n; i++)
		if (nodeid_may_tell(&from->ip, &list[i].at) && out->n_nodes < KRPC_NODES_MAX)
			out->nodes[out->n_nodes++] = list[i];
}

static void add_values(struct dhtcore *c, struct krpc_message *out, const struct endpoint *from,
		       int64_t now_ms)
{
	struct peerstore_query q = { .infohash = &c->in.target,
				     .family = from->ip.family,
				     .seed = dhtcore_random16(c) };
	struct endpoint list[VALUES4_MAX];
	size_t max = from->ip.family == AF_INET ? VALUES4_MAX : VALUES6_MAX;
	size_t n = peerstore_find(&c->store, &q, list, max, now_ms);

	for (size_t i = 0; i < n; i++)
		if (nodeid_may_tell(&from->ip, &list[i]))
			out->values[out->n_values++] = list[i];
}

/* Nobody may have asked for a token in a long time. */
static void refresh_tokens(struct dhtcore *c, int64_t now_ms)
{
	uint8_t fresh[WRITETOKEN_KEY_LEN];

	while (writetoken_is_due(&c->tokens, now_ms)) {
		c->cfg.ops.random(c->cfg.ops.arg, fresh, sizeof(fresh));
		writetoken_rotate(&c->tokens, fresh, now_ms);
	}
}

static void add_token(struct dhtcore *c, struct krpc_message *out, const struct endpoint *from,
		      int64_t now_ms)
{
	refresh_tokens(c, now_ms);
	writetoken_make(&c->tokens, &from->ip, out->token);
	out->token_len = WRITETOKEN_LEN;
}

static void add_all_nodes(struct dhtcore *c, struct krpc_message *out, const struct endpoint *from,
			  int64_t now_ms)
{
	out->want = c->in.want;
	if (out->want == 0)
		out->want = from->ip.family == AF_INET ? KRPC_WANT_4 : KRPC_WANT_6;
	if (out->want & KRPC_WANT_4)
		add_nodes(c, out, &c->family[DHT_IPV4], from, now_ms);
	if (out->want & KRPC_WANT_6)
		add_nodes(c, out, &c->family[DHT_IPV6], from, now_ms);
}

static void refuse(struct dhtcore *c, const struct endpoint *from, enum krpc_error code,
		   const char *text)
{
	struct krpc_message m = { .kind = KRPC_ERROR,
				  .error = (int64_t)code,
				  .tid_len = c->in.tid_len };

	memcpy(m.tid, c->in.tid, sizeof(m.tid));
	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	(void)dhtcore_send(c, from, &m, DHT_OUT_ERROR);
}

/* Is it one of the ids under which our own mesh meets? */
static bool is_ours(const struct dhtcore *c, const struct nodeid *infohash, struct now now)
{
	struct nodeid id = { { 0 } };

	derive_hourly_id(id.b, c->cfg.secret, now.unix_s);
	if (nodeid_equal(&id, infohash))
		return true;
	derive_hourly_id(id.b, c->cfg.secret, now.unix_s - AGENDA_HOUR_S);
	return nodeid_equal(&id, infohash);
}

/* Return: whether it was taken; otherwise the refusal is under way */
static bool store(struct dhtcore *c, const struct endpoint *from, struct now now)
{
	struct endpoint at = *from;

	refresh_tokens(c, now.mono_ms);
	if (!writetoken_check(&c->tokens, &from->ip, c->in.token, c->in.token_len)) {
		refuse(c, from, KRPC_E_PROTOCOL, "Bad token");
		return false;
	}
	if (!c->in.implied_port)
		at.port = c->in.port;
	if (!peerstore_add(&c->store, &c->in.target, &at, now.mono_ms)) {
		refuse(c, from, KRPC_E_SERVER, "Too many peers from this address");
		return false;
	}
	if (is_ours(c, &c->in.target, now))
		(void)dhtcore_tell(c, &from->ip, &at, now.mono_ms);
	return true;
}

static void answer(struct dhtcore *c, const struct dht_family *f, const struct endpoint *from,
		   struct now now)
{
	struct krpc_message m = {
		.kind = KRPC_RESPONSE, .id = f->id, .seen_as = *from, .tid_len = c->in.tid_len
	};

	memcpy(m.tid, c->in.tid, sizeof(m.tid));
	switch (c->in.method) {
	case KRPC_PING:
		break;
	case KRPC_FIND_NODE:
		add_all_nodes(c, &m, from, now.mono_ms);
		break;
	case KRPC_GET_PEERS:
		add_all_nodes(c, &m, from, now.mono_ms);
		add_values(c, &m, from, now.mono_ms);
		add_token(c, &m, from, now.mono_ms);
		break;
	case KRPC_ANNOUNCE_PEER:
		if (!store(c, from, now))
			return;
		break;
	}
	(void)dhtcore_send(c, from, &m, DHT_OUT_RESPONSE);
}

/* Who asks may be somebody for the table, if he answers as well. */
static void meet(struct dhtcore *c, struct dht_family *f, const struct endpoint *from,
		 int64_t now_ms)
{
	struct krpc_node node = { .id = c->in.id, .at = *from };

	if (c->in.is_read_only || !nodetable_asked(&f->table, &node, now_ms))
		return;
	if (dhtcore_may_ask(c, now_ms) && allowance_take(&c->strangers, now_ms))
		dhtcore_ping(c, from, now_ms);
}

void dhtcore_serve(struct dhtcore *c, enum krpc_verdict verdict, const struct endpoint *from,
		   struct now now)
{
	struct dht_family *f = dhtcore_family_of(c, &from->ip);

	if (!f || !allowance_take(&c->answers, now.mono_ms)) {
		c->fates[DHT_IN_RATE_LIMITED]++;
		return;
	}
	c->fates[verdict == KRPC_OK ? DHT_IN_QUERY : DHT_IN_INVALID]++;
	if (verdict == KRPC_OK) {
		/* Our own message, come back. */
		if (nodeid_equal(&c->in.id, &f->id))
			return;
		answer(c, f, from, now);
		meet(c, f, from, now.mono_ms);
	} else if (verdict == KRPC_UNKNOWN_METHOD) {
		refuse(c, from, KRPC_E_METHOD, "Method Unknown");
	} else {
		refuse(c, from, KRPC_E_PROTOCOL, "Protocol Error");
	}
}

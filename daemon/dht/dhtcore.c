/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Everything happens in dhtcore_receive() and dhtcore_run(). A datagram is a query, which is answered
 * at once, or it ends a query of ours. dhtcore_run() gives up on queries that nobody answers, begins
 * the lookups that are due and sends as many queries as the allowance has; then it says when something
 * will be due again.
 */
#include "daemon/dht/dhtcore.h"
#include "common/defs.h"
#include "daemon/dht/dhtcore_impl.h"

#include <stdlib.h>
#include <string.h>

#define MAINTAIN_PAUSE_MS  3000
#define STRANGERS_BURST	   4
#define STRANGERS_PER_1000 500
#define RENAME_PAUSE_MS	   (60 * 60 * 1000)

const char *dhtcore_fate_name(enum dhtcore_fate fate)
{
	static const char *const names[] = {
		[DHT_IN_QUERY] = "query",     [DHT_IN_RESPONSE] = "response",
		[DHT_IN_ERROR] = "error",     [DHT_IN_UNASKED] = "unasked",
		[DHT_IN_INVALID] = "invalid", [DHT_IN_RATE_LIMITED] = "rate_limited",
		[DHT_OUT_QUERY] = "query",    [DHT_OUT_RESPONSE] = "response",
		[DHT_OUT_ERROR] = "error",    [DHT_OUT_UNSENT] = "unsent",
	};
	_Static_assert(ARRAY_LEN(names) == DHT_FATES, "a name for every fate");

	return fate < DHT_FATES ? names[fate] : "";
}

const char *dhtcore_fate_direction(enum dhtcore_fate fate)
{
	return fate < DHT_OUT_QUERY ? "in" : "out";
}

struct dht_family *dhtcore_family_of(struct dhtcore *c, const struct ip *ip)
{
	for (size_t i = 0; i < DHT_FAMILIES; i++)
		if (c->family[i].is_on && c->family[i].af == ip->family)
			return &c->family[i];
	return NULL;
}

uint16_t dhtcore_random16(const struct dhtcore *c)
{
	uint16_t random = 0;

	c->cfg.ops.random(c->cfg.ops.arg, &random, sizeof(random));
	return random;
}

bool dhtcore_send(struct dhtcore *c, const struct endpoint *to, const struct krpc_message *m,
		  enum dhtcore_fate fate)
{
	uint8_t buf[KRPC_DATAGRAM_MAX];
	long len = krpc_format(buf, m);
	bool is_sent = len >= 0 && c->cfg.ops.send(c->cfg.ops.arg, to, buf, (size_t)len) == 0;

	c->fates[is_sent ? fate : DHT_OUT_UNSENT]++;
	return is_sent;
}

static void init_family(struct dhtcore *c, enum dhtcore_family i, struct now now)
{
	struct dht_family *f = &c->family[i];

	f->af = i == DHT_IPV4 ? AF_INET : AF_INET6;
	f->is_on = i == DHT_IPV4 || !c->cfg.no_ipv6;
	c->cfg.ops.random(c->cfg.ops.arg, &f->id, sizeof(f->id));
	nodetable_init(&f->table, &f->id, now.mono_ms);
}

struct dhtcore *dhtcore_new(const struct dhtcore_config *cfg, struct now now)
{
	struct dhtcore *c = calloc(1, sizeof(*c));
	uint8_t random[WRITETOKEN_RANDOM_LEN];
	uint64_t seed = 0;

	if (!c)
		return NULL;
	c->cfg = *cfg;
	cfg->ops.random(cfg->ops.arg, random, sizeof(random));
	cfg->ops.random(cfg->ops.arg, &seed, sizeof(seed));
	writetoken_init(&c->tokens, random, now.mono_ms);
	ratelimit_init(&c->sources, seed);
	allowance_init(&c->out, DHTCORE_OUT_BURST, DHTCORE_OUT_PER_S * 1000, now.mono_ms);
	allowance_init(&c->answers, DHTCORE_ANSWER_BURST, DHTCORE_ANSWER_PER_S * 1000, now.mono_ms);
	allowance_init(&c->strangers, STRANGERS_BURST, STRANGERS_PER_1000, now.mono_ms);
	found_init(&c->found, now.mono_ms);
	for (size_t i = 0; i < DHT_FAMILIES; i++)
		init_family(c, (enum dhtcore_family)i, now);
	return c;
}

void dhtcore_free(struct dhtcore *c)
{
	free(c);
}

/* Of a long file, nodes from everywhere in it. */
void dhtcore_load(struct dhtcore *c, const struct krpc_node *nodes, size_t n)
{
	size_t begin = n > 0 ? dhtcore_random16(c) % n : 0;

	for (size_t i = 0; i < n; i++) {
		const struct krpc_node *node = &nodes[(begin + i) % n];
		struct dht_family *f = dhtcore_family_of(c, &node->at.ip);

		if (f && f->n_seeds < DHT_SEEDS_MAX)
			dhtcore_add_seed(f, node);
	}
}

size_t dhtcore_save(const struct dhtcore *c, struct krpc_node *out, size_t max)
{
	size_t n = 0;

	/* Not the bad ones; 1 is a time like any other. */
	for (size_t i = 0; i < DHT_FAMILIES; i++)
		n += nodetable_closest(&c->family[i].table, &c->family[i].id, out + n, max - n, 1);
	return n;
}

void dhtcore_router(struct dhtcore *c, const struct endpoint *at, struct now now)
{
	struct dht_family *f = dhtcore_family_of(c, &at->ip);
	bool is_known = false;

	if (!f || at->port == 0 || nodeid_scope(&at->ip) == SCOPE_NONE)
		return;
	for (size_t i = 0; i < DHT_ROUTERS_MAX; i++)
		is_known |= endpoint_equal(&c->router[i], at);
	if (is_known)
		return;
	c->router[c->n_routers++ % DHT_ROUTERS_MAX] = *at;
	if (nodetable_count(&f->table, NODETABLE_NOT_BAD, now.mono_ms) == 0)
		dhtcore_join(c, (enum dhtcore_family)(f - c->family), now);
}

void dhtcore_receive(struct dhtcore *c, const void *buf, size_t len, const struct endpoint *from,
		     struct now now)
{
	enum krpc_verdict verdict;

	if (!dhtcore_family_of(c, &from->ip) || from->port == 0 ||
	    nodeid_scope(&from->ip) == SCOPE_NONE) {
		c->fates[DHT_IN_INVALID]++;
		return;
	}
	if (!ratelimit_allow(&c->sources, &from->ip, now.mono_ms)) {
		c->fates[DHT_IN_RATE_LIMITED]++;
		return;
	}
	verdict = krpc_parse(&c->in, buf, len);
	if (verdict == KRPC_NOISE)
		c->fates[DHT_IN_INVALID]++;
	else if (c->in.kind == KRPC_QUERY)
		dhtcore_serve(c, verdict, from, now);
	else
		dhtcore_take_answer(c, from, now);
}

/* One query of upkeep: a node that was silent, or a bucket that has room. */
static void maintain_family(struct dhtcore *c, struct dht_family *f, int64_t now_ms)
{
	struct krpc_message q = { .method = KRPC_FIND_NODE };
	struct krpc_node node;

	if (!dhtcore_may_ask(c, now_ms))
		return;
	if (nodetable_silent(&f->table, &node, now_ms)) {
		dhtcore_ping(c, &node.at, now_ms);
		return;
	}
	c->cfg.ops.random(c->cfg.ops.arg, &q.target, sizeof(q.target));
	if (nodetable_thin(&f->table, &q.target, now_ms) &&
	    nodetable_closest(&f->table, &q.target, &node, 1, now_ms) == 1)
		(void)dhtcore_ask(c, &node.at, &q, PURPOSE_REFRESH, now_ms);
}

static void maintain(struct dhtcore *c, int64_t now_ms)
{
	if (now_ms < c->maintain_ms)
		return;
	for (size_t i = 0; i < DHT_FAMILIES; i++) {
		if (nodetable_due_ms(&c->family[i].table) > now_ms)
			continue;
		maintain_family(c, &c->family[i], now_ms);
		c->maintain_ms = now_ms + MAINTAIN_PAUSE_MS;
	}
}

/* An id that does not fit our address is worth less to others (BEP 42). */
static void settle_id(struct dhtcore *c, struct dht_family *f, int64_t now_ms)
{
	struct ip seen;

	if (!voters_verdict(&f->voters, &seen) || nodeid_fits(&f->id, &seen) ||
	    (f->renamed_ms != 0 && now_ms - f->renamed_ms < RENAME_PAUSE_MS))
		return;
	c->cfg.ops.random(c->cfg.ops.arg, &f->id, sizeof(f->id));
	nodeid_make(&f->id, &seen);
	nodetable_rename(&f->table, &f->id);
	f->renamed_ms = now_ms;
}

static int64_t due_ms(struct dhtcore *c, int64_t now_ms)
{
	int64_t due = dhtcore_jobs_due_ms(c, now_ms);
	int64_t pending = transact_next_ms(&c->pending);

	for (size_t i = 0; i < DHT_FAMILIES; i++) {
		int64_t upkeep = nodetable_due_ms(&c->family[i].table);

		if (upkeep < c->maintain_ms)
			upkeep = c->maintain_ms;
		if (upkeep < due)
			due = upkeep;
	}
	if (pending < due)
		due = pending;
	return due > now_ms ? due : now_ms + 1;
}

int64_t dhtcore_run(struct dhtcore *c, struct now now)
{
	dhtcore_expire(c, now.mono_ms);
	for (size_t i = 0; i < DHT_FAMILIES; i++)
		if (c->family[i].is_on)
			settle_id(c, &c->family[i], now.mono_ms);
	dhtcore_begin_jobs(c, now);
	dhtcore_step_jobs(c, now);
	maintain(c, now.mono_ms);
	return due_ms(c, now.mono_ms);
}

bool dhtcore_is_own(const struct dhtcore *c, const struct endpoint *at)
{
	for (size_t i = 0; i < DHT_FAMILIES; i++) {
		struct ip seen;

		if (at->port == c->cfg.port && voters_verdict(&c->family[i].voters, &seen) &&
		    ip_equal(&seen, &at->ip))
			return true;
	}
	return false;
}

void dhtcore_status(const struct dhtcore *c, struct now now, struct dhtcore_status *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < DHT_FAMILIES; i++) {
		const struct dht_family *f = &c->family[i];

		out->nodes[i] = nodetable_count(&f->table, NODETABLE_GOOD, now.mono_ms);
		out->is_announced[i] = f->n_announced > 0;
		out->announced[i] = f->n_announced;
	}
	out->stored = c->store.n;
	memcpy(out->fates, c->fates, sizeof(out->fates));
}

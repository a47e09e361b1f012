/* SPDX-License-Identifier: MIT */
/* What we ask of others. */
#include "common/defs.h"
#include "daemon/dht/dhtcore_impl.h"

#include <string.h>

#define WIDEN_PAUSE_MS (5 * 60 * 1000)
#define REFRESH_PINGS  2
#define OFFERS_MAX     32
#define STORED_MAX     8
#define UNSENT_MAX     4 /* then there is no network, and no use in trying all the others */

/* --- one query ----------------------------------------------------------------------------- */

bool dhtcore_may_ask(struct dhtcore *c, int64_t now_ms)
{
	return allowance_next_ms(&c->out, now_ms) <= now_ms &&
	       transact_count(&c->pending) < TRANSACT_MAX;
}

bool dhtcore_ask(struct dhtcore *c, const struct endpoint *to, struct krpc_message *q,
		 unsigned int purpose, int64_t now_ms)
{
	const struct dht_family *f = dhtcore_family_of(c, &to->ip);
	uint8_t tid[TRANSACT_TID_LEN];
	struct transact unsent;

	if (!f || !allowance_take(&c->out, now_ms))
		return false;
	c->cfg.ops.random(c->cfg.ops.arg, tid, sizeof(tid));
	if (!transact_begin(&c->pending, to, purpose, tid, now_ms))
		return false;
	q->kind = KRPC_QUERY;
	q->id = f->id;
	q->tid_len = sizeof(tid);
	memcpy(q->tid, tid, sizeof(tid));
	if (dhtcore_send(c, to, q, DHT_OUT_QUERY))
		return true;
	(void)transact_end(&c->pending, to, tid, sizeof(tid), &unsent);
	return false;
}

void dhtcore_ping(struct dhtcore *c, const struct endpoint *to, int64_t now_ms)
{
	struct krpc_message q = { .method = KRPC_PING };

	(void)dhtcore_ask(c, to, &q, PURPOSE_PING, now_ms);
}

/* --- lookups ------------------------------------------------------------------------------- */

static struct dht_job *job_of(struct dhtcore *c, enum dhtcore_family family, enum dht_job_kind kind)
{
	return &c->job[(size_t)family * JOB_KINDS + (size_t)kind];
}

static enum dhtcore_family family_number(size_t job)
{
	return (enum dhtcore_family)(job / JOB_KINDS);
}

static void offer_routers(struct dhtcore *c, struct dht_job *job)
{
	for (size_t i = 0; i < DHT_ROUTERS_MAX; i++)
		(void)lookup_offer(&job->lookup, NULL, &c->router[i]);
}

void dhtcore_add_seed(struct dht_family *f, const struct krpc_node *node)
{
	for (size_t i = 0; i < DHT_SEEDS_MAX; i++)
		if (endpoint_equal(&f->seed[i].at, &node->at))
			return;
	f->seed[f->n_seeds++ % DHT_SEEDS_MAX] = *node;
}

static void offer_seeds(const struct dht_family *f, struct dht_job *job)
{
	for (size_t i = 0; i < DHT_SEEDS_MAX; i++)
		(void)lookup_offer(&job->lookup, &f->seed[i].id, &f->seed[i].at);
}

/* Of the table, those that do not answer too when there is nobody else. */
static void offer_table(const struct dht_family *f, struct dht_job *job, int64_t now_ms)
{
	struct krpc_node list[OFFERS_MAX];
	size_t n = nodetable_closest(&f->table, &job->lookup.target, list, OFFERS_MAX, now_ms);

	for (size_t i = 0; i < n; i++)
		(void)lookup_offer(&job->lookup, &list[i].id, &list[i].at);
}

static void begin_job(struct dhtcore *c, enum dhtcore_family family, struct dht_job *job,
		      const struct nodeid *target, struct now now)
{
	const struct dht_family *f = &c->family[family];

	job->phase = JOB_LOOKING;
	job->must_announce = false;
	job->n_unsent = 0;
	job->n_told = 0;
	job->n_closest = 0;
	lookup_begin(&job->lookup, target, &f->id, f->af, now.mono_ms);
}

void dhtcore_join(struct dhtcore *c, enum dhtcore_family family, struct now now)
{
	struct dht_family *f = &c->family[family];
	struct dht_job *job = job_of(c, family, JOB_JOIN);
	bool is_first = f->agenda.join_pause_ms <= AGENDA_JOIN_MS;
	struct nodeid target;

	if (job->phase == JOB_IDLE) {
		/* Never what follows from the secret alone: it would be the same for ever. */
		c->cfg.ops.random(c->cfg.ops.arg, &target, sizeof(target));
		begin_job(c, family, job, &target, now);
		offer_seeds(f, job);
		offer_table(f, job, 0);
	}
	/* Whoever has nodes of the last run need not bother those that everybody begins with. */
	if (f->n_seeds == 0 || !is_first)
		offer_routers(c, job);
}

static void begin_join(struct dhtcore *c, enum dhtcore_family family, struct now now)
{
	struct dht_family *f = &c->family[family];
	const struct dht_family *other = &c->family[DHT_FAMILIES - 1 - (size_t)family];
	bool is_rare = nodetable_count(&other->table, NODETABLE_NOT_BAD, now.mono_ms) > 0;
	int64_t pause_max_ms = is_rare ? AGENDA_JOIN_RARE_MS : AGENDA_JOIN_MAX_MS;

	if (job_of(c, family, JOB_JOIN)->phase != JOB_IDLE ||
	    !agenda_join(&f->agenda, now, pause_max_ms, dhtcore_random16(c)))
		return;
	if (f->n_seeds == 0 || f->agenda.join_pause_ms > AGENDA_JOIN_MS)
		c->cfg.ops.want_routers(c->cfg.ops.arg);
	dhtcore_join(c, family, now);
}

/* Few nodes may be cut off from the others, whom the routers know. */
static void begin_widening(struct dhtcore *c, enum dhtcore_family family, struct now now)
{
	struct dht_family *f = &c->family[family];

	if (now.mono_ms < f->widen_ms || job_of(c, family, JOB_JOIN)->phase != JOB_IDLE ||
	    nodetable_count(&f->table, NODETABLE_NOT_BAD, now.mono_ms) >= NODETABLE_K)
		return;
	/* The first time it has only just joined. */
	if (f->widen_ms != 0) {
		c->cfg.ops.want_routers(c->cfg.ops.arg);
		dhtcore_join(c, family, now);
		offer_routers(c, job_of(c, family, JOB_JOIN));
	}
	f->widen_ms = now.mono_ms + agenda_vary(WIDEN_PAUSE_MS, dhtcore_random16(c));
}

/* Where there are few nodes, one of the closest is this one. */
static void tell_stored(struct dhtcore *c, enum dhtcore_family family,
			const struct nodeid *infohash, int64_t now_ms)
{
	struct peerstore_query q = { .infohash = infohash,
				     .family = c->family[family].af,
				     .seed = dhtcore_random16(c) };
	struct endpoint list[STORED_MAX];
	size_t n = peerstore_find(&c->store, &q, list, STORED_MAX, now_ms);

	for (size_t i = 0; i < n; i++)
		(void)dhtcore_tell(c, &list[i].ip, &list[i], now_ms);
}

static void begin_query(struct dhtcore *c, enum dhtcore_family family, enum dht_job_kind kind,
			int64_t unix_s, struct now now)
{
	struct dht_family *f = &c->family[family];
	struct dht_job *job = job_of(c, family, kind);
	struct nodeid target;

	if (job->phase != JOB_IDLE)
		return;
	derive_hourly_id(target.b, c->cfg.secret, unix_s);
	begin_job(c, family, job, &target, now);
	offer_table(f, job, now.mono_ms);
	tell_stored(c, family, &target, now.mono_ms);
	job->must_announce = agenda_must_announce(&f->agenda, now);
}

static void begin_queries(struct dhtcore *c, enum dhtcore_family family, struct now now)
{
	struct dht_family *f = &c->family[family];
	unsigned int n_peers = c->cfg.ops.count_peers(c->cfg.ops.arg);

	if (job_of(c, family, JOB_JOIN)->phase != JOB_IDLE ||
	    !agenda_query(&f->agenda, now, n_peers, dhtcore_random16(c)))
		return;
	begin_query(c, family, JOB_CURRENT, now.unix_s, now);
	begin_query(c, family, JOB_PREVIOUS, now.unix_s - AGENDA_HOUR_S, now);
	if (agenda_must_announce(&f->agenda, now))
		f->n_accepted = 0;
}

void dhtcore_begin_jobs(struct dhtcore *c, struct now now)
{
	for (size_t i = 0; i < DHT_FAMILIES; i++) {
		enum dhtcore_family family = (enum dhtcore_family)i;
		struct dht_family *f = &c->family[i];

		if (!f->is_on)
			continue;
		if (nodetable_count(&f->table, NODETABLE_NOT_BAD, now.mono_ms) == 0) {
			begin_join(c, family, now);
			continue;
		}
		agenda_joined(&f->agenda);
		begin_widening(c, family, now);
		begin_queries(c, family, now);
	}
}

/* A node of one family that few are known of asks those of the other one, too (BEP 32). */
static unsigned int want_of(const struct dhtcore *c, int64_t now_ms)
{
	for (size_t i = 0; i < DHT_FAMILIES; i++) {
		if (!c->family[i].is_on)
			return 0;
		if (nodetable_count(&c->family[i].table, NODETABLE_NOT_BAD, now_ms) < NODETABLE_K)
			return KRPC_WANT_4 | KRPC_WANT_6;
	}
	return 0;
}

/* Return: whether there may be more to do at once */
static bool step_lookup(struct dhtcore *c, size_t number, struct now now)
{
	struct dht_job *job = &c->job[number];
	const struct lookup_node *node = lookup_next(&job->lookup, now.mono_ms);
	bool is_join = number % JOB_KINDS == JOB_JOIN;
	struct krpc_message q = { .method = is_join ? KRPC_FIND_NODE : KRPC_GET_PEERS };

	if (!node)
		return false;
	q.target = job->lookup.target;
	q.want = want_of(c, now.mono_ms);
	if (dhtcore_ask(c, &node->at, &q, (unsigned int)number, now.mono_ms))
		return true;
	lookup_failed(&job->lookup, &node->at);
	if (++job->n_unsent == UNSENT_MAX)
		job->phase = JOB_IDLE;
	return true;
}

static bool step_announcement(struct dhtcore *c, struct dht_job *job, struct now now)
{
	struct krpc_message q = { .method = KRPC_ANNOUNCE_PEER, .port = c->cfg.port };
	const struct lookup_node *node;

	if (job->n_told == job->n_closest) {
		job->phase = JOB_IDLE;
		return false;
	}
	node = job->closest[job->n_told++];
	q.target = job->lookup.target;
	q.token_len = node->token_len;
	memcpy(q.token, node->token, sizeof(q.token));
	return dhtcore_ask(c, &node->at, &q, PURPOSE_ANNOUNCE, now.mono_ms);
}

static bool step_job(struct dhtcore *c, size_t number, struct now now)
{
	struct dht_job *job = &c->job[number];

	if (job->phase == JOB_LOOKING && lookup_is_done(&job->lookup, now.mono_ms)) {
		job->phase = job->must_announce ? JOB_ANNOUNCING : JOB_IDLE;
		job->n_closest =
			job->must_announce ? lookup_closest(&job->lookup, job->closest) : 0;
	}
	if (job->phase == JOB_IDLE || !dhtcore_may_ask(c, now.mono_ms))
		return false;
	return job->phase == JOB_LOOKING ? step_lookup(c, number, now)
					 : step_announcement(c, job, now);
}

void dhtcore_step_jobs(struct dhtcore *c, struct now now)
{
	bool is_moving = true;

	/* In turns, so that no lookup takes the whole allowance. */
	while (is_moving) {
		is_moving = false;
		for (size_t i = 0; i < DHT_JOBS; i++)
			is_moving |= step_job(c, i, now);
	}
}

static int64_t job_due_ms(struct dhtcore *c, const struct dht_job *job, int64_t now_ms)
{
	int64_t allowed = allowance_next_ms(&c->out, now_ms);
	int64_t due;

	if (job->phase == JOB_IDLE)
		return INT64_MAX;
	if (allowed > now_ms || job->phase == JOB_ANNOUNCING)
		return allowed;
	due = lookup_slow_ms(&job->lookup, now_ms);
	return due < job->lookup.began_ms + LOOKUP_LIMIT_MS
		       ? due
		       : job->lookup.began_ms + LOOKUP_LIMIT_MS;
}

static int64_t agenda_due_ms(const struct dht_family *f, int64_t now_ms)
{
	if (!f->is_on)
		return INT64_MAX;
	if (nodetable_count(&f->table, NODETABLE_NOT_BAD, now_ms) == 0)
		return f->agenda.join_ms;
	if (nodetable_count(&f->table, NODETABLE_NOT_BAD, now_ms) < NODETABLE_K &&
	    f->widen_ms < f->agenda.query_ms)
		return f->widen_ms;
	return f->agenda.query_ms;
}

int64_t dhtcore_jobs_due_ms(struct dhtcore *c, int64_t now_ms)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < DHT_JOBS; i++) {
		int64_t job = job_due_ms(c, &c->job[i], now_ms);

		due = job < due ? job : due;
	}
	for (size_t i = 0; i < DHT_FAMILIES; i++) {
		int64_t agenda = agenda_due_ms(&c->family[i], now_ms);

		/* What waits for a join to end is woken by the join. */
		if (c->job[i * JOB_KINDS + JOB_JOIN].phase == JOB_IDLE)
			due = agenda < due ? agenda : due;
	}
	return due;
}

/* --- answers ------------------------------------------------------------------------------- */

static bool is_avoided(const struct dhtcore *c, const struct ip *ip)
{
	for (size_t i = 0; i < c->cfg.n_avoid; i++)
		if (prefix_contains(&c->cfg.avoid[i], ip))
			return true;
	return false;
}

bool dhtcore_tell(struct dhtcore *c, const struct ip *teller, const struct endpoint *at,
		  int64_t now_ms)
{
	if (!dhtcore_family_of(c, &at->ip) || !nodeid_may_tell(teller, at) ||
	    is_avoided(c, &at->ip) || dhtcore_is_own(c, at) || !found_take(&c->found, at, now_ms))
		return false;
	c->cfg.ops.found(c->cfg.ops.arg, at);
	return true;
}

static void take_values(struct dhtcore *c, const struct endpoint *from, struct now now)
{
	size_t begin = c->in.n_values > 0 ? dhtcore_random16(c) % c->in.n_values : 0;
	unsigned int taken = 0;

	for (size_t i = 0; i < c->in.n_values && taken < FOUND_PER_ANSWER; i++) {
		const struct endpoint *at = &c->in.values[(begin + i) % c->in.n_values];

		taken += dhtcore_tell(c, &from->ip, at, now.mono_ms);
	}
}

/* Nodes of the other family are good for its own join. */
static void take_other_family(struct dhtcore *c, const struct dht_family *asked,
			      const struct endpoint *from, struct now now)
{
	for (size_t i = 0; i < c->in.n_nodes; i++) {
		const struct endpoint *at = &c->in.nodes[i].at;
		struct dht_family *f = dhtcore_family_of(c, &at->ip);

		if (f && f != asked && nodeid_may_tell(&from->ip, at) &&
		    nodetable_count(&f->table, NODETABLE_NOT_BAD, now.mono_ms) == 0)
			dhtcore_add_seed(f, &c->in.nodes[i]);
	}
}

static void ping_newcomers(struct dhtcore *c, struct dht_family *f, const struct endpoint *from,
			   int64_t now_ms)
{
	unsigned int pings = 0;

	for (size_t i = 0; i < c->in.n_nodes && pings < REFRESH_PINGS; i++) {
		const struct krpc_node *node = &c->in.nodes[i];

		if (node->at.ip.family != f->af || !nodeid_may_tell(&from->ip, &node->at) ||
		    !nodetable_wants(&f->table, node))
			continue;
		dhtcore_ping(c, &node->at, now_ms);
		pings++;
	}
}

/* Return: false for somebody who is not who we were told he is */
static bool take_for_job(struct dhtcore *c, size_t number, const struct endpoint *from,
			 struct now now)
{
	struct dht_job *job = &c->job[number];
	enum dhtcore_family family = family_number(number);

	/* The answer to a lookup that is over still shows that the node is there. */
	if (job->phase != JOB_LOOKING)
		return true;
	if (!lookup_answered(&job->lookup, from, &c->in))
		return false;
	take_other_family(c, &c->family[family], from, now);
	if (number % JOB_KINDS != JOB_JOIN)
		take_values(c, from, now);
	return true;
}

static void take_announced(struct dht_family *f, struct now now)
{
	f->n_accepted++;
	f->n_announced = f->n_accepted;
	agenda_announced(&f->agenda, now);
}

static void take_response(struct dhtcore *c, struct dht_family *f, const struct transact *asked,
			  struct now now)
{
	struct krpc_node node = { .id = c->in.id, .at = asked->to };

	if (asked->purpose < DHT_JOBS && !take_for_job(c, asked->purpose, &asked->to, now))
		return;
	nodetable_answered(&f->table, &node, now.mono_ms);
	if (c->in.seen_as.ip.family != 0)
		voters_take(&f->voters, &asked->to.ip, &c->in.seen_as.ip);
	if (asked->purpose == PURPOSE_REFRESH)
		ping_newcomers(c, f, &asked->to, now.mono_ms);
	if (asked->purpose == PURPOSE_ANNOUNCE)
		take_announced(f, now);
}

void dhtcore_take_answer(struct dhtcore *c, const struct endpoint *from, struct now now)
{
	struct dht_family *f = dhtcore_family_of(c, &from->ip);
	struct transact asked;

	if (!f || !transact_end(&c->pending, from, c->in.tid, c->in.tid_len, &asked)) {
		c->fates[DHT_IN_UNASKED]++;
		return;
	}
	if (c->in.kind == KRPC_RESPONSE) {
		c->fates[DHT_IN_RESPONSE]++;
		take_response(c, f, &asked, now);
		return;
	}
	c->fates[DHT_IN_ERROR]++;
	if (asked.purpose < DHT_JOBS)
		lookup_failed(&c->job[asked.purpose].lookup, from);
}

void dhtcore_expire(struct dhtcore *c, int64_t now_ms)
{
	struct transact late;

	while (transact_expire(&c->pending, now_ms, &late)) {
		struct dht_family *f = dhtcore_family_of(c, &late.to.ip);

		if (f)
			nodetable_failed(&f->table, &late.to);
		if (late.purpose < DHT_JOBS)
			lookup_failed(&c->job[late.purpose].lookup, &late.to);
	}
}

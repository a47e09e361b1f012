/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A peer without a direct tunnel is greeted where it may be, and at the same time up to three nodes
 * that may know it are asked for an introduction (OFFER). Whoever introduces tells both where the
 * other is and when to begin (START). Then HELLOs go to where its exchange may be, and WireGuard's
 * handshakes to where the introducer's own tunnel to it ends. Both ends send: that opens the NATs on
 * both sides. The one with the higher key does so a little later, because two WireGuard handshakes
 * that cross each other cost five seconds.
 *
 * Whoever knows the secret can send a START. So it counts only from a node that may introduce us,
 * where that was heard; it is about a peer that we know and do not reach; and it leads to a bounded
 * number of small datagrams, however often it comes.
 */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <string.h>

#define FIRST_MS      1500 /* what can be had without an introducer is there by then */
#define ASKED_AT_ONCE 16   /* of a thousand that are met together, so many a second */
#define RETRY_MS      1000 /* all introducers were asked a moment ago */
#define LULL_MAX_MS   32000
#define SPACING_MS    250  /* between two OFFERs to one introducer */
#define COOL_MS	      6000 /* between two STARTs about one peer */
#define OFFERS_EAGER  5	   /* then the pauses grow beyond half a minute */
#define PAUSE_MAX_MS  600000
#define STAGGER_MS    400   /* the end with the higher key begins so much later */
#define PUNCH_MS      10000 /* until an introduction has failed */
#define NEAR_MAX      2	    /* candidates that are greeted first; their neighbours follow */
#define NETWORKS_MAX  2	    /* addresses in one START that we greet, one of each family */

/* Pauses after each step of an introduction, in milliseconds. */
static const int steps_ms[] = { 800, 1700, 3500, 4000 };
#define STEPS (sizeof(steps_ms) / sizeof(steps_ms[0]))

/* --- asking -------------------------------------------------------------------------------- */

static bool wants_introduction(const struct node *n, const struct peer *p, struct now now)
{
	bool is_told = p->told_ms != 0 && now.mono_ms - p->told_ms < PEER_ACTIVE_MS;

	return !p->said_goodbye && !p->lost_ip && !peer_is_on_lan(p, now) &&
	       !node_relay_is_direct(n, p, now) && (is_told || peer_is_active(p, now));
}

/* One that says it introduces; or one of our kind that has a tunnel with us, and does so too. */
static bool may_introduce(const struct node *n, const struct peer *p, struct now now)
{
	if (!peer_is_verified(p) || !peer_is_active(p, now) || p->control.ip.family == 0)
		return false;
	return p->info.introducer ||
	       (p->is_ours && !p->path.is_relayed && node_relay_is_direct(n, p, now));
}

/**
 * struct asking - One look at who wants to be introduced
 * @now:	When
 * @left:	How many more may be asked for this time
 * @n:		Entries in @pool
 * @pool:	Who may introduce us
 */
struct asking {
	struct now now;
	unsigned int left;
	size_t n;
	struct rendezvous_introducer pool[RENDEZVOUS_POOL_MAX];
};

static void gather_introducers(const struct node *n, struct asking *out)
{
	for (struct peer *p = peers_next(n->peers, NULL); p && out->n < RENDEZVOUS_POOL_MAX;
	     p = peers_next(n->peers, p)) {
		struct rendezvous_introducer *i = &out->pool[out->n];

		if (!may_introduce(n, p, out->now))
			continue;
		memcpy(i->key_text, p->key_text, sizeof(i->key_text));
		i->is_explicit = p->info.introducer;
		i->slot = p->slot;
		out->n++;
	}
}

static size_t choose(const struct asking *a, const struct peer *target, uint64_t seed,
		     struct rendezvous_introducer out[static RENDEZVOUS_INTRODUCERS_MAX])
{
	struct rendezvous_introducer pool[RENDEZVOUS_POOL_MAX];
	size_t total = 0;

	for (size_t i = 0; i < a->n; i++)
		if (a->pool[i].slot != target->slot)
			pool[total++] = a->pool[i];
	return rendezvous_choose(pool, total, seed, out);
}

static bool offer_to(struct node *n, const struct peer *introducer, const struct offer *offer,
		     struct now now)
{
	struct node_peer *row = &n->rows[introducer->slot];
	struct endpoint at = node_relay_inside(n, introducer, now);
	char plain[INTRODUCE_PLAIN_MAX];

	if (row->asked_ms != 0 && now.mono_ms - row->asked_ms < SPACING_MS)
		return false;
	row->asked_ms = now.mono_ms;
	if (at.ip.family == 0)
		at = introducer->control;
	exchange_send(n->exchange, &at, MESSAGE_RENDEZVOUS_OFFER, plain,
		      offer_format(plain, sizeof(plain), offer, now.unix_s));
	return true;
}

/* Asks for an introduction; false when all who could be asked were asked a moment ago, or nobody can be. */
static bool ask(struct node *n, const struct peer *p, const struct asking *a)
{
	struct rendezvous_introducer chosen[RENDEZVOUS_INTRODUCERS_MAX];
	struct offer offer = { .from = n->ready.public_key, .target = p->info.key };
	bool has_asked = false;
	size_t total;

	offer.seed = rendezvous_pair_seed(n->self.key_text, p->key_text);
	total = choose(a, p, offer.seed, chosen);
	for (size_t i = 0; i < total; i++)
		has_asked |= offer_to(n, peers_at(n->peers, chosen[i].slot), &offer, a->now);
	return has_asked;
}

static int64_t pause_ms(unsigned int n_offers)
{
	int64_t pause = rendezvous_backoff_ms(n_offers);

	for (unsigned int i = OFFERS_EAGER; i < n_offers && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

/* When a peer is due after its pause: in the seconds in which the other end is awake for us, too. */
static int64_t next_ms(const struct node *n, const struct peer *p, struct now now)
{
	uint64_t seed = rendezvous_pair_seed(n->self.key_text, p->key_text);
	int64_t pause = pause_ms(n->rows[p->slot].n_offers);
	int64_t second = now.unix_s + pause / 1000;

	return now.mono_ms - now.part_ms +
	       (rendezvous_next_window(seed, second, RENDEZVOUS_WINDOW) - now.unix_s) * 1000;
}

/*
 * How long to wait when nobody can be asked: as long as that has been so, since each look has WireGuard
 * tell of all peers.
 */
static int64_t lull_ms(struct node *n, struct now now)
{
	int64_t ms;

	if (n->lull_since_ms == 0)
		n->lull_since_ms = now.mono_ms;
	ms = now.mono_ms - n->lull_since_ms;
	if (ms < RETRY_MS)
		return RETRY_MS;
	return ms < LULL_MAX_MS ? ms : LULL_MAX_MS;
}

/* Asks if it is time; returns when it is time again. */
static int64_t attend(struct node *n, struct peer *p, struct asking *a)
{
	struct node_peer *row = &n->rows[p->slot];
	struct now now = a->now;

	if (row->offer_ms == 0)
		row->offer_ms = p->first_seen_ms + FIRST_MS;
	if (now.mono_ms < row->offer_ms)
		return row->offer_ms;
	if (a->n == 0)
		return now.mono_ms + lull_ms(n, now);
	n->lull_since_ms = 0;
	if (a->left == 0)
		return now.mono_ms + RETRY_MS;
	a->left--;
	if (!ask(n, p, a)) {
		row->offer_ms = now.mono_ms + RETRY_MS;
		return row->offer_ms;
	}
	/* Not instead of the direct way, but beside it. */
	if (p->control.ip.family != 0)
		(void)exchange_hello(n->exchange, &p->control, 0);
	row->n_offers++;
	row->offer_ms = next_ms(n, p, now);
	return row->offer_ms;
}

static void judge_punches(struct node *n, struct now now);

void node_rendezvous_look(struct node *n)
{
	struct asking a = { .now = clock_now(), .left = ASKED_AT_ONCE };
	struct now now = a.now;
	int64_t again_ms = INT64_MAX;

	judge_punches(n, now);
	if (n->cfg->no_punching)
		return;
	gather_introducers(n, &a);
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		struct node_peer *row = &n->rows[p->slot];
		int64_t at;

		if (!wants_introduction(n, p, now)) {
			row->offer_ms = 0;
			row->n_offers = 0;
			continue;
		}
		at = attend(n, p, &a);
		if (at < again_ms)
			again_ms = at;
	}
	/* Who has a tunnel by then is not asked for. */
	if (again_ms != INT64_MAX)
		node_look_at(n, &n->offer_timer, node_look_ms(n, again_ms));
}

/* --- being introduced ---------------------------------------------------------------------- */

static void end_punch(struct node *n, struct node_punch *u)
{
	struct peer *p = peers_at(n->peers, u->slot);

	if (u->timer)
		(void)event_del(u->timer);
	u->node = NULL;
	if (!p)
		return;
	p->punch = (struct peer_punch) { .until_ms = 0 };
	peers_mark(n->peers, p);
}

static void succeed(struct node *n, struct node_punch *u, struct peer *p, struct now now)
{
	struct endpoint inside;

	n->counters.punches_done++;
	p->methods |= METHOD_RENDEZVOUS;
	peer_use_tunnel(p, now);
	end_punch(n, u);
	inside = node_relay_inside(n, p, now);
	/* Its announcement may never come any other way. */
	if (!peer_is_verified(p) && inside.ip.family != 0)
		(void)exchange_hello(n->exchange, &inside, METHOD_RENDEZVOUS);
}

static void judge_punches(struct node *n, struct now now)
{
	for (size_t i = 0; i < NODE_PUNCHES_MAX; i++) {
		struct node_punch *u = &n->punches[i];
		struct peer *p = u->node ? peers_at(n->peers, u->slot) : NULL;

		if (p && u->n_steps > 0 && p->handshake_s >= u->began_s && peer_has_tunnel(p, now))
			succeed(n, u, p, now);
	}
}

/* Those that were observed first, then the ports beside them. */
static void greet(struct node *n, const struct node_punch *u, size_t begin, size_t end)
{
	const struct rendezvous_candidates *list = &u->start.candidates;

	for (size_t i = begin; i < list->n && i < end; i++)
		(void)exchange_hello(n->exchange, &list->at[i], METHOD_RENDEZVOUS);
}

static bool was_heard_since(const struct peer *p, int64_t ms)
{
	return peer_is_verified(p) && p->heard_ms >= ms;
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	struct node_punch *u = arg;
	struct node *n = u->node;
	struct now now = clock_now();
	struct peer *p;
	struct timeval tv;

	(void)fd;
	(void)what;
	p = n && n->phase == NODE_RUNNING ? peers_at(n->peers, u->slot) : NULL;
	if (!p || u->n_steps == STEPS) {
		if (n)
			end_punch(n, u);
		if (p)
			node_peers_flush(n);
		return;
	}
	if (u->n_steps == 0) {
		u->began_s = now.unix_s;
		greet(n, u, 0, NEAR_MAX);
	} else {
		if (u->n_steps == 1 && !was_heard_since(p, n->rows[p->slot].started_ms))
			greet(n, u, NEAR_MAX, RENDEZVOUS_CANDIDATES_MAX);
		node_request_dump(n);
	}
	tv.tv_sec = steps_ms[u->n_steps] / 1000;
	tv.tv_usec = steps_ms[u->n_steps] % 1000 * 1000;
	u->n_steps++;
	(void)event_add(u->timer, &tv);
}

static struct node_punch *find_room(struct node *n, const struct peer *p)
{
	struct node_punch *free_one = NULL;

	for (size_t i = 0; i < NODE_PUNCHES_MAX; i++) {
		if (n->punches[i].node && n->punches[i].slot == p->slot)
			return &n->punches[i];
		if (!n->punches[i].node && !free_one)
			free_one = &n->punches[i];
	}
	return free_one;
}

/* Whoever names many machines wants them to be sent something. */
static void keep_few_machines(const struct node *n, struct rendezvous_candidates *list)
{
	struct ip seen[NETWORKS_MAX];
	size_t n_seen = 0;
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		bool is_known = false;

		for (size_t k = 0; k < n_seen; k++)
			is_known |= ip_equal(&seen[k], &list->at[i].ip);
		if (reconcile_is_inside_mesh(&list->at[i].ip, &n->self) ||
		    (!is_known && n_seen == NETWORKS_MAX))
			continue;
		if (!is_known)
			seen[n_seen++] = list->at[i].ip;
		list->at[kept++] = list->at[i];
	}
	list->n = kept;
}

static void follow(struct node *n, struct peer *p, struct node_punch *u, const struct start *s)
{
	struct now now = clock_now();
	int64_t delay = start_delay_ms(s, now.unix_s * 1000 + now.part_ms);
	bool is_lower = strcmp(n->self.key_text, p->key_text) < 0;
	struct timeval tv = { .tv_sec = delay / 1000, .tv_usec = delay % 1000 * 1000 };

	if (!u->timer)
		u->timer = evtimer_new(n->base, on_step, u);
	if (!u->timer)
		return;
	u->node = n;
	u->slot = p->slot;
	u->n_steps = 0;
	u->start = *s;
	keep_few_machines(n, &u->start.candidates);
	n->counters.punches++;
	(void)event_add(u->timer, &tv);
	if (s->peer_endpoint.ip.family == 0 ||
	    reconcile_is_inside_mesh(&s->peer_endpoint.ip, &n->self))
		return;
	/* Worth a try later, too. */
	candidates_add(&p->candidates, &s->peer_endpoint, CANDIDATE_MET);
	p->punch = (struct peer_punch) {
		.endpoint = s->peer_endpoint,
		.turn_ms = now.mono_ms + delay + (is_lower ? 0 : STAGGER_MS),
		.until_ms = now.mono_ms + delay + PUNCH_MS,
	};
	node_peers_restart(n, p);
	node_peers_flush(n);
}

/* The member that sent a START; NULL when it is none whom we would have asked. */
static const struct peer *introducer_of(const struct node *n, const struct start *s,
					const struct endpoint *from, struct now now)
{
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		bool is_inside = ip_equal(&from->ip, &p->info.mesh_ip);

		if (!is_inside && !endpoint_equal(from, &p->control))
			continue;
		if (s->has_introducer &&
		    memcmp(&s->introducer, &p->info.key, sizeof(s->introducer)) != 0)
			continue;
		if (may_introduce(n, p, now) && (!is_inside || node_relay_is_direct(n, p, now)))
			return p;
	}
	return NULL;
}

/* Why a START is not followed; NULL when it is. */
static const char *judge_start(const struct node *n, const struct start *s, const struct peer *p)
{
	struct now now = clock_now();
	char pair[RENDEZVOUS_PAIR_ID_SIZE];
	const struct node_peer *row;

	if (!p)
		return "it is about ourselves, or there is no room for that peer";
	(void)rendezvous_pair_id(pair, rendezvous_pair_seed(n->self.key_text, p->key_text));
	if (strcmp(pair, s->pair_id) != 0)
		return "it is about another pair";
	if (!wants_introduction(n, p, now))
		return "that peer needs no introduction";
	row = &n->rows[p->slot];
	if (row->started_ms != 0 &&
	    (now.mono_ms - row->started_ms < COOL_MS || row->start_at_ms == s->start_ms))
		return "the last one was a moment ago, or it is the same again";
	return NULL;
}

static void take_start(struct node *n, const struct start *s, const struct endpoint *from)
{
	const struct sighting told = { .who = &s->who, .method = METHOD_TRANSITIVE };
	bool is_believed = introducer_of(n, s, from, clock_now()) != NULL;
	const char *why = is_believed ? NULL : "the sender is no introducer of ours";
	struct node_punch *u = NULL;
	struct peer *p;
	char text[ENDPOINT_TEXT_SIZE];

	/* The peer may have come after we were last told of others. */
	if (is_believed)
		node_peers_sight(n, &told, false);
	p = peers_find(n->peers, &s->peer);
	if (is_believed && p)
		p->is_ours |= s->is_ours;
	if (!why)
		why = judge_start(n, s, p);
	if (!why)
		u = find_room(n, p);
	if (!u) {
		log_event(EVENT_RENDEZVOUS_REFUSED,
			  LOG_FIELDS({ "endpoint", endpoint_format(text, from) },
				     { "peer", p ? p->key_text : "" }),
			  "an introduction is not followed: %s", why ? why : "too many others are");
		return;
	}
	n->rows[p->slot].started_ms = clock_now().mono_ms;
	n->rows[p->slot].start_at_ms = s->start_ms;
	follow(n, p, u, s);
}

void node_rendezvous_heard(struct node *n, const struct envelope *env, const struct endpoint *from)
{
	struct offer offer;
	struct start start;

	if (env->type == MESSAGE_RENDEZVOUS_OFFER && offer_parse(&offer, env) == 0)
		node_introducer_offered(n, &offer, from);
	if (env->type == MESSAGE_RENDEZVOUS_START && start_parse(&start, env) == 0)
		take_start(n, &start, from);
}

void node_rendezvous_free(struct node *n)
{
	for (size_t i = 0; i < NODE_PUNCHES_MAX; i++)
		if (n->punches[i].timer)
			event_free(n->punches[i].timer);
	if (n->offer_timer)
		event_free(n->offer_timer);
	n->offer_timer = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Whoever names an address where a member may be leaves it here; what becomes of it is decided by
 * prospects.h. A timer hands out turns, a few at a time, and none while nobody waits. What only
 * this node can know is judged here: which addresses are its own or the mesh's, and who is known.
 */
#include "daemon/node/node_impl.h"

#define TICK_MS	     100
#define OWN_REST_MS  3600000
#define SENDS	     3
#define SENDS_UNSURE 2 /* what the DHT says */

void node_prospects_open(struct node *n)
{
	uint64_t seed = 0;

	crypto_random(&seed, sizeof(seed));
	n->prospects = prospects_new(seed);
}

void node_prospects_close(struct node *n)
{
	if (n->prospect_timer)
		event_free(n->prospect_timer);
	n->prospect_timer = NULL;
	prospects_free(n->prospects);
	n->prospects = NULL;
}

/* --- whom we know ---------------------------------------------------------------------------- */

/* A headless service names ourselves, too. */
static bool is_own(const struct node *n, const struct endpoint *at)
{
	return at->port == n->cfg->keys.gossip_port && hostaddrs_have(&n->nat.host, &at->ip);
}

/* Somebody is there, or the table of peers tries that address by itself. */
static bool is_known(const struct peer *p, const struct endpoint *at, struct now now)
{
	bool is_there = endpoint_equal(&p->control, at);

	if (is_there && !p->said_goodbye && !peer_is_hearsay(p))
		return true;
	return peer_is_active(p, now);
}

static bool is_key_known(struct node *n, uint32_t prefix, const struct endpoint *at, struct now now)
{
	struct peer *p = NULL;

	while ((p = peers_next_with_prefix(n->peers, prefix, p)))
		if (is_known(p, at, now))
			return true;
	return prefix == pex_prefix(&n->ready.public_key);
}

static bool is_somebody_there(struct node *n, const struct endpoint *at, struct now now)
{
	for (const struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		if (endpoint_equal(&p->control, at) && peer_is_active(p, now))
			return true;
	return false;
}

static bool is_alone(struct node *n, struct now now)
{
	for (const struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		if (peer_is_active(p, now))
			return false;
	return true;
}

/* --- turns ----------------------------------------------------------------------------------- */

static void count_try(struct node *n, unsigned int via)
{
	for (unsigned int bit = 0; bit < METHOD_COUNT; bit++)
		if (via & 1U << bit)
			n->counters.prospects_tried[bit]++;
}

static bool must_rest(struct node *n, const struct prospect *p, struct now now)
{
	if (p->teller != PROSPECTS_TOLD_BY_NONE)
		return is_key_known(n, p->prefix, &p->at, now);
	return is_somebody_there(n, &p->at, now);
}

/* That another member told of it says nothing of how a peer was found. */
static void greet(struct node *n, const struct prospect *p)
{
	exchange_try(n->exchange, &p->at, p->via & ~(unsigned int)METHOD_TRANSITIVE,
		     p->via & (PROSPECTS_KEPT | METHOD_TRANSITIVE) ? SENDS : SENDS_UNSURE);
	count_try(n, p->via);
}

static void schedule(struct node *n, int64_t now_ms)
{
	int64_t due_ms = prospects_due_ms(n->prospects, now_ms);
	int64_t wait_ms = due_ms - now_ms;
	struct timeval tv;

	if (due_ms == INT64_MAX) {
		(void)event_del(n->prospect_timer);
		return;
	}
	if (wait_ms < TICK_MS)
		wait_ms = TICK_MS;
	tv.tv_sec = wait_ms / 1000;
	tv.tv_usec = (wait_ms % 1000) * 1000;
	(void)event_add(n->prospect_timer, &tv);
}

/* Some room is kept for those that a person gave. */
static bool next_prospect(struct node *n, struct now now, struct prospect *out)
{
	size_t under_way = exchange_trials(n->exchange);
	const struct prospects_mood mood = {
		.pause_ms = is_alone(n, now) ? PROSPECTS_ALONE_MS : PROSPECTS_PAUSE_MS,
		.only_kept = under_way >= EXCHANGE_TRIALS_MAX * 3 / 4,
	};

	return under_way < EXCHANGE_TRIALS_MAX &&
	       prospects_next(n->prospects, now.mono_ms, &mood, out);
}

static void take_turns(struct node *n)
{
	struct now now = clock_now();
	struct prospect p;

	n->is_turn_soon = false;
	n->last_turn_ms = now.mono_ms;
	while (next_prospect(n, now, &p)) {
		if (must_rest(n, &p, now))
			prospects_rest(n->prospects, &p.at, now.mono_ms + PROSPECTS_REST_MS);
		else
			greet(n, &p);
	}
	schedule(n, now.mono_ms);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;

	(void)fd;
	(void)what;
	if (n->phase == NODE_RUNNING)
		take_turns(n);
}

/* What is reported in one go gets its turns together, at once when the last turn is long over. */
static void turns_soon(struct node *n, int64_t now_ms)
{
	int64_t wait_ms = n->last_turn_ms + TICK_MS - now_ms;
	struct timeval tv = { .tv_usec = (wait_ms > 0 ? wait_ms : 0) * 1000 };

	if (n->is_turn_soon)
		return;
	if (!n->prospect_timer)
		n->prospect_timer = evtimer_new(n->base, on_turn, n);
	if (n->prospect_timer)
		n->is_turn_soon = event_add(n->prospect_timer, &tv) == 0;
}

/* --- reports --------------------------------------------------------------------------------- */

static void report(struct node *n, const struct prospect *p, struct now now)
{
	if (!n->prospects || reconcile_is_inside_mesh(&p->at.ip, &n->self) ||
	    (n->cfg->no_ipv6 && p->at.ip.family == AF_INET6) || is_own(n, &p->at))
		return;
	if (prospects_report(n->prospects, p, now.mono_ms))
		turns_soon(n, now.mono_ms);
}

void node_prospect(struct node *n, const struct endpoint *at, enum peer_method via)
{
	const struct prospect p = { .at = *at,
				    .via = (unsigned int)via,
				    .teller = PROSPECTS_TOLD_BY_NONE };

	report(n, &p, clock_now());
}

void node_prospect_told(struct node *n, const struct endpoint *at, uint32_t prefix, uint16_t teller)
{
	const struct prospect p = {
		.at = *at, .via = METHOD_TRANSITIVE, .teller = teller, .prefix = prefix
	};
	struct now now = clock_now();

	if (!is_key_known(n, prefix, at, now))
		report(n, &p, now);
}

void node_prospects_answered(struct node *n, const struct endpoint *at)
{
	if (n->prospects)
		prospects_answered(n->prospects, at, clock_now().mono_ms);
}

void node_prospects_own(struct node *n, const struct endpoint *at)
{
	if (n->prospects)
		prospects_rest(n->prospects, at, clock_now().mono_ms + OWN_REST_MS);
}

void node_prospects_lost(struct node *n, const struct endpoint *at)
{
	int64_t now_ms = clock_now().mono_ms;

	if (!n->prospects)
		return;
	prospects_lost(n->prospects, at, now_ms);
	turns_soon(n, now_ms);
}

void node_prospects_wake(struct node *n)
{
	int64_t now_ms = clock_now().mono_ms;

	if (!n->prospects)
		return;
	prospects_wake(n->prospects, now_ms);
	turns_soon(n, now_ms);
}

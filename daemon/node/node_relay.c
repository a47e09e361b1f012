/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Moving a peer between its own tunnel and that of a relay is one message: what is behind it is
 * added to the list of whoever gets it, which takes it from whoever had it, in one step and without
 * a moment in which it belongs to nobody. The two rows' notes of what WireGuard has are changed along.
 *
 * While nobody is relayed and nobody waits for a first handshake, nothing here wakes the node.
 */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <string.h>

#define SOON_MS	  1500	/* most peers have their tunnel by then */
#define LOOK_MS	  5000	/* while somebody is relayed */
#define ASK_MS	  10000 /* HELLO to relays in use: their death has to be noticed soon */
#define ANSWER_MS 4500	/* an exchange that was not answered is over by then */
#define WARM_MS	  60000 /* HELLO to a relayed peer */
#define KNOCK_MS  15000 /* to one that has not answered through the relay yet */

void node_relay_soon(struct node *n)
{
	struct now now = clock_now();

	if (!n->relay_timer || !evtimer_pending(n->relay_timer, NULL))
		node_look_at(n, &n->relay_timer, now.mono_ms + SOON_MS);
}

bool node_relay_is_direct(const struct node *n, const struct peer *p, struct now now)
{
	return peer_has_tunnel(p, now) && !n->rows[p->slot].is_mute;
}

struct endpoint node_relay_inside(const struct node *n, const struct peer *p, struct now now)
{
	struct endpoint at = { .ip = p->info.mesh_ip, .port = n->cfg->keys.gossip_port };
	bool has_way = p->path.is_relayed || node_relay_is_direct(n, p, now);

	/* An existing node that introduces has to see where we are outside. */
	if (!has_way || !p->is_ours || p->lost_ip || !reconcile_is_inside_mesh(&at.ip, &n->self))
		return (struct endpoint) { 0 };
	return at;
}

/* --- who relays ---------------------------------------------------------------------------- */

static bool may_relay(const struct node *n, const struct peer *p, struct now now)
{
	const struct node_peer *row = &n->rows[p->slot];
	bool is_silent =
		row->refresh.n_unanswered > 0 && now.mono_ms - row->refresh.hello_ms > ANSWER_MS;
	bool is_known = peer_is_verified(p) || (p->methods & METHOD_CACHE);

	return p->info.introducer && is_known && !p->said_goodbye && !p->lost_ip &&
	       p->applied.present && !is_silent && node_relay_is_direct(n, p, now);
}

static void gather_pool(const struct node *n, struct relay_pool *out, struct now now)
{
	out->n = 0;
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		if (may_relay(n, p, now))
			relay_pool_add(out, p->key_text, p->slot);
}

static bool is_exempt(const struct node *n, const struct peer *p, struct now now)
{
	if (n->cfg->introducer || p->info.introducer || p->said_goodbye || p->lost_ip ||
	    peer_is_on_lan(p, now))
		return true;
	/* What others tell of a stranger must not lead us to relay addresses outside the mesh. */
	if (p->info.mesh_ip.family == 0 ||
	    (!peer_is_verified(p) && !reconcile_is_inside_mesh(&p->info.mesh_ip, &n->self)))
		return true;
	return !peer_is_active(p, now) &&
	       (p->told_ms == 0 || now.mono_ms - p->told_ms >= PEER_ACTIVE_MS);
}

static uint16_t choose(const struct node *n, const struct peer *p, const struct relay_pool *pool)
{
	/* Of whom only others have told we do not know; most nodes are of our kind. */
	if (peer_is_verified(p) && !p->is_ours)
		return relay_choose_as_existing(pool, p->key_text, n->self.key_text);
	return relay_choose(pool, n->self.key_text, p->key_text);
}

static uint16_t decide(const struct node *n, struct peer *p, const struct relay_pool *pool,
		       int64_t *again_ms)
{
	struct now now = clock_now();
	struct relay_facts f = {
		.is_exempt = is_exempt(n, p, now),
		.is_forced = n->cfg->force_relay,
		.has_tunnel = node_relay_is_direct(n, p, now),
		.handshake_s = p->handshake_s,
		.choice = RELAY_NONE,
		.is_via_good = p->path.is_relayed && relay_pool_has(pool, p->path.via),
	};

	if (!f.is_exempt)
		f.choice = choose(n, p, pool);
	return relay_decide(&p->path, &f, now, again_ms);
}

/* --- moving addresses ---------------------------------------------------------------------- */

static void add_allowed(struct node *n, const struct peer *to, const struct reconcile_want *what)
{
	struct wg_peer_config change = { .key = to->info.key, .n_allowed = what->n_allowed };

	memcpy(change.allowed, what->allowed, what->n_allowed * sizeof(what->allowed[0]));
	node_admin_change(n, &change);
	n->counters.peer_writes++;
	n->rows[to->slot].written_dump = n->dump_number;
}

static void log_move(const struct node *n, const struct peer *p)
{
	const struct peer *via = p->path.is_relayed ? peers_at(n->peers, p->path.via) : NULL;

	if (!via) {
		log_event(EVENT_PEER_DIRECT,
			  LOG_FIELDS({ "peer", p->key_text }, { "host", p->info.hostname }),
			  "peer is reached directly again");
		return;
	}
	log_event(EVENT_PEER_RELAYED,
		  LOG_FIELDS({ "peer", p->key_text }, { "host", p->info.hostname },
			     { "via", via->key_text }, { "via_host", via->info.hostname }),
		  "peer is reached through %s",
		  via->info.hostname[0] != '\0' ? via->info.hostname : via->key_text);
}

static void move(struct node *n, struct peer *p, uint16_t via, struct now now)
{
	struct peer *from = p->path.is_relayed ? peers_at(n->peers, p->path.via) : p;
	struct peer *to = via == RELAY_NONE ? p : peers_at(n->peers, via);
	struct reconcile_want what = { 0 };
	uint64_t hash;

	reconcile_allowed(&what, p, &n->self);
	hash = reconcile_allowed_hash(what.allowed, what.n_allowed);
	relay_take(&p->path, via, now);
	n->counters.path_changes++;
	n->rows[p->slot].warm_ms = 0;
	if (to && to->applied.present && what.n_allowed > 0) {
		add_allowed(n, to, &what);
		to->applied.allowed_hash += hash;
		if (from && from->applied.present) {
			from->applied.allowed_hash -= hash;
			n->rows[from->slot].written_dump = n->dump_number;
		}
	} else if (from) {
		peers_mark(n->peers, from);
	}
	/* Where the notes are wrong after all, the list is written whole. */
	peers_mark(n->peers, p);
	log_move(n, p);
}

void node_relay_adjust(const struct node *n, const struct peer *p, struct reconcile_want *want)
{
	if (p->path.is_relayed)
		want->n_allowed = 0;
	if (n->n_relayed == 0 || !want->present)
		return;
	for (struct peer *q = peers_next(n->peers, NULL); q; q = peers_next(n->peers, q)) {
		struct reconcile_want what;

		if (relay_slot(&q->path) != p->slot)
			continue;
		reconcile_allowed(&what, q, &n->self);
		want->relayed_hash += reconcile_allowed_hash(what.allowed, what.n_allowed);
	}
}

void node_relay_append(struct node *n, const struct peer *p)
{
	for (struct peer *q = peers_next(n->peers, NULL); q; q = peers_next(n->peers, q)) {
		struct reconcile_want what;

		if (relay_slot(&q->path) != p->slot)
			continue;
		reconcile_allowed(&what, q, &n->self);
		if (what.n_allowed > 0)
			add_allowed(n, p, &what);
	}
}

static bool has_address_of(const struct wg_peer_state *state, const struct peer *p)
{
	struct prefix host = prefix_host(&p->info.mesh_ip);

	for (size_t i = 0; p->info.mesh_ip.family != 0 && i < state->n_allowed; i++)
		if (prefix_equal(&state->allowed[i], &host))
			return true;
	return false;
}

void node_relay_adopt(struct node *n, const struct peer *p, const struct wg_peer_state *state)
{
	struct now now = clock_now();

	for (struct peer *q = peers_next(n->peers, NULL); q && p->info.introducer;
	     q = peers_next(n->peers, q)) {
		if (q == p || q->path.is_relayed || !has_address_of(state, q))
			continue;
		relay_take(&q->path, p->slot, now);
		q->told_ms = now.mono_ms;
		peers_mark(n->peers, q);
		n->n_relayed++;
	}
}

void node_relay_forget(struct node *n, struct peer *p)
{
	struct peer *via = p->path.is_relayed ? peers_at(n->peers, p->path.via) : NULL;

	if (via) {
		p->path = (struct relay_path) { .is_relayed = false };
		peers_mark(n->peers, via);
		n->n_relayed -= n->n_relayed > 0 ? 1 : 0;
	}
	for (struct peer *q = peers_next(n->peers, NULL); q && n->n_relayed > 0;
	     q = peers_next(n->peers, q))
		if (relay_slot(&q->path) == p->slot)
			move(n, q, RELAY_NONE, clock_now());
}

/* --- looking ------------------------------------------------------------------------------- */

/* A relayed peer is heard through its relay, and so stays active; and it learns of us so. */
static void keep_warm(struct node *n, struct peer *p, struct now now)
{
	struct node_peer *row = &n->rows[p->slot];
	const struct endpoint inside = { .ip = p->info.mesh_ip, .port = n->cfg->keys.gossip_port };
	bool is_heard = peer_is_verified(p) && now.mono_ms - p->heard_ms < WARM_MS;

	if (is_heard || (row->warm_ms != 0 && now.mono_ms - row->warm_ms < KNOCK_MS))
		return;
	row->warm_ms = now.mono_ms;
	(void)exchange_hello(n->exchange, &inside, 0);
}

static void ask_relay(struct node *n, uint16_t slot, struct now now)
{
	struct peer *p = peers_at(n->peers, slot);

	if (p && now.mono_ms - n->rows[slot].refresh.hello_ms >= ASK_MS)
		node_peers_hello(n, p, now);
}

void node_relay_look(struct node *n)
{
	struct now now = clock_now();
	int64_t again_ms = INT64_MAX;
	struct relay_pool pool;

	if (!n->is_settled)
		return;
	gather_pool(n, &pool, now);
	if (pool.n == 0 && n->n_relayed == 0)
		return;
	n->n_relayed = 0;
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		uint16_t via = decide(n, p, &pool, &again_ms);

		if (via != relay_slot(&p->path))
			move(n, p, via, now);
		if (!p->path.is_relayed)
			continue;
		n->n_relayed++;
		ask_relay(n, p->path.via, now);
		keep_warm(n, p, now);
	}
	if (n->n_relayed > 0 && again_ms > now.mono_ms + LOOK_MS)
		again_ms = now.mono_ms + LOOK_MS;
	/* Not later: both ends change their ways in the same moment, or packets are lost in between. */
	if (again_ms != INT64_MAX)
		node_look_at(n, &n->relay_timer, again_ms);
}

void node_relay_free(struct node *n)
{
	if (n->relay_timer)
		event_free(n->relay_timer);
	n->relay_timer = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A sighting changes one row of the table and marks it. At the end of the loop's turn the marked rows
 * are reconciled, and what differs goes to netadmin as one batch: a single change leaves at once, and a
 * thousand that came together are a handful of messages. Each row has one timer for all that time alone
 * brings: the next HELLO (existing nodes forget us after five minutes without one), our turn to begin a
 * handshake, another try of a change that WireGuard refused, and the end of a peer that fell silent. An
 * idle mesh wakes for nothing else.
 */
#include "common/log.h"
#include "daemon/node/node_impl.h"
#include "daemon/state/peercache.h"

#include <string.h>

#define DOUBTFUL_MS	   120000
#define FULL_MS		   250	 /* until another HELLO is tried when too many are under way */
#define SIGHT_MS	   60000 /* what WireGuard said of the tunnels is of use so long */
#define SIGHT_WAIT_MS	   2000	 /* until its answer is there, if any comes */
#define TRANSITIVE_KEEP_MS PEER_FORGET_MS
#define REFUSED_FIRST_MS   1000 /* a change that failed is tried again, then after twice as long */
#define REFUSED_DOUBLINGS  8

/**
 * struct pass - A look at what changed
 * @began_us:	When
 * @writes:	Requests to netadmin before it
 */
struct pass {
	uint64_t began_us;
	uint64_t writes;
};

static void schedule(struct node *n, struct peer *p, const struct reconcile_want *want,
		     struct now now);

/* --- writing to WireGuard ------------------------------------------------------------------ */

static void log_change(const struct peer *p, const struct reconcile_want *want)
{
	char endpoint[ENDPOINT_TEXT_SIZE];
	char ip[IP_TEXT_SIZE];

	log_event(want->present ? EVENT_PEER_CONFIGURED : EVENT_PEER_REMOVED,
		  LOG_FIELDS({ "peer", p->key_text }, { "host", p->info.hostname },
			     { "mesh_ip", ip_format(ip, &p->info.mesh_ip) },
			     { "endpoint", endpoint_format(endpoint, &want->endpoint) }),
		  "%s", want->present ? "peer configured" : "peer removed");
}

void node_peers_restart(struct node *n, struct peer *p)
{
	peers_mark(n->peers, p);
	p->handshake_s = 0;
	if (!p->applied.present)
		return;
	node_admin_remove(n, &p->info.key);
	n->counters.peer_writes++;
	p->applied = (struct peer_applied) { .present = false };
}

static void write_change(struct node *n, struct peer *p, struct now now)
{
	struct wg_peer_config change;
	struct reconcile_want want;

	/* Writing to an adopted interface what it has already would disturb its traffic. */
	if (!n->is_settled)
		return;
	node_routes_judge(n, p, now);
	reconcile_want(&want, p, &n->self, now);
	if (p->has_left == want.present) {
		p->has_left = !want.present;
		peers_settle(n->peers, p);
		n->has_to_look_again = true;
	}
	/* An introduction has an endpoint of its own. */
	if (want.present && now.mono_ms >= p->punch.until_ms)
		node_nat_choose(n, p, &want, now);
	node_relay_adjust(n, p, &want);
	if (now.mono_ms >= n->rows[p->slot].refused_until_ms &&
	    reconcile_diff(&change, p, &want, now)) {
		node_admin_change(n, &change);
		n->counters.peer_writes++;
		if (want.present != p->applied.present)
			log_change(p, &want);
		reconcile_applied(p, &want);
		if (change.flags & (WG_PEER_HAS_ENDPOINT | WG_PEER_REMOVE))
			node_mtu_soon(n);
		if ((change.flags & WG_PEER_REPLACE_ALLOWED) && want.relayed_hash != 0)
			node_relay_append(n, p);
		n->rows[p->slot].written_dump = n->dump_number;
	}
	node_routes_set(n, p, want.present);
	peers_unmark(n->peers, p);
	schedule(n, p, &want, now);
}

/* Peers that announce a network look again whether it is theirs now. */
static void hand_over_routes(struct node *n)
{
	n->routes_moved = false;
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		if (p->n_routes > 0)
			peers_mark(n->peers, p);
}

/* A look at what changed, from its first thought to its last request. */
static struct pass begin_pass(const struct node *n)
{
	return (struct pass) {
		.began_us = clock_monotonic_us(),
		.writes = n->counters.peer_writes + n->counters.route_writes,
	};
}

static void end_pass(struct node *n, const struct pass *p)
{
	static const double us_per_s = 1e6;

	if (n->counters.peer_writes + n->counters.route_writes != p->writes)
		n->counters.passes_changed++;
	else
		n->counters.passes_noop++;
	histogram_add(&n->reconcile_s, (double)(clock_monotonic_us() - p->began_us) / us_per_s);
}

static void write_dirty(struct node *n)
{
	struct now now = clock_now();

	do {
		n->has_to_look_again = false;
		if (n->routes_moved)
			hand_over_routes(n);
		for (struct peer *p = peers_next_marked(n->peers, NULL); p;
		     p = peers_next_marked(n->peers, p)) {
			/* netadmin is behind: go on when it has caught up, see on_idle(). */
			if (!n->is_settled || adminlink_is_busy(n->admin))
				return;
			write_change(n, p, now);
		}
	} while (n->routes_moved || n->has_to_look_again);
}

void node_peers_flush(struct node *n)
{
	struct pass pass = begin_pass(n);

	write_dirty(n);
	node_admin_flush(n);
	end_pass(n, &pass);
}

void node_peers_flush_soon(struct node *n)
{
	if (n->flush_event)
		event_active(n->flush_event, 0, 0);
	else
		node_peers_flush(n);
}

void node_peers_refused(struct node *n, const struct wg_key *key)
{
	struct peer *p = peers_find(n->peers, key);
	struct node_peer *row = p ? &n->rows[p->slot] : NULL;

	if (!p)
		return;
	/* What was taken for granted did not come about: the whole of it is written again. */
	p->applied = (struct peer_applied) { .present = !p->applied.present };
	row->refused_until_ms = clock_now().mono_ms + ((int64_t)REFUSED_FIRST_MS << row->n_refused);
	if (row->n_refused < REFUSED_DOUBLINGS)
		row->n_refused++;
	peers_mark(n->peers, p);
}

/* --- what time brings ---------------------------------------------------------------------- */

/* Nothing of the row's last peer may count for its next one. */
static void reset_row(struct node_peer *row)
{
	if (row->timer)
		(void)event_del(row->timer);
	row->refresh = (struct refresh) { 0 };
	row->is_linked = false;
	row->seen_dump = 0;
	row->written_dump = 0;
	row->trail = (struct clone_trail) { 0 };
	row->clone_ms = 0;
	row->read_ms = 0;
	row->refused_until_ms = 0;
	row->n_refused = 0;
	row->ear = (struct relay_ear) { 0 };
	row->is_mute = false;
	row->offer_ms = 0;
	row->n_offers = 0;
	row->asked_ms = 0;
	row->started_ms = 0;
	row->start_at_ms = 0;
	row->warm_ms = 0;
	row->sight_ms = 0;
}

static void forget(struct node *n, struct peer *p)
{
	node_relay_forget(n, p);
	reset_row(&n->rows[p->slot]);
	peers_remove(n->peers, p);
}

static void hello(struct node *n, struct peer *p, struct now now)
{
	struct refresh *r = &n->rows[p->slot].refresh;
	bool is_urgent = r->n_unanswered > 0 || !refresh_is_linked(p, now);

	crypto_random(&r->dice, sizeof(r->dice));
	n->addressee = p->slot;
	if (!(is_urgent ? exchange_hello(n->exchange, &p->control, 0)
			: exchange_refresh(n->exchange, &p->control))) {
		r->greet_ms = now.mono_ms + FULL_MS + r->dice;
		return;
	}
	/* Counts as unanswered until the peer is heard. */
	r->greet_ms = 0;
	r->hello_ms = now.mono_ms;
	r->n_unanswered++;
}

/* What only others tell of is greeted as a prospect, at the pace of those. */
static bool is_worth_a_hello(const struct peer *p)
{
	return !p->said_goodbye && p->control.ip.family != 0 && p->control.port != 0 &&
	       !peer_is_hearsay(p);
}

/* When a peer leaves the table: whom we ever heard is tried for thirty days. */
static bool is_over(const struct peer *p, struct now now)
{
	if (p->applied.present)
		return false;
	if (peer_is_verified(p) || (p->methods & METHOD_CACHE))
		return now.unix_s - p->seen_unix_s > PEERCACHE_AGE_S;
	return now.mono_ms - p->first_seen_ms >= TRANSITIVE_KEEP_MS;
}

/* Only WireGuard can tell whether this tunnel of ours lives, and it was not asked lately. */
static bool is_out_of_sight(const struct node *n, const struct peer *p, struct now now)
{
	const struct refresh *r = &n->rows[p->slot].refresh;

	return p->is_ours && p->applied.present && r->n_unanswered == 0 && r->greet_ms == 0 &&
	       !refresh_is_linked(p, now) && now.mono_ms - n->nat.read_ms > SIGHT_MS;
}

/* One look at WireGuard spares the HELLOs to all whose tunnels live. */
static void hello_if_due(struct node *n, struct peer *p, struct now now)
{
	struct node_peer *row = &n->rows[p->slot];

	if (refresh_due_ms(&row->refresh, p, peers_count(n->peers), now) > now.mono_ms) {
		row->sight_ms = 0;
		return;
	}
	if (now.mono_ms < row->sight_ms)
		return;
	if (row->sight_ms == 0 && is_out_of_sight(n, p, now)) {
		row->sight_ms = now.mono_ms + SIGHT_WAIT_MS;
		node_request_dump(n);
		return;
	}
	row->sight_ms = 0;
	hello(n, p, now);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct node_peer *row = arg;
	struct node *n = row->node;
	struct pass pass = begin_pass(n);
	uint16_t slot = (uint16_t)(row - n->rows);
	struct now now = clock_now();
	struct peer *p = peers_at(n->peers, slot);

	(void)fd;
	(void)what;
	if (!p || n->phase != NODE_RUNNING)
		return;
	if (is_worth_a_hello(p))
		hello_if_due(n, p, now);
	write_change(n, p, now);
	if (is_over(p, now))
		forget(n, p);
	/* Its networks, or a mesh address that it held, may be another's now. */
	write_dirty(n);
	node_admin_flush(n);
	end_pass(n, &pass);
}

/* The earlier of two moments, where one that is past no longer matters. */
static int64_t sooner(int64_t at, int64_t candidate, struct now now)
{
	return candidate > now.mono_ms && candidate < at ? candidate : at;
}

static void schedule(struct node *n, struct peer *p, const struct reconcile_want *want,
		     struct now now)
{
	struct node_peer *row = &n->rows[p->slot];
	int64_t hello_at = refresh_due_ms(&row->refresh, p, peers_count(n->peers), now);
	int64_t at = sooner(want->again_ms, row->refused_until_ms, now);
	struct timeval tv;

	if (hello_at < row->sight_ms)
		hello_at = row->sight_ms;
	if (is_worth_a_hello(p))
		at = sooner(at, hello_at > now.mono_ms ? hello_at : now.mono_ms + 1, now);
	if (peer_is_verified(p))
		at = sooner(at, peer_alive_ms(p) + PEER_FORGET_MS, now);
	else
		at = sooner(at, p->first_seen_ms + TRANSITIVE_KEEP_MS, now);
	if (!row->timer) {
		row->node = n;
		row->timer = evtimer_new(n->base, on_due, row);
	}
	if (!row->timer)
		return;
	if (at == INT64_MAX) {
		(void)event_del(row->timer);
		return;
	}
	tv.tv_sec = (at - now.mono_ms) / 1000;
	tv.tv_usec = ((at - now.mono_ms) % 1000) * 1000;
	(void)event_add(row->timer, &tv);
}

/* --- sightings ----------------------------------------------------------------------------- */

static void greet(struct node *n, struct peer *p, enum peer_method method, struct now now)
{
	unsigned int spread_ms = refresh_spread_ms(peers_count(n->peers));
	uint16_t random = 0;

	if ((method != METHOD_LAN && method != METHOD_CACHE) || spread_ms == 0) {
		hello(n, p, now);
		return;
	}
	crypto_random(&random, sizeof(random));
	n->rows[p->slot].refresh.greet_ms = now.mono_ms + 1 + random % spread_ms;
}

/* Who has been configured for a while, and never made a handshake, may never have existed. */
static bool is_doubtful(const struct peer *p, struct now now)
{
	return p->handshake_s == 0 && p->tunnel_ms == 0 && !p->path.is_relayed &&
	       now.mono_ms - p->first_seen_ms > DOUBTFUL_MS;
}

/*
 * Whoever knows the secret can invent a thousand members, and fill the table with them. When all rows are
 * in WireGuard, the one that was doubtful longest gives way to who is heard now.
 */
static void make_room(struct node *n, struct now now)
{
	struct peer *oldest = NULL;

	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		if (!p->applied.present)
			return;
		if (is_doubtful(p, now) && (!oldest || p->first_seen_ms < oldest->first_seen_ms))
			oldest = p;
	}
	if (!oldest)
		return;
	oldest->said_goodbye = true;
	write_change(n, oldest, now);
	if (!oldest->applied.present)
		forget(n, oldest);
}

void node_peers_sight(struct node *n, const struct sighting *s, bool knows_us)
{
	struct now now = clock_now();
	struct peer *p = NULL;
	struct node_peer *row;
	enum peer_change change;

	if (peers_count(n->peers) == PEERS_MAX &&
	    (s->method == METHOD_EXCHANGE || s->method == METHOD_LAN) &&
	    !peers_find(n->peers, &s->who->key))
		make_room(n, now);
	change = peers_sight(n->peers, s, now, &p);
	if (!p)
		return;
	row = &n->rows[p->slot];
	n->counters.sightings[__builtin_ctz(s->method)]++;
	if (change == PEER_NEW) {
		reset_row(row);
		node_relay_soon(n);
		n->lull_since_ms = 0;
	}
	if (s->method != METHOD_TRANSITIVE && s->method != METHOD_GOSSIP_TRANSITIVE &&
	    s->method != METHOD_CACHE)
		row->refresh.n_unanswered = 0;
	if (s->method == METHOD_EXCHANGE)
		row->refresh.met_ms = now.mono_ms;
	if (knows_us && p->replied_ms == INT64_MIN) {
		p->replied_ms = now.mono_ms;
		peers_mark(n->peers, p);
	}
	if (change != PEER_UNCHANGED) {
		peers_mark(n->peers, p);
		node_cache_changed(n, change == PEER_NEW);
	}
	if (knows_us && change == PEER_NEW)
		row->refresh.hello_ms = now.mono_ms;
	/* A new face is greeted at once, and so is one that is back, unless it has just answered us. */
	if ((change == PEER_NEW || change == PEER_BACK ||
	     (change == PEER_CHANGED && s->method == METHOD_LAN)) &&
	    !knows_us && is_worth_a_hello(p))
		greet(n, p, s->method, now);
	if (peers_is_marked(n->peers, p))
		node_peers_flush_soon(n);
}

struct endpoint node_peers_literal(const struct node *n, const char *text)
{
	struct endpoint e;

	if (endpoint_parse(&e, text) < 0 || ip_is_wildcard(&e.ip) ||
	    reconcile_is_inside_mesh(&e.ip, &n->self) ||
	    (n->cfg->no_ipv6 && e.ip.family == AF_INET6))
		memset(&e, 0, sizeof(e));
	return e;
}

static size_t mask_routes(struct prefix *out, const struct announcement *a)
{
	for (size_t i = 0; i < a->n_routes; i++) {
		out[i] = a->routes[i];
		prefix_mask(&out[i]);
	}
	return a->n_routes;
}

/* What an announcement tells beside who and where. */
static void take_measures(struct node *n, struct peer *p, const struct announcement *a,
			  int64_t rtt_us)
{
	static const double us_per_s = 1e6;

	p->skew_s = a->timestamp - clock_now().unix_s;
	if (rtt_us <= 0)
		return;
	p->rtt_us = rtt_us;
	histogram_add(&n->rtt_s, (double)rtt_us / us_per_s);
}

/*
 * A node of ours whose HELLO came has our REPLY in a moment, or asks again. Among few, our own HELLO
 * makes sure of that; among many, it would double what they have to say to each other.
 */
static bool knows_us(const struct node *n, const struct announcement *a,
		     enum discovery_source source)
{
	return source == DISCOVERY_REPLY || (source == DISCOVERY_HELLO && a->instance[0] != '\0' &&
					     peers_count(n->peers) >= REFRESH_CROWD);
}

/* Its HELLO is answered with all that ours would have told. */
static void spare_hello(struct node *n, const struct wg_key *key, enum discovery_source source)
{
	const struct peer *p = peers_find(n->peers, key);

	if (p && source == DISCOVERY_HELLO)
		n->rows[p->slot].refresh.greet_ms = 0;
}

void node_peers_announced(struct node *n, const struct announcement *a,
			  const struct discovery_origin *o)
{
	const struct endpoint *from = &o->from;
	char text[ENDPOINT_OUT_SIZE];
	struct prefix routes[ANNOUNCE_ROUTES_MAX];
	struct sighting s = {
		.who = &a->self, .routes = routes, .has_routes = true, .said_s = a->timestamp
	};
	const struct ownaddr_observer observer = { .key = a->self.key, .ip = from->ip };
	struct endpoint more[ANNOUNCE_ENDPOINTS_MAX];
	struct peer *p;

	if (node_clone_heard(n, a, from)) {
		node_prospects_own(n, from);
		return;
	}
	n->was_heard = true;
	s.n_routes = mask_routes(routes, a);
	/* Through the tunnel we never ask: a wildcard endpoint would lead it into itself (B15). */
	if (!reconcile_is_inside_mesh(&from->ip, &n->self))
		s.control = *from;
	if (o->source == DISCOVERY_LAN) {
		s.method = METHOD_LAN;
		s.control.port = n->cfg->keys.gossip_port;
		endpoint_from_lan(text, a->self.endpoint, &from->ip);
	} else {
		s.method = o->source == DISCOVERY_GOSSIP ? METHOD_GOSSIP : METHOD_EXCHANGE;
		endpoint_from_exchange(text, a->self.endpoint, &from->ip);
	}
	s.endpoint = node_peers_literal(n, text);
	endpoint_from_lan(text, a->self.endpoint, &from->ip);
	s.source = node_peers_literal(n, text);
	s.more = more;
	s.n_more = node_nat_candidates(n, a, &from->ip, more);
	if (o->source == DISCOVERY_REPLY && s.control.ip.family != 0) {
		ownaddr_take(&n->ownaddr, &a->observed, &observer, clock_now().mono_ms);
		node_nat_observed(n);
	}
	spare_hello(n, &a->self.key, o->source);
	node_peers_sight(n, &s, knows_us(n, a, o->source));
	if (o->source == DISCOVERY_REPLY)
		node_prospects_answered(n, from);
	p = peers_find(n->peers, &a->self.key);
	if (p) {
		p->methods |= o->via;
		n->addressee = p->slot;
		p->is_ours |= a->instance[0] != '\0';
		take_measures(n, p, a, o->rtt_us);
		node_collision_heard(n, a);
		node_clone_follow(n, p, a, from);
	}
	if (o->source != DISCOVERY_LAN)
		node_pex_take(n, a, o);
}

void node_peers_hello(struct node *n, struct peer *p, struct now now)
{
	if (!is_worth_a_hello(p))
		return;
	hello(n, p, now);
	/* Its timer is set anew with the next look at what changed. */
	peers_mark(n->peers, p);
}

void node_peers_free(struct node *n)
{
	node_rendezvous_free(n);
	node_relay_free(n);
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (n->rows[i].timer)
			event_free(n->rows[i].timer);
	peers_free(n->peers);
	n->peers = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Any node that has heard two others brings them together: one with --introducer is asked by all,
 * others by nodes of our kind, and by existing nodes that take them for introducers (protocol.md
 * B16). A START goes only to the two members that it is about, where they were heard, so nobody can
 * have us send anything elsewhere.
 *
 * Where the tunnel of each ends is read from WireGuard between OFFER and START: behind a NAT it is
 * another port than that of the exchange, and nobody but the far end of a tunnel knows it.
 */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <errno.h>
#include <string.h>

#define START_AHEAD_MS 1800
#define SPREAD_MAX     10 /* candidates in one START: it has to fit a datagram */

static void refuse(const struct offer *offer, const char *why)
{
	char from[PEER_TEXT_SIZE];
	char target[PEER_TEXT_SIZE];

	log_event(EVENT_RENDEZVOUS_REFUSED,
		  LOG_FIELDS({ "peer", wg_key_format(from, &offer->from) },
			     { "target", wg_key_format(target, &offer->target) }),
		  "nobody is introduced: %s", why);
}

static void add_outside(const struct node *n, struct rendezvous_candidates *out,
			const struct endpoint *at)
{
	if (rendezvous_is_candidate(at) && !reconcile_is_inside_mesh(&at->ip, &n->self))
		rendezvous_add(out, at);
}

/* Where a peer's exchange is: where it was heard last, and where its tunnel comes from. */
static struct rendezvous_candidates seen_at(const struct node *n, const struct peer *p,
					    const struct endpoint *from)
{
	struct rendezvous_candidates list = { 0 };

	if (from)
		add_outside(n, &list, from);
	add_outside(n, &list, &p->control);
	return list;
}

/* May this datagram be that peer's own? */
static bool is_at(const struct node *n, const struct peer *p, const struct endpoint *from,
		  struct now now)
{
	if (ip_equal(&from->ip, &p->info.mesh_ip))
		return node_relay_is_direct(n, p, now);
	return ip_equal(&from->ip, &p->control.ip) ||
	       (p->tunnel.ip.family != 0 && ip_equal(&from->ip, &p->tunnel.ip));
}

static bool can_be_met(const struct peer *p, struct now now)
{
	return p && peer_is_verified(p) && peer_is_active(p, now) && !p->path.is_relayed;
}

void node_introducer_offered(struct node *n, const struct offer *offer, const struct endpoint *from)
{
	struct now now = clock_now();
	const struct peer *a = peers_find(n->peers, &offer->from);
	const struct peer *b = peers_find(n->peers, &offer->target);
	struct rendezvous_candidates at_a;
	struct rendezvous_candidates at_b;

	if (!can_be_met(a, now) || !is_at(n, a, from, now)) {
		refuse(offer, "the one who asks was not heard there");
		return;
	}
	if (!can_be_met(b, now)) {
		refuse(offer, "the other one was not heard here lately");
		return;
	}
	at_a = seen_at(n, a, from);
	at_b = seen_at(n, b, NULL);
	if (matchmaker_take(&n->matches, offer, &at_a, &at_b, now.mono_ms))
		node_request_dump(n);
	else
		refuse(offer, "the two were just introduced, or too many others are");
}

/* Where to tell a peer something: the tunnel stays open when the exchange's own way has closed. */
static struct endpoint way_to(const struct node *n, const struct peer *p, struct now now)
{
	struct endpoint inside = node_relay_inside(n, p, now);

	return inside.ip.family != 0 ? inside : p->control;
}

/* What @about has on our side of a NAT is of no use to somebody on the other side. */
static bool is_of_use(const struct endpoint *at, const struct peer *to)
{
	return at->ip.family != 0 && (ip_is_global(&at->ip) || !ip_is_global(&to->control.ip));
}

static void tell(struct node *n, const struct match *m, size_t to, int64_t start_ms)
{
	struct now now = clock_now();
	const struct match_end *other = &m->end[1 - to];
	const struct peer *p = peers_find(n->peers, &m->end[to].key);
	const struct peer *about = peers_find(n->peers, &other->key);
	struct start s = { .peer = other->key, .timestamp = now.unix_s, .start_ms = start_ms };
	struct rendezvous_candidates useful = { 0 };
	char plain[INTRODUCE_PLAIN_MAX];
	struct endpoint at;
	long len;

	if (!can_be_met(p, now) || !can_be_met(about, now))
		return;
	(void)rendezvous_pair_id(s.pair_id, m->seed);
	s.introducer = n->ready.public_key;
	s.has_introducer = true;
	for (size_t i = 0; i < other->at.n; i++)
		if (is_of_use(&other->at.at[i], p))
			rendezvous_add(&useful, &other->at.at[i]);
	rendezvous_spread(&s.candidates, &useful);
	if (s.candidates.n > SPREAD_MAX)
		s.candidates.n = SPREAD_MAX;
	if (node_relay_is_direct(n, about, now) && is_of_use(&about->tunnel, p) &&
	    !reconcile_is_inside_mesh(&about->tunnel.ip, &n->self))
		s.peer_endpoint = about->tunnel;
	s.who = about->info;
	s.is_ours = about->is_ours;
	(void)endpoint_format(s.who.endpoint, &about->endpoint);
	len = start_format(plain, sizeof(plain), &s);
	if (len == -EMSGSIZE) {
		s.candidates.n = 0;
		len = start_format(plain, sizeof(plain), &s);
	}
	at = way_to(n, p, now);
	exchange_send(n->exchange, &at, MESSAGE_RENDEZVOUS_START, plain, len);
}

void node_introducer_look(struct node *n)
{
	struct now now = clock_now();
	int64_t start_ms = now.unix_s * 1000 + now.part_ms + START_AHEAD_MS;

	for (size_t i = 0; i < MATCHMAKER_MAX; i++) {
		struct match *m = &n->matches.at[i];

		if (!m->in_use || !m->is_pending)
			continue;
		m->is_pending = false;
		m->started_ms = now.mono_ms;
		tell(n, m, 0, start_ms);
		tell(n, m, 1, start_ms);
	}
}

/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Only whom we heard ourselves is told of: what others told us is not passed on, or dead peers would
 * circulate for ever (protocol.md B14). Between our own nodes an address and four bytes of the key
 * suffice, for a HELLO brings the rest from the peer itself, unless a NAT keeps it away. Each message takes its sample at a
 * random place and stride of the table, so that a receiver of a few has seen everybody.
 */
#include "daemon/nat/knownpoint.h"
#include "daemon/node/node_impl.h"

#include <string.h>

#define LATELY_MS 120000
#define KNOWN_TO_OURS \
	1 /* what else is told of a peer, such as its routes to come, it tells itself */
#define HIDDEN_TO_OURS 3 /* entries, when more are behind NATs; those that fit are sent */

/* 2 and 5 are the factors of PEERS_MAX: such a stride meets every slot. */
_Static_assert(PEERS_MAX == 1000, "strides without 2 and 5 are coprime with it");

/**
 * struct walk - All slots of the table, in an order of its own
 */
struct walk {
	unsigned int at;
	unsigned int stride;
	unsigned int left;
};

static struct walk walk_begin(void)
{
	uint16_t random[2];
	unsigned int stride;

	crypto_random(random, sizeof(random));
	stride = 10U * (random[0] % (PEERS_MAX / 10U)) + (random[0] & 1 ? 3U : 7U);
	return (struct walk) { .at = random[1] % PEERS_MAX, .stride = stride, .left = PEERS_MAX };
}

static const struct peer *walk_next(struct walk *w, struct peers *peers)
{
	while (w->left > 0) {
		const struct peer *p = peers_at(peers, (uint16_t)w->at);

		w->left--;
		w->at = (w->at + w->stride) % PEERS_MAX;
		if (p)
			return p;
	}
	return NULL;
}

/* --- telling --------------------------------------------------------------------------------- */

static bool was_heard_lately(const struct peer *p, struct now now)
{
	if (!peer_is_verified(p) || p->said_goodbye)
		return false;
	return now.mono_ms - p->heard_ms < LATELY_MS || peer_has_tunnel(p, now);
}

/* An address of a private network is nothing to who is outside it. */
static bool is_of_use(const struct endpoint *at, const struct endpoint *to)
{
	if (!prospects_is_sane(at, 0) || endpoint_equal(at, to))
		return false;
	return ip_is_global(&at->ip) || !ip_is_global(&to->ip);
}

static void select_pex(struct node *n, struct pex_list *out, const struct endpoint *to)
{
	struct walk w = walk_begin();
	struct now now = clock_now();
	const struct peer *p;

	out->n = 0;
	while (out->n < PEX_MAX && (p = walk_next(&w, n->peers)))
		if (was_heard_lately(p, now) && is_of_use(&p->control, to))
			out->record[out->n++] =
				(struct pex_record) { .prefix = pex_prefix(&p->info.key),
						      .at = p->control };
}

/* Behind a NAT it cannot be greeted where it was heard. With its key, an introducer can be asked for it. */
static bool is_hidden(const struct node *n, const struct peer *p)
{
	return p->control.port != n->cfg->keys.gossip_port ||
	       strcmp(p->info.nat_type, "cone") == 0 || strcmp(p->info.nat_type, "symmetric") == 0;
}

static size_t select_known(struct node *n, size_t most, const struct endpoint *to)
{
	struct walk w = walk_begin();
	struct now now = clock_now();
	const struct peer *p;
	size_t total = 0;

	while (total < NODE_KNOWN_MAX && (p = walk_next(&w, n->peers))) {
		struct endpoint at;

		if (total >= most && (total >= HIDDEN_TO_OURS || !is_hidden(n, p)))
			continue;
		if (!peer_is_verified(p) || !peer_is_active(p, now) ||
		    endpoint_equal(&p->control, to))
			continue;
		at = knownpoint_choose(p, to, now);
		n->known[total] = p->info;
		(void)endpoint_format(n->known[total].endpoint, &at);
		total++;
	}
	return total;
}

/* Existing nodes need whole entries; ours get records; who is not known yet, some of both. */
void node_pex_describe(struct node *n, struct announcement *out, const struct endpoint *to)
{
	const struct peer *p = peers_at(n->peers, n->addressee);
	bool is_it = p && (endpoint_equal(&p->control, to) || ip_equal(&p->info.mesh_ip, &to->ip));
	size_t most = KNOWN_TO_OURS;

	if (is_it && !p->is_ours)
		most = NODE_KNOWN_MAX;
	out->known = n->known;
	out->n_known = select_known(n, most, to);
	select_pex(n, &out->pex, to);
}

/* --- being told ------------------------------------------------------------------------------ */

static void take_known_peer(struct node *n, const struct known_peer *known, uint16_t teller,
			    enum peer_method method)
{
	char endpoint[ENDPOINT_OUT_SIZE];
	char control[ENDPOINT_OUT_SIZE];
	struct sighting s = { .who = known, .method = method };

	endpoint_from_known_peer(endpoint, known->endpoint);
	endpoint_control(control, endpoint, n->cfg->keys.gossip_port);
	s.endpoint = node_peers_literal(n, endpoint);
	s.control = node_peers_literal(n, control);
	node_peers_sight(n, &s, false);
	if (s.control.ip.family != 0)
		node_prospect_told(n, &s.control, pex_prefix(&known->key), teller);
}

void node_pex_take(struct node *n, const struct announcement *a, const struct discovery_origin *o)
{
	const struct peer *p = peers_find(n->peers, &a->self.key);
	uint16_t teller = p ? p->slot : PROSPECTS_TOLD_BY_NONE;
	enum peer_method method = METHOD_TRANSITIVE;

	if (o->source == DISCOVERY_GOSSIP)
		method = METHOD_GOSSIP_TRANSITIVE;
	for (size_t i = 0; i < a->n_known; i++)
		take_known_peer(n, &a->known[i], teller, method);
	for (size_t i = 0; i < a->pex.n; i++)
		node_prospect_told(n, &a->pex.record[i].at, a->pex.record[i].prefix, teller);
}

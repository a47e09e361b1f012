/* SPDX-License-Identifier: MIT */
/* Who says goodbye is let go at once, and so are we: without it, others would try for minutes. */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <stdlib.h>

#define GOODBYE_MAX_AGE_S 60

static bool is_from(const struct peer *p, const struct ip *ip)
{
	return ip_equal(ip, &p->endpoint.ip) || ip_equal(ip, &p->control.ip) ||
	       ip_equal(ip, &p->tunnel.ip) || ip_equal(ip, &p->info.mesh_ip) ||
	       ip_equal(ip, &p->info.mesh_ip6);
}

void node_peers_goodbye(struct node *n, const struct wg_key *key, int64_t timestamp,
			const struct endpoint *from)
{
	struct now now = clock_now();
	struct peer *p = peers_find(n->peers, key);

	if (!p || p->said_goodbye || llabs(now.unix_s - timestamp) > GOODBYE_MAX_AGE_S)
		return;
	/*
	 * Neither its type nor who sent it can be told from a datagram, and what was captured can be sent
	 * again. So a peer's word counts where it was heard, and not if it was heard of later than that.
	 */
	if (timestamp < p->said_s || !is_from(p, &from->ip))
		return;
	log_event(EVENT_PEER_LEFT,
		  LOG_FIELDS({ "peer", p->key_text }, { "host", p->info.hostname }),
		  "peer said goodbye");
	p->said_goodbye = true;
	p->replied_ms = INT64_MIN;
	p->handshake_s = 0;
	p->first_seen_ms = now.mono_ms;
	peers_mark(n->peers, p);
	node_prospects_lost(n, &p->control);
	node_relay_look(n);
	node_peers_flush_soon(n);
}

void node_peers_say_goodbye(struct node *n)
{
	struct now now = clock_now();

	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		struct endpoint inside = node_relay_inside(n, p, now);

		if (peer_is_active(p, now) && p->control.ip.family != 0)
			exchange_goodbye(n->exchange, &p->control, &n->ready.public_key);
		/* What was punched for the exchange may be closed again. */
		if (inside.ip.family != 0 &&
		    (p->path.is_relayed || (p->methods & METHOD_RENDEZVOUS)))
			exchange_goodbye(n->exchange, &inside, &n->ready.public_key);
	}
}

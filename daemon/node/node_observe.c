/* SPDX-License-Identifier: MIT */
/* What WireGuard says of the peers, and what follows from it. */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#define RATE_MIN_MS 1000 /* between two readings that a rate is made of */

/* What WireGuard has, when nothing of ours is under way that would change it. */
static void take_actual(struct node *n, struct peer *p, const struct wg_peer_state *state)
{
	uint64_t hash = reconcile_allowed_hash(state->allowed, state->n_allowed);
	bool is_new = !p->applied.present;

	if (n->rows[p->slot].written_dump == n->dump_number && !is_new)
		return;
	if (is_new) {
		/* An adopted interface: what is there counts as applied, and an endpoint that
		 * roamed and works is better than what the cache remembers. */
		p->applied.present = true;
		p->applied.keepalive_s = state->keepalive_s;
		p->applied.endpoint =
			peer_has_tunnel(p, clock_now()) ? p->endpoint : state->endpoint;
		peers_mark(n->peers, p);
		node_relay_adopt(n, p, state);
	}
	/* A relay may have more than a report has room for. */
	if (p->applied.allowed_hash != hash && state->n_allowed < WG_ALLOWED_MAX) {
		p->applied.allowed_hash = hash;
		peers_mark(n->peers, p);
	}
}

static uint64_t rate(uint64_t now, uint64_t before, int64_t ms)
{
	/* A peer that was configured anew counts from zero. */
	return now < before ? 0 : (now - before) * 1000 / (uint64_t)ms;
}

static void take_bytes(struct node *n, struct peer *p, const struct wg_peer_state *state)
{
	struct node_peer *row = &n->rows[p->slot];
	int64_t now_ms = clock_now().mono_ms;
	int64_t elapsed_ms = now_ms - row->read_ms;

	p->rx_bytes = state->rx_bytes;
	p->tx_bytes = state->tx_bytes;
	if (row->read_ms != 0 && elapsed_ms < RATE_MIN_MS)
		return;
	p->rx_rate = row->read_ms == 0 ? 0 : rate(state->rx_bytes, row->read_rx, elapsed_ms);
	p->tx_rate = row->read_ms == 0 ? 0 : rate(state->tx_bytes, row->read_tx, elapsed_ms);
	row->read_ms = now_ms;
	row->read_rx = state->rx_bytes;
	row->read_tx = state->tx_bytes;
}

/* A refusal of what was written before this report was asked for would have come before it. */
static void note_success(const struct node *n, struct node_peer *row)
{
	if (row->written_dump != n->dump_number && clock_now().mono_ms >= row->refused_until_ms)
		row->n_refused = 0;
}

/* A peer inside one of its own networks, where its tunnel would lead into itself; or no longer so. */
static bool concerns_routes(const struct peer *p, const struct ip *ip)
{
	for (size_t i = 0; i < p->n_routes; i++)
		if (p->route_verdict[i] == ROUTE_OWN_PATH || prefix_contains(&p->routes[i], ip))
			return true;
	return false;
}

/* A live tunnel is life. One that is lost makes its peer due for a HELLO. */
static void take_life(struct node *n, struct peer *p)
{
	struct node_peer *row = &n->rows[p->slot];
	struct now now = clock_now();
	bool was_linked = row->is_linked;
	bool was_proved = p->tunnel_ms != 0;

	if (peer_has_tunnel(p, now))
		p->tunnel_ms = now.mono_ms;
	if (!was_proved && p->tunnel_ms != 0)
		peers_settle(n->peers, p);
	row->is_linked = refresh_is_linked(p, now);
	if (was_linked && !row->is_linked)
		peers_mark(n->peers, p);
}

void node_peers_observed(struct node *n, const struct wg_peer_state *state)
{
	struct peer *p = peers_find(n->peers, &state->key);
	bool first_handshake;

	if (!p) {
		/* After a restart, peers of the last run may be heard again any moment. */
		if (n->sweep_strangers)
			node_admin_remove(n, &state->key);
		return;
	}
	first_handshake = p->handshake_s == 0 && state->handshake_s != 0;
	p->handshake_s = state->handshake_s;
	take_life(n, p);
	take_bytes(n, p, state);
	if (!ip_equal(&p->tunnel.ip, &state->endpoint.ip) &&
	    concerns_routes(p, &state->endpoint.ip))
		peers_mark(n->peers, p);
	n->rows[p->slot].is_mute = !relay_listen(&n->rows[p->slot].ear, state->rx_bytes,
						 state->tx_bytes, clock_now().mono_ms);
	p->tunnel = state->endpoint;
	/* Where it roamed to is worth a try when the tunnel is lost there. */
	if (peer_has_tunnel(p, clock_now()))
		candidates_add(&p->candidates, &state->endpoint, CANDIDATE_SEEN);
	n->rows[p->slot].seen_dump = n->dump_number;
	note_success(n, &n->rows[p->slot]);
	take_actual(n, p, state);
	if (first_handshake)
		log_event(EVENT_TUNNEL_UP,
			  LOG_FIELDS({ "peer", p->key_text }, { "host", p->info.hostname }),
			  "tunnel is up");
}

void node_peers_dumped(struct node *n)
{
	struct now now = clock_now();

	if (!n->is_settled)
		node_mtu_soon(n);
	n->is_settled = true;
	node_nat_dumped(n);
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		const struct node_peer *row = &n->rows[p->slot];

		if (p->applied.present && row->seen_dump != n->dump_number &&
		    row->written_dump != n->dump_number) {
			log_event(EVENT_PEER_ADDED_AGAIN, LOG_FIELDS({ "peer", p->key_text }),
				  "peer %s was removed by somebody else; adding it again",
				  p->key_text);
			p->applied.present = false;
			peers_mark(n->peers, p);
		}
		if (p->applied.present && !peer_is_active(p, now))
			peers_mark(n->peers, p);
	}
	node_relay_look(n);
	node_rendezvous_look(n);
	node_introducer_look(n);
	node_peers_flush(n);
}

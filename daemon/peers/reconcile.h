/* SPDX-License-Identifier: MIT */
/*
 * reconcile - what WireGuard should have for a peer, and the smallest change that gets there; pure
 *
 * Event-driven: a sighting that changes one peer yields one struct wg_peer_config. When nothing
 * differs, nothing is written.
 */
#ifndef DAEMON_PEERS_RECONCILE_H
#define DAEMON_PEERS_RECONCILE_H

#include "daemon/clock.h"
#include "daemon/peers/peers.h"
#include "daemon/wg/wg.h"

#include <stdbool.h>
#include <stdint.h>

#define RECONCILE_KEEPALIVE_S 25   /* keeps NAT mappings open (protocol.md section 13) */
#define RECONCILE_SETTLE_MS   100  /* the peer that answered us has configured us by then */
#define RECONCILE_PATIENCE_MS 1000 /* the other end begins the handshake until then */
#define RECONCILE_CACHED_MS   PEER_FORGET_MS

/**
 * struct reconcile_self - What must be known of this node
 * @key_text:	Our key
 * @start_ms:	When this run began
 * @subnet:	Mesh subnet: an endpoint inside it would route the tunnel into itself
 * @prefix6:	IPv6 prefix of the mesh, likewise
 * @hold_until_ms: Until then we begin no handshake where there is no tunnel: our clock has run
 *		backwards, and peers would take it for a replay; 0 when it has not
 */
struct reconcile_self {
	char key_text[PEER_TEXT_SIZE];
	int64_t start_ms;
	struct prefix subnet;
	struct prefix prefix6;
	int64_t hold_until_ms;
};

/**
 * struct reconcile_want - What WireGuard should have for one peer
 * @present:	Configure it at all
 * @endpoint:	"none": leave it to the peer to come to us
 * @keepalive_s: RECONCILE_KEEPALIVE_S, or 0 while the other side is left to begin
 * @allowed:	Mesh addresses and routes, host bits cleared, no duplicates
 * @n_allowed:	Entries in @allowed
 * @relayed_hash: reconcile_allowed_hash() of what is behind the peers that it relays, 0 for none: too
 *		much for a list
 * @again_ms:	When the answer changes by time alone; INT64_MAX for never
 */
struct reconcile_want {
	bool present;
	struct endpoint endpoint;
	uint16_t keepalive_s;
	size_t n_allowed;
	struct prefix allowed[WG_ALLOWED_MAX];
	uint64_t relayed_hash;
	int64_t again_ms;
};

/**
 * reconcile_want() - Decide for one peer
 *
 * Two ends that begin a WireGuard handshake in the same instant overwrite each other's state and
 * wait five seconds. So the end with the lower key begins, as soon as the other one has answered a
 * HELLO and so knows its key; the other end follows after RECONCILE_PATIENCE_MS if nothing came.
 * That opens address translations on both sides, too. While an introduction is under way, its
 * endpoint is tried, and its plan says when it is our turn.
 */
void reconcile_want(struct reconcile_want *out, const struct peer *p,
		    const struct reconcile_self *self, struct now now);

/**
 * reconcile_allowed() - What is behind a peer: its mesh addresses and routes
 * @out:	Receives @allowed and @n_allowed; nothing else is looked at
 */
void reconcile_allowed(struct reconcile_want *out, const struct peer *p,
		       const struct reconcile_self *self);

/**
 * reconcile_diff() - The change that makes WireGuard match
 * @out:	Receives the change; the preshared key is added by whoever applies it
 * @p:		Peer: what WireGuard has is p->applied
 * @want:	What it should have
 * @now:	Time
 *
 * An endpoint is set when ours changed, or when the tunnel is down and WireGuard's differs: an
 * endpoint that roamed is right as long as packets flow.
 *
 * Return: true when there is something to write
 */
bool reconcile_diff(struct wg_peer_config *out, const struct peer *p,
		    const struct reconcile_want *want, struct now now);

/**
 * reconcile_applied() - What p->applied is once a change has been written
 */
void reconcile_applied(struct peer *p, const struct reconcile_want *want);

/**
 * reconcile_allowed_hash() - Compare prefix lists without keeping them; order does not matter
 */
uint64_t reconcile_allowed_hash(const struct prefix *list, size_t n);

/**
 * reconcile_is_inside_mesh() - Is this an address of the mesh itself, reached through the tunnel?
 */
bool reconcile_is_inside_mesh(const struct ip *ip, const struct reconcile_self *self);

/**
 * reconcile_route_is_sane() - May a peer's announced network become a route here?
 * @route:	Network, host bits cleared
 * @self:	This node
 *
 * Return: false for default routes, for what overlaps the mesh's own networks, and for loopback,
 *         link-local and multicast networks
 */
bool reconcile_route_is_sane(const struct prefix *route, const struct reconcile_self *self);

#endif /* DAEMON_PEERS_RECONCILE_H */

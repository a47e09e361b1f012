/* SPDX-License-Identifier: MIT */
/* routejudge - which of the networks that peers announce may become routes here, and why not; pure */
#ifndef DAEMON_PEERS_ROUTEJUDGE_H
#define DAEMON_PEERS_ROUTEJUDGE_H

#include "daemon/net/underlay.h"
#include "daemon/peers/peers.h"
#include "daemon/peers/reconcile.h"
#include "daemon/peers/routelist.h"

/**
 * struct routejudge - What an announced network is compared with
 * @self:	This node
 * @underlay:	Networks this machine is in; NULL when they are not known
 * @allowed:	--allow-routes
 * @peers:	Everybody else
 * @now:	Time
 */
struct routejudge {
	const struct reconcile_self *self;
	const struct underlay *underlay;
	const struct routelist *allowed;
	struct peers *peers;
	struct now now;
};

/**
 * routejudge() - May a peer's network be routed to it?
 * @j:		What it is compared with
 * @owner:	The peer that announces it
 * @net:	Network, host bits cleared
 * @before:	What was found last time, ROUTE_UNJUDGED for a new one
 *
 * A network that is in use stays when another peer later turns out to be reached inside it: that
 * is what it is for. It is refused when such a peer was there first.
 *
 * Return: ROUTE_ACCEPTED, or why not
 */
enum route_verdict routejudge(const struct routejudge *j, const struct peer *owner,
			      const struct prefix *net, enum route_verdict before);

/**
 * routejudge_why() - The reason as a clause: "it overlaps with a network that this machine is in"
 *
 * Return: text; empty for ROUTE_UNJUDGED and ROUTE_ACCEPTED
 */
const char *routejudge_why(enum route_verdict verdict);

#endif /* DAEMON_PEERS_ROUTEJUDGE_H */

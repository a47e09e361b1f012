/* SPDX-License-Identifier: MIT */
#include "daemon/peers/routejudge.h"

/* A tunnel that led into itself would carry nothing any more. */
static bool holds(const struct routejudge *j, const struct prefix *net, const struct ip *ip)
{
	if (j->underlay)
		return underlay_would_lose(j->underlay, net, ip);
	return prefix_contains(net, ip);
}

static bool holds_gateway(const struct routejudge *j, const struct prefix *net)
{
	for (size_t i = 0; j->underlay && i < j->underlay->n_gateways; i++)
		if (holds(j, net, &j->underlay->gateway[i]))
			return true;
	return false;
}

/* Somebody whose packets come from there, which no announcement can pretend. */
static bool holds_tunnel(const struct routejudge *j, const struct peer *owner,
			 const struct prefix *net)
{
	for (const struct peer *p = peers_next(j->peers, NULL); p; p = peers_next(j->peers, p))
		if (p != owner && peer_has_tunnel(p, j->now) && holds(j, net, &p->tunnel.ip))
			return true;
	return false;
}

enum route_verdict routejudge(const struct routejudge *j, const struct peer *owner,
			      const struct prefix *net, enum route_verdict before)
{
	if (net->bits == 0)
		return ROUTE_DEFAULT;
	if (!reconcile_route_is_sane(net, j->self))
		return ROUTE_RESERVED;
	if (holds(j, net, &owner->endpoint.ip) || holds(j, net, &owner->tunnel.ip))
		return ROUTE_OWN_PATH;
	/* Where it is now, WireGuard has to tell first. */
	if (before == ROUTE_OWN_PATH && owner->tunnel.ip.family == 0)
		return ROUTE_OWN_PATH;
	if (holds_gateway(j, net))
		return ROUTE_GATEWAY;
	if (!routelist_holds(j->allowed, net)) {
		if (net->bits < ROUTELIST_BITS_MIN)
			return ROUTE_DEFAULT;
		if (j->underlay && (j->underlay->is_cut || underlay_overlap(j->underlay, net)))
			return ROUTE_UNDERLAY;
		if (before != ROUTE_ACCEPTED && holds_tunnel(j, owner, net))
			return ROUTE_OTHER_PATH;
	}
	return ROUTE_ACCEPTED;
}

const char *routejudge_why(enum route_verdict verdict)
{
	static const char *const reasons[] = {
		[ROUTE_UNJUDGED] = "",
		[ROUTE_ACCEPTED] = "",
		[ROUTE_DEFAULT] = "it is a default route, or nearly one, and would take all "
				  "traffic of this machine",
		[ROUTE_RESERVED] = "it overlaps with the mesh itself, or with loopback, link-local "
				   "or multicast addresses",
		[ROUTE_OWN_PATH] = "the peer's own address lies in it, so that the tunnel would "
				   "lead into itself",
		[ROUTE_GATEWAY] = "this machine's gateway lies in it",
		[ROUTE_UNDERLAY] = "it overlaps with a network that this machine is in or has a "
				   "route to, or these are too many to tell; --allow-routes "
				   "accepts it all the same",
		[ROUTE_OTHER_PATH] = "another peer is reached at an address in it; --allow-routes "
				     "accepts it all the same",
		[ROUTE_TAKEN] = "another peer announced it first, and has it until it leaves",
		[ROUTE_NO_ROOM] = "there are too many routes",
		[ROUTE_FAILED] = "the kernel did not take the route; it is tried again",
	};

	return reasons[verdict];
}

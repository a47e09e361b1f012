/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin_check.h"
#include "daemon/net/mtu.h"
#include "daemon/peers/reconcile.h"

#include <errno.h>
#include <string.h>

static bool is_family(const struct ip *ip)
{
	return ip->family == AF_INET || ip->family == AF_INET6;
}

static bool is_sane(const struct prefix *p)
{
	return is_family(&p->ip) && p->bits > 0 && p->bits <= (p->ip.family == AF_INET ? 32 : 128);
}

static int check_peer(const struct wg_peer_config *peer, struct err *e)
{
	for (size_t i = 0; i < peer->n_allowed; i++)
		if (!is_sane(&peer->allowed[i]))
			return err_set(e, -EPROTO,
				       "a peer with an allowed prefix that none may "
				       "have");
	if ((peer->flags & WG_PEER_HAS_ENDPOINT) &&
	    (!is_family(&peer->endpoint.ip) || peer->endpoint.port == 0))
		return err_set(e, -EPROTO, "a peer with an endpoint that is none");
	return 0;
}

/* Text for a parser of our own: it has an end, and only what levels are written with. */
static int check_levels(const char levels[static LOG_LEVELS_SIZE], struct err *e)
{
	size_t len = strnlen(levels, LOG_LEVELS_SIZE);

	if (len == LOG_LEVELS_SIZE)
		return err_set(e, -EPROTO, "log levels without an end");
	for (size_t i = 0; i < len; i++)
		if (levels[i] < ' ' || levels[i] > '~')
			return err_set(e, -EPROTO, "log levels that are no text");
	return 0;
}

static int check_forward(const struct forward_want *want, struct err *e)
{
	if (want->n > FORWARD_NETS_MAX)
		return err_set(e, -EPROTO, "forwarding for %u networks", want->n);
	for (uint32_t i = 0; i < want->n; i++)
		if (!is_sane(&want->net[i]))
			return err_set(e, -EPROTO, "forwarding for a network that is none");
	return 0;
}

int netadmin_check(const struct netadmin_request *req, struct err *e)
{
	switch ((enum netadmin_op)req->op) {
	case NETADMIN_PEERS:
		return err_set(e, -EPROTO, "changes of peers that are no batch");
	case NETADMIN_ROUTE_ADD:
	case NETADMIN_ROUTE_DEL:
		return is_sane(&req->route) ? 0 : err_set(e, -EPROTO, "a route that none may have");
	case NETADMIN_LOG:
		return check_levels(req->levels, e);
	case NETADMIN_MTU:
		if (req->mtu >= MTU_MIN && req->mtu <= MTU_MAX)
			return 0;
		return err_set(e, -EPROTO, "an MTU of %u bytes", req->mtu);
	case NETADMIN_FORWARD:
		return check_forward(&req->forward, e);
	case NETADMIN_ADDRESS:
		if (req->nonce >= 1 && req->nonce <= COLLISION_NONCE_MAX)
			return 0;
		return err_set(e, -EPROTO, "a mesh address that this node may not take");
	case NETADMIN_DUMP:
	case NETADMIN_SAVE_CACHE:
	case NETADMIN_SAVE_NODES:
	case NETADMIN_STOP:
	case NETADMIN_ECHO:
	case NETADMIN_ADDRESSES:
	case NETADMIN_RELOAD:
		return 0;
	}
	return err_set(e, -EPROTO, "request %u is not in the table", req->op);
}

int netadmin_check_route(const struct prefix *net, const struct routelist *allowed, struct err *e)
{
	static const struct reconcile_self nobody;
	char text[PREFIX_TEXT_SIZE];

	if (net->bits < ROUTELIST_BITS_MIN && !routelist_holds(allowed, net))
		return err_set(e, -EPERM, "route to %s: it is nearly a default route",
			       prefix_format(text, net));
	if (!reconcile_route_is_sane(net, &nobody))
		return err_set(e, -EPERM, "route to %s: nobody's network",
			       prefix_format(text, net));
	return 0;
}

int netadmin_check_peers(const struct netadmin_batch *b, struct err *e)
{
	struct wg_peer_config peer;
	size_t pos = 0;
	int more;

	while ((more = netadmin_batch_next_change(b, &pos, &peer)) > 0)
		if (check_peer(&peer, e) < 0)
			return -EPROTO;
	return more == 0 ? 0 : err_set(e, -EPROTO, "changes of peers that are none");
}

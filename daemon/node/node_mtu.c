/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * The MTU follows the ways to peers: the smallest of them, less what WireGuard adds. Ways are looked
 * up once for each address, and again when this machine's networks change; a moment later the
 * interface gets what follows, if that is another MTU than it has. With --mtu nothing of this happens.
 */
#include "common/log.h"
#include "daemon/net/mtu.h"
#include "daemon/node/node_impl.h"

#include <stdio.h>
#include <string.h>

#define SETTLE_S 1 /* peers come in groups */

/* What the way to a peer carries, 0 when not known. */
static uint32_t outside(struct node *n, const struct peer *p)
{
	struct node_peer *row = &n->rows[p->slot];
	const struct ip *to = &p->applied.endpoint.ip;

	if (to->family == 0)
		return 0;
	if (!ip_equal(&row->mtu_to, to)) {
		struct mtu_path path = underlaywatch_path(n->underlay, to);

		row->mtu_to = *to;
		row->mtu_outside = mtu_of_path(&path, to);
	}
	return row->mtu_outside;
}

/* Sets @narrowest to the peer whose way carries least; NULL when no way is known. */
static uint32_t smallest(struct node *n, const struct peer **narrowest)
{
	uint32_t best = 0;

	*narrowest = NULL;
	for (const struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		uint32_t bytes = p->applied.present ? outside(n, p) : 0;

		if (bytes == 0 || (best != 0 && bytes >= best))
			continue;
		best = bytes;
		*narrowest = p;
	}
	return best;
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct netadmin_request req = { .op = NETADMIN_MTU };
	const struct peer *narrowest;
	struct node *n = arg;
	uint32_t bytes;
	char text[16];

	(void)fd;
	(void)what;
	if (n->phase != NODE_RUNNING)
		return;
	bytes = smallest(n, &narrowest);
	req.mtu = mtu_inside(bytes);
	/* Without a peer there is nothing better than what was found at the start. */
	if (!narrowest || req.mtu == n->ready.mtu)
		return;
	(void)snprintf(text, sizeof(text), "%u", req.mtu);
	log_event(bytes < MTU_MIN + MTU_OVERHEAD ? EVENT_MTU_TOO_SMALL : EVENT_MTU_CHANGED,
		  LOG_FIELDS({ "mtu", text }, { "peer", narrowest->key_text },
			     { "host", narrowest->info.hostname }),
		  bytes < MTU_MIN + MTU_OVERHEAD
			  ? "%s gets the MTU %u, since IPv6 wants no less; but the way to %.64s "
			    "carries only %u bytes, and large packets to it will be lost or cut"
			  : "%s gets the MTU %u: the way to %.64s carries %u bytes",
		  n->cfg->ifname, req.mtu,
		  narrowest->info.hostname[0] != '\0' ? narrowest->info.hostname
						      : narrowest->key_text,
		  bytes);
	n->ready.mtu = req.mtu;
	adminlink_send(n->admin, &req, -1);
}

void node_mtu_soon(struct node *n)
{
	static const struct timeval settle = { .tv_sec = SETTLE_S };

	if (n->mtu_timer && !evtimer_pending(n->mtu_timer, NULL))
		(void)event_add(n->mtu_timer, &settle);
}

void node_mtu_anew(struct node *n)
{
	for (const struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		n->rows[p->slot].mtu_to.family = 0;
	node_mtu_soon(n);
}

void node_mtu_open(struct node *n)
{
	if (n->cfg->mtu == 0 && n->underlay)
		n->mtu_timer = evtimer_new(n->base, on_settled, n);
}

void node_mtu_close(struct node *n)
{
	if (n->mtu_timer)
		event_free(n->mtu_timer);
	n->mtu_timer = NULL;
}

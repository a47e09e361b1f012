/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Every ten seconds one peer, drawn by lot of those with a live tunnel, is told of others through
 * the tunnel (protocol.md section 10). Who is told does not answer. A node that does not know an
 * endpoint of its own stays silent: the receiver would fill in the mesh address that it came from,
 * and the tunnel would lead into itself (protocol.md B15).
 */
#include "daemon/node/node_impl.h"

#define PERIOD_MS 10000
#define JITTER_MS 2000

static struct peer *draw(struct node *n, struct now now)
{
	struct peer *drawn = NULL;
	uint32_t seen = 0;

	/* Each has the same chance to be the one that is left. */
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		uint32_t random = 0;

		if (!peer_has_tunnel(p, now) || p->said_goodbye || p->info.mesh_ip.family == 0)
			continue;
		crypto_random(&random, sizeof(random));
		if (random % ++seen == 0)
			drawn = p;
	}
	return drawn;
}

static void schedule(struct node *n)
{
	uint16_t random = 0;
	struct timeval tv;
	int ms;

	crypto_random(&random, sizeof(random));
	ms = PERIOD_MS - JITTER_MS / 2 + random % JITTER_MS;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (ms % 1000) * 1000;
	(void)event_add(n->gossip_timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;
	struct peer *p;

	(void)fd;
	(void)what;
	schedule(n);
	if (n->phase != NODE_RUNNING)
		return;
	p = draw(n, clock_now());
	if (!p)
		return;
	n->addressee = p->slot;
	exchange_announce(n->exchange, &(struct endpoint) { .ip = p->info.mesh_ip,
							    .port = n->cfg->keys.gossip_port });
}

void node_gossip_start(struct node *n)
{
	if (!n->cfg->gossip)
		return;
	n->gossip_timer = evtimer_new(n->base, on_timer, n);
	if (n->gossip_timer)
		schedule(n);
}

void node_gossip_stop(struct node *n)
{
	if (n->gossip_timer)
		event_free(n->gossip_timer);
	n->gossip_timer = NULL;
}

void node_gossip_describe(const struct node *n, struct view *out)
{
	if (n->cfg->gossip)
		view_add_layer(out, "gossip", true,
			       "one peer with a tunnel is told of others every 10 s");
	else
		view_add_layer(out, "gossip", false, "--gossip is not set");
}

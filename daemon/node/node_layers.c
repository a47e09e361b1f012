/* SPDX-License-Identifier: MIT */
/* Opening and closing what talks to the network: the discovery layers and the probe's server. */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void on_announcement(void *arg, const struct announcement *a,
			    const struct discovery_origin *o)
{
	node_peers_announced(arg, a, o);
	node_notify_changed(arg);
}

static void on_goodbye(void *arg, const struct wg_key *key, int64_t timestamp,
		       const struct endpoint *from)
{
	node_peers_goodbye(arg, key, timestamp, from);
	node_notify_changed(arg);
}

static void on_stale(void *arg, int64_t timestamp, const struct endpoint *from)
{
	struct node *n = arg;

	judge_take_stale(&n->stale, timestamp, clock_now(), from);
}

static void on_rendezvous(void *arg, const struct envelope *env, const struct endpoint *from)
{
	node_rendezvous_heard(arg, env, from);
}

static void describe(void *arg, struct announcement *out, bool with_known,
		     const struct endpoint *to)
{
	node_self_describe(arg, out, with_known, to);
}

static void open_lan(struct node *n)
{
	struct lan_config cfg = {
		.group = { .ip = n->cfg->keys.group, .port = DERIVE_LAN_PORT },
		.key = n->cfg->keys.gossip_key,
		.own_ifindex = n->ready.ifindex,
		.handler = &n->handler,
	};
	struct err e = { 0 };
	int r = n->cfg->no_lan ? 0 : lan_open(&n->lan, n->base, &cfg, &e);

	/* Each layer is optional: the others go on without it. */
	if (r < 0)
		log_event(EVENT_LAN_OFF, NULL, "LAN discovery is off: %s: %s", e.msg, strerror(-r));
}

static void open_pong(struct node *n, size_t i, const struct ip *ip)
{
	struct endpoint at = { .ip = *ip,
			       .port = (uint16_t)(n->cfg->keys.gossip_port + DERIVE_PROBE_OFFSET) };
	struct err e = { 0 };
	int r = ip->family == 0 ? 0 : pong_open(&n->pong[i], n->base, &at, &e);

	if (r < 0)
		log_event(EVENT_PROBE_OFF, NULL,
			  "existing nodes may take this one for dead: %s: %s", e.msg, strerror(-r));
}

static void open_rpc(struct node *n)
{
	struct err e = { 0 };
	int fd = n->control_fd;

	if (fd < 0)
		return;
	n->control_fd = -1;
	if (rpc_server_open(&n->rpc, n->base, fd, &n->source, &e) < 0)
		log_event(EVENT_RPC_OFF, NULL, "`wgmesh peers` will not work: %s: %s", e.msg,
			  strerror(-e.code));
}

/* Without it there is nothing to run; the next run makes it anew, with the same key. */
static void on_interface(void *arg, const struct ifstate *s)
{
	struct node *n = arg;
	char sentence[160];

	if (!s->is_known || s->exists || n->phase != NODE_RUNNING)
		return;
	(void)snprintf(
		sentence, sizeof(sentence),
		"the interface %s was deleted by somebody else; this node ends, and makes it "
		"anew when it is started again",
		n->cfg->ifname);
	node_give_up(n, sentence);
}

static void on_interface_raised(void *arg)
{
	struct netadmin_request req = { .op = NETADMIN_ADDRESSES };
	struct node *n = arg;

	if (n->phase != NODE_RUNNING)
		return;
	log_event(EVENT_INTERFACE_RAISED, LOG_FIELDS({ "interface", n->cfg->ifname }),
		  "%s was down; giving it back its routes and addresses", n->cfg->ifname);
	adminlink_send(n->admin, &req, -1);
	node_routes_restore(n);
}

static void on_elsewhere(void *arg, bool is_route)
{
	node_nat_moved(arg, is_route);
}

static void watch_interface(struct node *n)
{
	struct ifwatch_handler h = { .arg = n,
				     .changed = on_interface,
				     .raised = on_interface_raised,
				     .elsewhere = on_elsewhere };
	struct err e = { 0 };
	int r = ifwatch_open(&n->ifwatch, n->base, n->ready.ifindex, &h, &e);

	if (r < 0)
		log_event(EVENT_INTERFACE_UNWATCHED, NULL,
			  "if %s goes down or is deleted, that is not noticed: %s: %s",
			  n->cfg->ifname, e.msg, strerror(-r));
}

int node_layers_open(struct node *n, struct err *e)
{
	struct exchange_config cfg = {
		.port = n->cfg->keys.gossip_port,
		.key = n->cfg->keys.gossip_key,
		.once = n->cfg->no_punching,
		.gossip = n->cfg->gossip,
		.handler = &n->handler,
	};
	int r;

	n->handler = (struct discovery_handler) {
		.arg = n,
		.describe = describe,
		.on_announcement = on_announcement,
		.on_rendezvous = n->cfg->no_punching ? NULL : on_rendezvous,
		.on_goodbye = on_goodbye,
		.on_stale = on_stale,
		.counters = &n->counters,
	};
	n->peers = peers_new(&n->ready.public_key);
	if (!n->peers)
		return err_set(e, -ENOMEM, "make the peer table");
	r = exchange_open(&n->exchange, n->base, &cfg, e);
	if (r < 0)
		return r;
	r = node_nat_open(n, e);
	if (r < 0)
		return r;
	node_prospects_open(n);
	peers_claim(n->peers, &n->ready.mesh_ip, &n->ready.mesh_ip6);
	node_routes_open(n);
	open_lan(n);
	open_pong(n, 0, &n->ready.mesh_ip);
	open_pong(n, 1, &n->ready.mesh_ip6);
	open_rpc(n);
	watch_interface(n);
	node_ways_start(n);
	node_gossip_start(n);
	node_dht_open(n);
	return 0;
}

void node_layers_moved(struct node *n)
{
	pong_close(n->pong[0]);
	n->pong[0] = NULL;
	open_pong(n, 0, &n->ready.mesh_ip);
}

void node_layers_hush(struct node *n)
{
	lan_close(n->lan);
	n->lan = NULL;
	node_dht_stop(n);
	node_ways_stop(n);
	node_gossip_stop(n);
	node_nat_stop(n);
	exchange_stop(n->exchange);
}

void node_layers_close(struct node *n)
{
	node_routes_close(n);
	node_dht_close(n);
	node_ways_stop(n);
	node_gossip_stop(n);
	node_nat_stop(n);
	node_prospects_close(n);
	ifwatch_close(n->ifwatch);
	lan_close(n->lan);
	exchange_close(n->exchange);
	pong_close(n->pong[0]);
	pong_close(n->pong[1]);
	n->ifwatch = NULL;
}

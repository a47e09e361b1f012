/* SPDX-License-Identifier: MIT */
/* What passes between the node and netadmin. */
#include "common/exits.h"
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LOOK_PAUSE_MS 500

void node_request_dump(struct node *n)
{
	struct netadmin_request req = { .op = NETADMIN_DUMP };

	if (n->dump_pending)
		return;
	n->dump_pending = true;
	n->dump_number++;
	node_nat_dump_asked(n);
	node_admin_owes(n);
	adminlink_send(n->admin, &req, -1);
}

int64_t node_look_ms(const struct node *n, int64_t at_ms)
{
	int64_t next_ms = n->nat.asked_ms + LOOK_PAUSE_MS;

	return at_ms > next_ms ? at_ms : next_ms;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;

	(void)fd;
	(void)what;
	if (n->phase == NODE_RUNNING)
		node_request_dump(n);
}

void node_look_at(struct node *n, struct event **timer, int64_t at_ms)
{
	int64_t now_ms = clock_now().mono_ms;
	int64_t ms = at_ms > now_ms ? at_ms - now_ms : 1;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (!*timer)
		*timer = evtimer_new(n->base, on_look, n);
	if (*timer)
		(void)event_add(*timer, &tv);
}

void node_admin_owes(struct node *n)
{
	if (n->owed_since_ms == 0)
		n->owed_since_ms = clock_now().mono_ms;
}

/* An answer is a sign of life, also when others are still to come. */
static void admin_answered(struct node *n)
{
	n->owed_since_ms = n->dump_pending || n->echo_owed ? clock_now().mono_ms : 0;
}

void node_admin_flush(struct node *n)
{
	if (!netadmin_batch_is_empty(&n->changes))
		adminlink_send_batch(n->admin, &n->changes);
	netadmin_batch_begin(&n->changes, NETADMIN_PEERS);
	for (size_t i = 0; i < n->n_route_changes; i++) {
		const struct node_route_change *c = &n->route_changes[i];
		struct netadmin_request req = { .op = c->add ? NETADMIN_ROUTE_ADD
							     : NETADMIN_ROUTE_DEL };

		req.route = c->net;
		adminlink_send(n->admin, &req, -1);
	}
	n->n_route_changes = 0;
}

void node_admin_route(struct node *n, const struct prefix *net, bool add)
{
	if (n->n_route_changes == NODE_ROUTE_CHANGES)
		node_admin_flush(n);
	n->route_changes[n->n_route_changes++] =
		(struct node_route_change) { .net = *net, .add = add };
}

void node_admin_change(struct node *n, const struct wg_peer_config *change)
{
	if (netadmin_batch_is_empty(&n->changes))
		netadmin_batch_begin(&n->changes, NETADMIN_PEERS);
	if (netadmin_batch_put_change(&n->changes, change))
		return;
	node_admin_flush(n);
	(void)netadmin_batch_put_change(&n->changes, change);
}

void node_admin_remove(struct node *n, const struct wg_key *key)
{
	struct wg_peer_config change;

	change.key = *key;
	change.flags = WG_PEER_REMOVE;
	change.keepalive_s = 0;
	change.endpoint = (struct endpoint) { .port = 0 };
	change.n_allowed = 0;
	node_admin_change(n, &change);
}

static void take_states(struct node *n, const struct netadmin_batch *b)
{
	struct wg_peer_state state;
	size_t pos = 0;

	while (n->phase == NODE_RUNNING && netadmin_batch_next_state(b, &pos, &state) > 0)
		node_peers_observed(n, &state);
}

static void take_refusals(struct node *n, const struct netadmin_batch *b)
{
	struct wg_key key;
	size_t pos = 0;

	while (n->phase == NODE_RUNNING && netadmin_batch_next_key(b, &pos, &key) > 0)
		node_peers_refused(n, &key);
	if (n->phase == NODE_RUNNING)
		node_peers_flush_soon(n);
}

static void on_batch(void *arg, const struct netadmin_batch *b)
{
	if (b->msg.what == NETADMIN_PEER_STATES)
		take_states(arg, b);
	else
		take_refusals(arg, b);
}

static void take_dump_end(struct node *n, const struct netadmin_reply *r)
{
	const struct err *e = &r->error;

	n->admin_log = r->log;
	n->counters.messages = r->messages;
	n->dump_pending = false;
	/* Half a report would look as if somebody had removed the other half. */
	if (e->code != 0)
		log_event(EVENT_NETADMIN_FAILED, NULL, "%s: %s", e->msg, strerror(-e->code));
	else if (n->phase == NODE_RUNNING)
		node_peers_dumped(n);
	node_notify_changed(n);
	admin_answered(n);
	gather_came(&n->gather, GATHER_NETADMIN);
}

static void take_end(struct node *n, const struct err *e)
{
	if (e->code != 0)
		log_event(EVENT_NETADMIN_FAILED, NULL, "%s: %s", e->msg, strerror(-e->code));
	node_end(n, e->code != 0 ? EXITS_SYSTEM : EXITS_OK);
}

/* The layers serve it once they are open. */
static void take_control(struct node *n, const struct err *e, int fd)
{
	if (n->control_fd >= 0)
		return;
	n->control_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (n->control_fd < 0)
		log_event(EVENT_RPC_OFF, NULL, "`wgmesh peers` will not work: %s: %s",
			  fd < 0 ? e->msg : "keep the control socket",
			  strerror(fd < 0 ? -e->code : errno));
}

static void take_reply(struct node *n, const struct netadmin_reply *r, int fd)
{
	switch ((enum netadmin_event)r->event) {
	case NETADMIN_READY:
		node_ready(n, &r->ready, fd);
		break;
	case NETADMIN_CONTROL:
		take_control(n, &r->error, fd);
		break;
	case NETADMIN_NODES:
		node_dht_take_nodes(n, fd);
		break;
	case NETADMIN_FAILED:
		node_fail(n, &r->error);
		break;
	case NETADMIN_ERROR:
		n->counters.write_errors++;
		log_event(EVENT_NETADMIN_FAILED, NULL, "%s: %s", r->error.msg,
			  strerror(-r->error.code));
		break;
	case NETADMIN_PEER_STATES:
	case NETADMIN_PEERS_FAILED:
		break; /* batches, see on_batch() */
	case NETADMIN_DUMP_DONE:
		take_dump_end(n, r);
		break;
	case NETADMIN_ECHOED:
		node_notify_echoed(n);
		admin_answered(n);
		break;
	case NETADMIN_SAVED:
		node_cache_saved(n, &r->error);
		break;
	case NETADMIN_NODES_SAVED:
		node_dht_saved(n, &r->error);
		break;
	case NETADMIN_RELOADED:
		node_reload_take(n, &r->error, fd);
		break;
	case NETADMIN_ROUTED:
		if (n->phase == NODE_RUNNING)
			node_routes_added(n, &r->route, &r->error);
		break;
	case NETADMIN_FORWARDED:
		if (n->phase == NODE_RUNNING)
			node_forward_found(n, &r->forward);
		break;
	case NETADMIN_MOVED:
		if (n->phase == NODE_RUNNING)
			node_collision_moved(n, &r->mesh_ip, &r->error);
		break;
	case NETADMIN_STOPPED:
		take_end(n, &r->error);
		break;
	}
}

static void on_reply(void *arg, const struct netadmin_reply *r, int fd)
{
	take_reply(arg, r, fd);
	if (fd >= 0)
		(void)close(fd);
}

static void on_admin_idle(void *arg)
{
	struct node *n = arg;

	if (n->phase == NODE_RUNNING)
		node_peers_flush(n);
}

static void on_admin_gone(void *arg)
{
	struct node *n = arg;

	/* After NETADMIN_STOPPED or _FAILED it ends as it should. */
	if (n->is_over)
		return;
	node_give_up(n, "netadmin has ended; the interface stays for the next run");
}

int node_admin_start(const struct node *n, struct netadmin *out, struct err *e)
{
	const struct config *c = n->cfg;
	struct netadmin_config cfg = {
		.state_dir = c->state_dir,
		.ifname = c->ifname,
		.wireguard_go = c->wireguard_go,
		.backend = c->backend,
		.listen_port = c->listen_port,
		.mtu = c->mtu,
		.has_custom_subnet = c->has_custom_subnet,
		.custom_subnet = c->custom_subnet,
		.no_ipv6 = c->no_ipv6,
		.new_identity = c->new_identity,
		.introducer = c->introducer,
		.forward = c->forward,
		.own_dht = c->dht_bootstrap.n > 0,
		.allow_routes = &c->allow_routes,
		.secret = &c->secret,
		.keys = &c->keys,
		.socket_path = c->socket_path,
		.http = &c->http,
	};

	return netadmin_start(out, &cfg, e);
}

int node_admin_open(struct node *n, const struct netadmin *admin, struct err *e)
{
	struct adminlink_handler handler = {
		.arg = n,
		.on_reply = on_reply,
		.on_idle = on_admin_idle,
		.on_gone = on_admin_gone,
		.on_batch = on_batch,
	};

	return adminlink_open(&n->admin, n->base, admin, &handler, e);
}

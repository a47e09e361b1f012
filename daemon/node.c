/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * netadmin is forked first. The mesh process then gives up every capability and enters the event
 * loop; what follows is driven by events: NETADMIN_READY opens the discovery layers, a sighting
 * configures a peer, a stop signal says goodbye and asks netadmin to delete the interface. A
 * netadmin that ends by itself ends the node: the supervisor starts it again, and the interface,
 * which stayed, is adopted.
 */
#include "daemon/node.h"
#include "common/caps.h"
#include "common/exits.h"
#include "common/log.h"
#include "daemon/node_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SAFETY_S	 25 /* how old the handshake times in the table may be */
#define STRANGER_GRACE_S 60
#define CACHE_PERIOD_MS	 (5 * 60 * 1000)
#define STOP_LIMIT_MS	 1500

static void end(struct node *n, int exit_code)
{
	if (!n->is_over)
		n->exit_code = exit_code;
	n->is_over = true;
	if (n->base)
		(void)event_base_loopbreak(n->base);
}

/* The sentence goes to the log and to the supervisor; the exit code is the error's, if it has one. */
static void fail(struct node *n, const struct err *e)
{
	log_event(EVENT_NODE_FAILED, NULL, "%s: %s", e->msg, strerror(-e->code));
	node_notify_failed(n, -e->code, e->msg);
	end(n, e->exit_code ? e->exit_code : EXITS_SYSTEM);
}

/* The same where no system call has failed. */
static void give_up(struct node *n, const char *sentence)
{
	log_event(EVENT_NODE_FAILED, NULL, "%s", sentence);
	node_notify_failed(n, 0, sentence);
	end(n, EXITS_SYSTEM);
}

/* --- stopping ------------------------------------------------------------------------------ */

static void begin_stop(struct node *n)
{
	static const struct timeval limit = { .tv_sec = STOP_LIMIT_MS / 1000,
					      .tv_usec = (STOP_LIMIT_MS % 1000) * 1000 };
	struct netadmin_request req = { .op = NETADMIN_STOP };

	if (n->phase == NODE_STOPPING)
		return;
	log_event(EVENT_NODE_STOPPING, NULL, "stopping: saying goodbye and deleting %s",
		  n->cfg->ifname);
	node_notify_stopping(n);
	if (n->phase == NODE_RUNNING) {
		node_peers_say_goodbye(n);
		node_cache_save(n);
	}
	n->phase = NODE_STOPPING;
	adminlink_send(n->admin, &req, -1);
	(void)event_add(n->stop_timer, &limit);
}

static void on_stop_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	begin_stop(arg);
}

static void on_reload_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	node_notify_reload_begins(arg);
	log_event(EVENT_RELOAD_DONE, NULL, "SIGHUP: nothing to reload yet");
	node_notify_reload_ends(arg);
}

static void on_stop_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	give_up(arg, "netadmin did not delete the interface in time");
}

/* --- running ------------------------------------------------------------------------------- */

void node_request_dump(struct node *n)
{
	struct netadmin_request req = { .op = NETADMIN_DUMP };

	if (n->dump_pending)
		return;
	n->dump_pending = true;
	n->dump_number++;
	adminlink_send(n->admin, &req, -1);
}

static void on_safety_timer(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;
	struct now now = clock_now();

	(void)fd;
	(void)what;
	if (n->phase != NODE_RUNNING)
		return;
	n->sweep_strangers = now.mono_ms - n->self.start_ms > STRANGER_GRACE_S * 1000;
	node_request_dump(n);
	if (now.mono_ms - n->cache_saved_ms > CACHE_PERIOD_MS && peers_count(n->peers) > 0) {
		n->cache_saved_ms = now.mono_ms;
		node_cache_save(n);
	}
}

static void on_cache_timer(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;

	(void)fd;
	(void)what;
	if (n->phase != NODE_RUNNING)
		return;
	n->cache_saved_ms = clock_now().mono_ms;
	node_cache_save(n);
}

static void on_announcement(void *arg, const struct announcement *a, const struct endpoint *from,
			    enum discovery_source source)
{
	node_peers_announced(arg, a, from, source);
	node_notify_changed(arg);
}

static void on_goodbye(void *arg, const struct wg_key *key, int64_t timestamp,
		       const struct endpoint *from)
{
	node_peers_goodbye(arg, key, timestamp, from);
	node_notify_changed(arg);
}

static void describe(void *arg, struct announcement *out, bool with_known)
{
	node_self_describe(arg, out, with_known);
}

/* --- starting ------------------------------------------------------------------------------ */

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
	int r = rpc_server_open(&n->rpc, n->base, n->cfg->socket_path, &n->source, &e);

	if (r < 0)
		log_event(EVENT_RPC_OFF, NULL, "`wgmesh peers` will not work: %s: %s", e.msg,
			  strerror(-r));
}

static int open_layers(struct node *n, struct err *e)
{
	struct exchange_config cfg = {
		.port = n->cfg->keys.gossip_port,
		.key = n->cfg->keys.gossip_key,
		.once = n->cfg->no_punching,
		.handler = &n->handler,
	};
	int r;

	n->peers = peers_new(&n->ready.public_key);
	if (!n->peers)
		return err_set(e, -ENOMEM, "make the peer table");
	r = exchange_open(&n->exchange, n->base, &cfg, e);
	if (r < 0)
		return r;
	open_lan(n);
	open_pong(n, 0, &n->ready.mesh_ip);
	open_pong(n, 1, &n->ready.mesh_ip6);
	open_rpc(n);
	return 0;
}

static void log_ready(const struct node *n)
{
	static const struct {
		enum log_event_id event;
		const char *text;
	} origins[] = {
		[IDENTITY_LOADED] = { EVENT_IDENTITY_LOADED, "loaded from the state directory" },
		[IDENTITY_RESTORED] = { EVENT_IDENTITY_RESTORED, "restored from a snapshot" },
		[IDENTITY_CREATED] = { EVENT_IDENTITY_CREATED, "new: this is a first start" },
	};
	char ip[IP_TEXT_SIZE];
	char ip6[IP_TEXT_SIZE];

	log_event(origins[n->ready.origin].event, LOG_FIELDS({ "public_key", n->self.key_text }),
		  "identity %s", origins[n->ready.origin].text);
	log_event(EVENT_INTERFACE_READY,
		  LOG_FIELDS({ "interface", n->cfg->ifname },
			     { "mesh_ip", ip_format(ip, &n->ready.mesh_ip) },
			     { "mesh_ipv6", ip_format(ip6, &n->ready.mesh_ip6) }),
		  "%s %s by %s WireGuard", n->cfg->ifname,
		  n->ready.was_adopted ? "adopted" : "created",
		  n->ready.backend == WG_BACKEND_KERNEL ? "the kernel's" : "userspace");
}

static void on_ready(struct node *n, const struct netadmin_ready *ready, int cache_fd)
{
	static const struct timeval period = { .tv_sec = SAFETY_S };
	struct now now = clock_now();
	struct err e = { 0 };

	if (n->phase != NODE_STARTING)
		return;
	n->ready = *ready;
	n->self.start_ms = now.mono_ms;
	n->self.subnet = n->cfg->has_custom_subnet ? n->cfg->custom_subnet : n->cfg->keys.subnet;
	n->self.prefix6 = n->cfg->keys.prefix6;
	n->cache_saved_ms = now.mono_ms;
	(void)wg_key_format(n->self.key_text, &ready->public_key);
	node_clone_init(n);
	log_ready(n);
	if (open_layers(n, &e) < 0) {
		fail(n, &e);
		return;
	}
	n->phase = NODE_RUNNING;
	if (cache_fd >= 0)
		node_cache_load(n, cache_fd);
	node_request_dump(n);
	(void)event_add(n->safety_timer, &period);
	node_notify_ready(n);
}

/* --- netadmin ------------------------------------------------------------------------------ */

static void on_reply(void *arg, const struct netadmin_reply *r, int fd)
{
	struct node *n = arg;

	switch ((enum netadmin_event)r->event) {
	case NETADMIN_READY:
		on_ready(n, &r->ready, fd);
		break;
	case NETADMIN_FAILED:
		fail(n, &r->error);
		break;
	case NETADMIN_ERROR:
		log_event(EVENT_NETADMIN_FAILED, NULL, "%s: %s", r->error.msg,
			  strerror(-r->error.code));
		break;
	case NETADMIN_PEER_STATE:
		if (n->phase == NODE_RUNNING)
			node_peers_observed(n, &r->peer);
		break;
	case NETADMIN_DUMP_DONE:
		n->dump_pending = false;
		/* Half a report would look as if somebody had removed the other half. */
		if (r->error.code != 0)
			log_event(EVENT_NETADMIN_FAILED, NULL, "%s: %s", r->error.msg,
				  strerror(-r->error.code));
		else if (n->phase == NODE_RUNNING)
			node_peers_dumped(n);
		node_notify_changed(n);
		gather_came(&n->gather, GATHER_NETADMIN);
		break;
	case NETADMIN_ECHOED:
		node_notify_echoed(n);
		break;
	case NETADMIN_STOPPED:
		if (r->error.code != 0)
			log_event(EVENT_NETADMIN_FAILED, NULL, "%s: %s", r->error.msg,
				  strerror(-r->error.code));
		end(n, r->error.code != 0 ? EXITS_SYSTEM : EXITS_OK);
		break;
	}
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
	give_up(n, "netadmin has ended; the interface stays for the next run");
}

/* --- putting it together ------------------------------------------------------------------- */

static int start_netadmin(const struct node *n, struct netadmin *out, struct err *e)
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
		.secret = &c->secret,
		.keys = &c->keys,
	};

	return netadmin_start(out, &cfg, e);
}

static int open_admin(struct node *n, const struct netadmin *admin, struct err *e)
{
	struct adminlink_handler handler = {
		.arg = n, .on_reply = on_reply, .on_idle = on_admin_idle, .on_gone = on_admin_gone
	};

	return adminlink_open(&n->admin, n->base, admin, &handler, e);
}

static int make_events(struct node *n, struct err *e)
{
	n->on_term = evsignal_new(n->base, SIGTERM, on_stop_signal, n);
	n->on_int = evsignal_new(n->base, SIGINT, on_stop_signal, n);
	n->on_quit = evsignal_new(n->base, SIGQUIT, on_stop_signal, n);
	n->on_hup = evsignal_new(n->base, SIGHUP, on_reload_signal, n);
	n->safety_timer = event_new(n->base, -1, EV_PERSIST, on_safety_timer, n);
	n->cache_timer = evtimer_new(n->base, on_cache_timer, n);
	n->stop_timer = evtimer_new(n->base, on_stop_limit, n);
	if (!n->on_term || !n->on_int || !n->on_quit || !n->on_hup || !n->safety_timer ||
	    !n->cache_timer || !n->stop_timer || event_add(n->on_term, NULL) < 0 ||
	    event_add(n->on_int, NULL) < 0 || event_add(n->on_quit, NULL) < 0 ||
	    event_add(n->on_hup, NULL) < 0 || node_notify_init(n) < 0 || node_view_init(n) < 0)
		return err_set(e, -ENOMEM, "make the node's events");
	return 0;
}

static void settle_process(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* A client that hangs up is an error of its connection, not of the node. */
	(void)signal(SIGPIPE, SIG_IGN);
}

static void free_events(struct node *n)
{
	struct event *all[] = { n->on_term,    n->on_int,	n->on_quit,
				n->on_hup,     n->safety_timer, n->cache_timer,
				n->stop_timer, n->beat_timer,	n->status_timer };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i])
			event_free(all[i]);
}

static void close_all(struct node *n)
{
	lan_close(n->lan);
	exchange_close(n->exchange);
	pong_close(n->pong[0]);
	pong_close(n->pong[1]);
	rpc_server_close(n->rpc);
	gather_close(&n->gather);
	adminlink_close(n->admin);
	node_peers_free(n);
	free_events(n);
	if (n->base)
		event_base_free(n->base);
}

static int start(struct node *n, struct err *e)
{
	struct netadmin admin;
	int r;

	n->handler = (struct discovery_handler) {
		.arg = n,
		.describe = describe,
		.on_announcement = on_announcement,
		.on_goodbye = on_goodbye,
	};
	settle_process();
	node_notify_starting(n);
	r = start_netadmin(n, &admin, e);
	if (r < 0)
		return r;
	n->base = event_base_new();
	r = n->base ? open_admin(n, &admin, e) : err_set(e, -ENOMEM, "make the event loop");
	if (r == 0)
		r = make_events(n, e);
	if (r == 0)
		r = caps_keep_only(NULL, 0, e);
	return r;
}

int node_run(const struct config *cfg, struct notify *notify)
{
	static struct node n;
	struct err e = { 0 };

	n.cfg = cfg;
	n.began = clock_now();
	n.advertised = cfg->routes;
	n.notify = notify;
	if (start(&n, &e) < 0)
		fail(&n, &e);
	else
		(void)event_base_dispatch(n.base);
	close_all(&n);
	return n.exit_code;
}

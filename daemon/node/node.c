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
#include "daemon/node/node.h"
#include "common/exits.h"
#include "common/log.h"
#include "daemon/confine/confine.h"
#include "daemon/http/process.h"
#include "daemon/memory.h"
#include "daemon/node/node_impl.h"

#include <errno.h>
#include <event2/util.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define SAFETY_S	 25 /* how old the handshake times in the table may be */
#define STRANGER_GRACE_S 60
#define CACHE_PERIOD_MS	 (5 * 60 * 1000)
/*
 * A kernel may take tens of milliseconds to add or drop a peer, and there may be a thousand. Whoever
 * supervises us gives a stop less time than this, and knows better what is too long.
 */
#define STOP_LIMIT_S 60

void node_end(struct node *n, int exit_code)
{
	if (!n->is_over)
		n->exit_code = exit_code;
	n->is_over = true;
	if (n->base)
		(void)event_base_loopbreak(n->base);
}

void node_fail(struct node *n, const struct err *e)
{
	log_event(EVENT_NODE_FAILED, NULL, "%s: %s", e->msg, strerror(-e->code));
	node_notify_failed(n, -e->code, e->msg);
	node_end(n, e->exit_code ? e->exit_code : EXITS_SYSTEM);
}

void node_give_up(struct node *n, const char *sentence)
{
	log_event(EVENT_NODE_FAILED, NULL, "%s", sentence);
	node_notify_failed(n, 0, sentence);
	node_end(n, EXITS_SYSTEM);
}

/* --- stopping ------------------------------------------------------------------------------ */

static void begin_stop(struct node *n)
{
	static const struct timeval limit = { .tv_sec = STOP_LIMIT_S };
	struct netadmin_request req = { .op = NETADMIN_STOP, .http_made = http_sockets(n->http) };

	if (n->phase == NODE_STOPPING)
		return;
	log_event(EVENT_NODE_STOPPING, NULL, "stopping: saying goodbye and deleting %s",
		  n->cfg->ifname);
	node_notify_stopping(n);
	if (n->phase == NODE_RUNNING) {
		node_layers_hush(n);
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
	struct err e = { 0 };

	(void)fd;
	(void)what;
	if (node_reload_begin(arg, &e) < 0)
		log_event(EVENT_RELOAD_REFUSED, NULL, "SIGHUP: %s", e.msg);
}

static void on_stop_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	node_give_up(arg, "netadmin did not delete the interface in time");
}

/* --- running ------------------------------------------------------------------------------- */

static void on_safety_timer(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;
	struct now now = clock_now();

	(void)fd;
	(void)what;
	if (n->phase != NODE_RUNNING)
		return;
	if (n->sweep_strangers && n->is_settled && !n->routes_swept) {
		n->routes_swept = true;
		node_routes_sweep(n);
	}
	n->sweep_strangers = now.mono_ms - n->self.start_ms > STRANGER_GRACE_S * 1000;
	node_request_dump(n);
	node_view_judge(n);
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
	n->cache_due_ms = 0;
	node_cache_save(n);
}

/* --- starting ------------------------------------------------------------------------------ */

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

void node_ready(struct node *n, const struct netadmin_ready *ready, int cache_fd)
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
	if (node_layers_open(n, &e) < 0) {
		node_fail(n, &e);
		return;
	}
	n->phase = NODE_RUNNING;
	node_forward_ask(n);
	if (cache_fd >= 0)
		node_cache_load(n, cache_fd);
	node_clock_open(n);
	node_request_dump(n);
	(void)event_add(n->safety_timer, &period);
	node_notify_ready(n);
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;

	(void)fd;
	(void)what;
	if (n->phase == NODE_RUNNING)
		node_peers_flush(n);
}

static int make_events(struct node *n, struct err *e)
{
	n->on_term = evsignal_new(n->base, SIGTERM, on_stop_signal, n);
	n->on_int = evsignal_new(n->base, SIGINT, on_stop_signal, n);
	n->on_quit = evsignal_new(n->base, SIGQUIT, on_stop_signal, n);
	n->on_hup = evsignal_new(n->base, SIGHUP, on_reload_signal, n);
	n->safety_timer = event_new(n->base, -1, EV_PERSIST, on_safety_timer, n);
	n->cache_timer = evtimer_new(n->base, on_cache_timer, n);
	n->flush_event = event_new(n->base, -1, 0, on_flush, n);
	n->stop_timer = evtimer_new(n->base, on_stop_limit, n);
	if (!n->on_term || !n->on_int || !n->on_quit || !n->on_hup || !n->safety_timer ||
	    !n->cache_timer || !n->stop_timer || !n->flush_event ||
	    event_add(n->on_term, NULL) < 0 || event_add(n->on_int, NULL) < 0 ||
	    event_add(n->on_quit, NULL) < 0 || event_add(n->on_hup, NULL) < 0 ||
	    node_notify_init(n) < 0 || node_view_init(n) < 0)
		return err_set(e, -ENOMEM, "make the node's events");
	return 0;
}

static void settle_process(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* A client that hangs up is an error of its connection, not of the node. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* Before netadmin is forked: it is the same there. */
	memory_settle();
}

static void free_events(struct node *n)
{
	struct event *all[] = { n->on_term,	 n->on_int,	 n->on_quit,	n->on_hup,
				n->safety_timer, n->cache_timer, n->stop_timer, n->beat_timer,
				n->status_timer, n->flush_event };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i])
			event_free(all[i]);
}

void node_close(struct node *n)
{
	node_layers_close(n);
	resolver_close(n->resolver);
	rpc_server_close(n->rpc);
	http_close(n->http);
	node_view_close(n);
	node_clock_close(n);
	adminlink_close(n->admin);
	node_peers_free(n);
	free_events(n);
	if (n->control_fd >= 0)
		(void)close(n->control_fd);
	if (n->base)
		event_base_free(n->base);
}

/* Probes and scrapes have their answers while netadmin still sets up. */
static int open_http(struct node *n, struct err *e)
{
	const struct http_config cfg = {
		.at = &n->cfg->http,
		.hostname = n->cfg->hostname,
		.n_peers = n->cfg->metrics_peers,
		.from = &n->source,
	};

	return http_open(&n->http, n->base, &cfg, e);
}

/* Reads the machine's configuration of DNS while files can still be opened. */
static void open_resolver(struct node *n)
{
	struct err e = { 0 };

	if (resolver_open(&n->resolver, n->base, &e) < 0)
		log_event(EVENT_DNS_OFF, NULL, "no name can be looked up: %s: %s", e.msg,
			  strerror(-e.code));
}

static void log_confinement(const struct confinement *c)
{
	const char *missing = confine_describe(c);
	char version[12];

	(void)snprintf(version, sizeof(version), "%d", c->landlock);
	if (missing)
		log_event(EVENT_CONFINED_PARTLY, NULL, "%s", missing);
	else
		log_event(
			EVENT_CONFINED, LOG_FIELDS({ "landlock", version }),
			"the mesh process can open no file, start nothing and reach no other process");
}

/* Until here files could be opened; what reads one lazily reads it now. */
static int lay_down_rights(struct node *n, struct err *e)
{
	uint16_t ports[HTTP_ADDRESSES_MAX + 1];
	size_t total = 0;
	int r;

	process_open();
	tzset();
	(void)evutil_secure_rng_init();
	ports[total++] = (uint16_t)(n->cfg->keys.gossip_port + DERIVE_PROBE_OFFSET);
	for (size_t i = 0; i < n->cfg->http.n; i++)
		if (n->cfg->http.list[i].path[0] == '\0')
			ports[total++] = n->cfg->http.list[i].at.port;
	r = confine(&n->confinement, ports, total, e);
	if (r == 0)
		log_confinement(&n->confinement);
	return r;
}

int node_open(struct node *n, const struct config *cfg, struct notify *notify, struct err *e)
{
	struct netadmin admin;
	int r;

	n->cfg = cfg;
	n->control_fd = -1;
	n->clock_fd = -1;
	n->began = clock_now();
	n->advertised = cfg->routes;
	n->static_peers = cfg->peers;
	n->dns_peers = cfg->peer_dns;
	n->notify = notify;
	node_notify_starting(n);
	r = node_admin_start(n, &admin, e);
	if (r < 0)
		return r;
	n->base = event_base_new();
	r = n->base ? node_admin_open(n, &admin, e) : err_set(e, -ENOMEM, "make the event loop");
	if (r == 0)
		r = make_events(n, e);
	if (r == 0)
		r = open_http(n, e);
	if (r == 0)
		open_resolver(n);
	return r;
}

int node_run(const struct config *cfg, struct notify *notify)
{
	static struct node n;
	struct err e = { 0 };

	settle_process();
	if (node_open(&n, cfg, notify, &e) < 0 || lay_down_rights(&n, &e) < 0)
		node_fail(&n, &e);
	else
		(void)event_base_dispatch(n.base);
	node_close(&n);
	return n.exit_code;
}

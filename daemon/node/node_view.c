/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A view is made when somebody asks, and only then netadmin is asked for a dump and PID 1 for its
 * lines: an idle node stays asleep. What the node knows by itself is filled in at any time.
 */
#include "common/defs.h"
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <errno.h>
#include <string.h>

#define NETWORK_ID_SHOWN 8

static const char *identity_name(uint32_t origin)
{
	static const char *const names[] = {
		[IDENTITY_LOADED] = "loaded",
		[IDENTITY_RESTORED] = "restored",
		[IDENTITY_CREATED] = "created",
	};

	return names[origin];
}

/* What netadmin told when it was ready. */
static void fill_ready(const struct node *n, struct view *out)
{
	memcpy(out->pubkey, n->self.key_text, sizeof(out->pubkey));
	out->mesh_ip = n->ready.mesh_ip;
	out->mesh_ip6 = n->ready.mesh_ip6;
	out->backend = n->ready.backend == WG_BACKEND_KERNEL ? "kernel" : "userspace";
	out->was_adopted = n->ready.was_adopted;
	out->identity = identity_name(n->ready.origin);
	out->identity_since_s = n->ready.identity_s;
	out->peers = n->peers;
}

static enum view_phase phase_of(const struct node *n)
{
	static const enum view_phase phases[] = { [NODE_STARTING] = VIEW_STARTING,
						  [NODE_RUNNING] = VIEW_RUNNING,
						  [NODE_STOPPING] = VIEW_STOPPING };

	return phases[n->phase];
}

static void fill_mesh(const struct node *n, struct view *out)
{
	const struct config *c = n->cfg;

	out->hostname = c->hostname;
	out->ifname = c->ifname;
	out->mesh_subnet = c->has_custom_subnet ? c->custom_subnet : c->keys.subnet;
	crypto_hex(out->network_id, sizeof(out->network_id), c->keys.network_id, NETWORK_ID_SHOWN);
	out->gossip_port = c->keys.gossip_port;
	out->listen_port = c->listen_port;
	out->backend = "";
	out->identity = "";
	if (n->peers)
		fill_ready(n, out);
}

/* Our WireGuard's endpoints; while none is known, where others see our exchange. */
static void fill_endpoints(const struct node *n, struct view *out)
{
	const struct hostaddrs *host = &n->nat.host;
	struct ip ips[HOSTADDRS_MAX];
	struct ownaddr_local local = { .ip = ips, .port = out->gossip_port };

	node_nat_fill(n, out);
	if (n->ownaddr.n == 0 || out->n_endpoints > 0)
		return;
	for (; local.n < host->n; local.n++)
		ips[local.n] = host->at[local.n].net.ip;
	out->n_endpoints = ownaddr_list(&n->ownaddr, &local, out->now.mono_ms, out->endpoints);
}

static void fill_counters(struct node *n, struct view *out)
{
	n->counters.log_dropped = log_dropped() + n->admin_log.dropped;
	n->counters.log_suppressed = log_suppressed() + n->admin_log.suppressed;
	n->counters.clients_evicted = rpc_server_evicted(n->rpc) + http_evicted(n->http);
	out->counters = &n->counters;
	out->reconcile_s = &n->reconcile_s;
	out->rtt_s = &n->rtt_s;
}

/* --- checks and alarms ----------------------------------------------------------------------- */

static void on_alarm(void *arg, const char *name, const struct view_alarm *a)
{
	(void)arg;
	/* These are told of where they are found, and with more. */
	if (strcmp(name, "clone") == 0 || (strcmp(name, "address") == 0 && a))
		return;
	if (a)
		log_event(EVENT_ALARM_RAISED, LOG_FIELDS({ "alarm", name }), "%s", a->text);
	else
		log_event(EVENT_ALARM_ENDED, LOG_FIELDS({ "alarm", name }), "alarm is over: %s",
			  name);
}

/* Where no peer's packets can come from, unless something rewrites them. */
static struct rewritten look_for_rewritten(const struct node *n, struct now now)
{
	const struct underlay *u = underlaywatch_get(n->underlay);
	struct ip ours[HOSTADDRS_MAX + UNDERLAY_GATEWAYS_MAX];
	size_t total = 0;

	if (!n->peers)
		return (struct rewritten) { 0 };
	for (size_t i = 0; i < n->nat.host.n; i++)
		ours[total++] = n->nat.host.at[i].net.ip;
	for (size_t i = 0; u && i < u->n_gateways; i++)
		ours[total++] = u->gateway[i];
	return rewritten_look(n->peers, ours, total, &n->nat.own.v4.ip, now);
}

/* What PID 1 told last holds until it tells otherwise: an alarm is not over because it is silent. */
static void fill_judgement(struct node *n, struct view *out)
{
	const struct judge_teller teller = { .arg = n, .tell = on_alarm };
	const struct judge_facts facts = {
		.view = out,
		.owed_ms = n->owed_since_ms == 0 ? 0 : out->now.mono_ms - n->owed_since_ms,
		.interface = ifwatch_state(n->ifwatch),
		.state_dir = n->cfg->state_dir,
		.write = { n->was_saved, n->save_error.code, n->save_error.msg },
		.supervisor = n->pid1.state,
		.http_trouble = http_trouble(n->http),
		.clone_place = n->clone.is_on ? n->clone_place : NULL,
		.contested = n->collision.is_on ? n->contested : NULL,
		.stale = n->stale,
		.confinement = &n->confinement,
		.rewritten = look_for_rewritten(n, out->now),
		.is_holding = n->self.hold_until_ms > out->now.mono_ms,
		.was_heard = n->was_heard,
		.has_lan = n->lan != NULL,
	};

	out->supervisor = supervisor_last(&n->pid1);
	out->n_checks = judge_checks(&facts, out->checks);
	out->n_alarms = judge_alarms(&facts, out->alarms);
	out->supervisor = supervisor_text(&n->pid1);
	judge_follow(&n->alarms, out->alarms, out->n_alarms, out->now.unix_s, &teller);
}

static void fill(void *arg, struct view *out)
{
	struct node *n = arg;

	memset(out, 0, sizeof(*out));
	if (!n->gather.is_running)
		supervisor_late(&n->pid1);
	out->phase = phase_of(n);
	out->now = clock_now();
	out->started_unix_s = n->began.unix_s;
	out->uptime_ms = out->now.mono_ms - n->began.mono_ms;
	if (n->reload_pending)
		out->reload_note = "the file has not been read yet: its disk is slow or hangs";
	else if (n->reload_note[0] != '\0')
		out->reload_note = n->reload_note;
	fill_mesh(n, out);
	fill_endpoints(n, out);
	node_ways_describe(n, out);
	node_dht_describe(n, out);
	node_nat_describe(n, out);
	out->clock_behind_s = clockback_behind(&n->clockback, out->now);
	fill_counters(n, out);
	fill_judgement(n, out);
}

void node_view_judge(struct node *n)
{
	struct view view;

	node_clone_settle(n);
	(void)collision_is_over(&n->collision, clock_now().mono_ms);
	fill(n, &view);
}

/* --- asking ---------------------------------------------------------------------------------- */

static void on_supervisor(void *arg)
{
	struct node *n = arg;

	gather_came(&n->gather, GATHER_SUPERVISOR);
}

static unsigned int begin(void *arg)
{
	struct node *n = arg;

	supervisor_ask(&n->pid1);
	if (n->phase != NODE_RUNNING)
		return GATHER_SUPERVISOR;
	node_request_dump(n);
	return GATHER_SUPERVISOR | GATHER_NETADMIN | (n->reload_pending ? GATHER_RELOAD : 0U);
}

static void fresh(void *arg, struct view_waiter *w)
{
	struct node *n = arg;

	gather_ask(&n->gather, w);
}

static void cancel(void *arg, struct view_waiter *w)
{
	struct node *n = arg;

	gather_cancel(&n->gather, w);
}

static int set_log_levels(void *arg, const char *levels, struct err *e)
{
	return node_log_levels(arg, levels, e);
}

static int reload(void *arg, struct err *e)
{
	return node_reload_begin(arg, e);
}

int node_view_init(struct node *n)
{
	/* Those of existing nodes' metrics (protocol.md section 15). */
	static const double reconcile_bounds[] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
						   0.5,	  1,	2.5,   5,    10 };
	static const double rtt_bounds[] = { 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1 };
	const struct gather_handler h = { .arg = n, .begin = begin, .fill = fill };
	const struct supervisor_handler pid1 = { .arg = n, .done = on_supervisor };

	n->reconcile_s.bounds = reconcile_bounds;
	n->reconcile_s.n_bounds = ARRAY_LEN(reconcile_bounds);
	n->rtt_s.bounds = rtt_bounds;
	n->rtt_s.n_bounds = ARRAY_LEN(rtt_bounds);
	n->source = (struct view_source) {
		.arg = n,
		.now = fill,
		.fresh = fresh,
		.cancel = cancel,
		.set_log_levels = set_log_levels,
		.reload = reload,
	};
	if (supervisor_init(&n->pid1, n->base, n->notify && n->notify->is_init ? n->notify->fd : -1,
			    &pid1) < 0)
		return -ENOMEM;
	return gather_open(&n->gather, n->base, &h);
}

void node_view_close(struct node *n)
{
	gather_close(&n->gather);
	supervisor_close(&n->pid1);
}

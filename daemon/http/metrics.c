/* SPDX-License-Identifier: MIT */
#include "daemon/http/metrics.h"
#include "common/defs.h"
#include "common/statusline.h"
#include "common/str.h"
#include "daemon/dht/dhtcore.h"
#include "daemon/http/metrics_writer.h"
#include "daemon/peers/peerpath.h"
#include "daemon/view/viewjson.h"

#include <stdlib.h>
#include <string.h>

#define OPENMETRICS   "application/openmetrics-text"
#define KEY_LABEL_LEN 8 /* as existing nodes cut it */
#define VALUE_SIZE    80
#define US_PER_S      1e6
#define MS_PER_S      1e3

enum metrics_form metrics_choose_form(const char *accept)
{
	const char *p = accept ? strcasestr(accept, OPENMETRICS) : NULL;
	const char *q;

	if (!p)
		return METRICS_PROMETHEUS;
	/* "q=0", "q=0.0": asked for not to be sent (RFC 9110 section 12.4.2). */
	p += strlen(OPENMETRICS);
	q = strcasestr(p, "q=");
	if (q && q < p + strcspn(p, ",") && strtod(q + 2, NULL) <= 0)
		return METRICS_PROMETHEUS;
	return METRICS_OPENMETRICS;
}

const char *metrics_content_type(enum metrics_form form)
{
	return form == METRICS_OPENMETRICS ? OPENMETRICS "; version=1.0.0; charset=utf-8"
					   : "text/plain; version=0.0.4; charset=utf-8";
}

/* One sample for each value in the table, 1 for that which holds; one that is not there is added. */
static void put_states(struct metrics_writer *w, enum metric_id id, const char *label,
		       const char *now)
{
	char value[METRIC_VALUE_SIZE];
	const char *pos = NULL;
	bool is_known = false;

	while (metric_next_value(id, label, &pos, value)) {
		bool holds = strcmp(value, now) == 0;

		is_known |= holds;
		metrics_count(w, id, METRIC_LABELS({ label, value }), holds);
	}
	if (!is_known)
		metrics_count(w, id, METRIC_LABELS({ label, now }), 1);
}

/* --- the node -------------------------------------------------------------------------------- */

static void put_identity(struct metrics_writer *w, const struct view *v)
{
	char ip[IP_TEXT_SIZE];
	char ip6[IP_TEXT_SIZE];

	metrics_count(w, METRIC_BUILD_INFO, METRIC_LABELS({ "version", WGMESH_VERSION }), 1);
	metrics_count(w, METRIC_NODE_INFO,
		      METRIC_LABELS({ "interface", v->ifname }, { "hostname", v->hostname },
				    { "mesh_ip", ip_format(ip, &v->mesh_ip) },
				    { "mesh_ipv6", ip_format(ip6, &v->mesh_ip6) },
				    { "public_key", v->pubkey }, { "backend", v->backend },
				    { "identity", v->identity }, { "network_id", v->network_id }),
		      1);
}

static void put_phase(struct metrics_writer *w, const struct view *v)
{
	static const char *const phases[] = { [VIEW_STARTING] = "starting",
					      [VIEW_RUNNING] = "running",
					      [VIEW_STOPPING] = "stopping" };

	put_states(w, METRIC_UP, "phase", phases[v->phase]);
	metrics_count(w, METRIC_READY, NULL, view_is_ready(v));
}

static void put_checks(struct metrics_writer *w, const struct view *v)
{
	for (size_t i = 0; i < v->n_checks; i++)
		for (int mark = VIEW_PASS; mark <= VIEW_FAIL; mark++)
			metrics_count(
				w, METRIC_CHECK,
				METRIC_LABELS({ "name", v->checks[i].name },
					      { "mark", view_mark_name((enum view_mark)mark) }),
				v->checks[i].mark == (enum view_mark)mark);
}

static bool has_alarm(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->n_alarms; i++)
		if (strcmp(v->alarms[i].name, name) == 0)
			return true;
	return false;
}

static bool is_listed(enum metric_id id, const char *label, const char *value)
{
	char listed[METRIC_VALUE_SIZE];
	const char *pos = NULL;

	while (metric_next_value(id, label, &pos, listed))
		if (strcmp(listed, value) == 0)
			return true;
	return false;
}

/* A series for each alarm that there could be, so that a rule for it works before its first time. */
static void put_alarms(struct metrics_writer *w, const struct view *v)
{
	char name[METRIC_VALUE_SIZE];
	const char *pos = NULL;

	while (metric_next_value(METRIC_ALARM, "name", &pos, name))
		metrics_count(w, METRIC_ALARM, METRIC_LABELS({ "name", name }), has_alarm(v, name));
	for (size_t i = 0; i < v->n_alarms; i++)
		if (!is_listed(METRIC_ALARM, "name", v->alarms[i].name))
			metrics_count(w, METRIC_ALARM, METRIC_LABELS({ "name", v->alarms[i].name }),
				      1);
}

static void put_times(struct metrics_writer *w, const struct view *v)
{
	metrics_value(w, METRIC_UPTIME, NULL, (double)v->uptime_ms / MS_PER_S);
	if (v->identity_since_s != 0)
		metrics_value(w, METRIC_IDENTITY_SINCE, NULL, (double)v->identity_since_s);
}

static void put_mesh(struct metrics_writer *w, const struct view *v)
{
	struct viewjson_counts c = viewjson_count(v);

	metrics_count(w, METRIC_ACTIVE_PEERS, NULL, (uint64_t)c.active);
	metrics_count(w, METRIC_KNOWN_PEERS, NULL, (uint64_t)c.total);
	metrics_count(w, METRIC_RELAYED_PEERS, NULL, (uint64_t)c.relayed);
	metrics_count(w, METRIC_PEERS, METRIC_LABELS({ "path", "direct" }), (uint64_t)c.direct);
	metrics_count(w, METRIC_PEERS, METRIC_LABELS({ "path", "relayed" }), (uint64_t)c.relayed);
	metrics_count(w, METRIC_PEERS, METRIC_LABELS({ "path", "none" }),
		      (uint64_t)(c.total - c.direct - c.relayed));
	put_states(w, METRIC_NAT_TYPE, "type", view_nat_name(v->nat));
}

/* --- counters -------------------------------------------------------------------------------- */

static void put_prospects(struct metrics_writer *w, const struct view_counters *c)
{
	static const enum peer_method ways[] = { METHOD_STATIC, METHOD_DNS, METHOD_MAINLINE,
						 METHOD_TRANSITIVE };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		metrics_count(w, METRIC_PROSPECTS_TRIED,
			      METRIC_LABELS({ "via", peer_method_name(ways[i]) }),
			      c->prospects_tried[__builtin_ctz(ways[i])]);
}

static void put_dht(struct metrics_writer *w, const struct dhtcore_status *s)
{
	static const char *const families[] = { [DHT_IPV4] = "ipv4", [DHT_IPV6] = "ipv6" };

	for (size_t i = 0; i < DHT_FAMILIES; i++)
		metrics_value(w, METRIC_DHT_NODES, METRIC_LABELS({ "family", families[i] }),
			      (double)s->nodes[i]);
	for (size_t i = 0; i < DHT_FATES; i++) {
		enum dhtcore_fate fate = (enum dhtcore_fate)i;

		metrics_count(w, METRIC_DHT_MESSAGES,
			      METRIC_LABELS({ "direction", dhtcore_fate_direction(fate) },
					    { "fate", dhtcore_fate_name(fate) }),
			      s->fates[i]);
	}
}

static void put_datagrams(struct metrics_writer *w, const struct view *v)
{
	const struct view_counters *c = v->counters;

	for (unsigned int bit = 0; bit < METHOD_COUNT; bit++)
		metrics_count(
			w, METRIC_DISCOVERY_EVENTS,
			METRIC_LABELS({ "layer", peer_method_name((enum peer_method)(1U << bit)) }),
			c->sightings[bit]);
	put_prospects(w, c);
	for (size_t i = 0; i < FATE_COUNT; i++)
		metrics_count(w, METRIC_DATAGRAMS,
			      METRIC_LABELS({ "fate", view_fate_name((enum view_fate)i) }),
			      c->datagrams[i]);
	metrics_count(w, METRIC_DATAGRAMS_SENT, METRIC_LABELS({ "kind", "hello" }), c->hellos_sent);
	metrics_count(w, METRIC_DATAGRAMS_SENT, METRIC_LABELS({ "kind", "reply" }),
		      c->replies_sent);
	metrics_count(w, METRIC_NAT_ATTEMPTS, METRIC_LABELS({ "method", "hello" }), c->hellos_sent);
	metrics_count(w, METRIC_NAT_ATTEMPTS, METRIC_LABELS({ "method", "rendezvous" }),
		      c->punches);
	if (v->rtt_s)
		metrics_count(w, METRIC_NAT_SUCCESSES, METRIC_LABELS({ "method", "hello" }),
			      v->rtt_s->n);
	metrics_count(w, METRIC_NAT_SUCCESSES, METRIC_LABELS({ "method", "rendezvous" }),
		      c->punches_done);
	metrics_count(w, METRIC_PATH_CHANGES, NULL, c->path_changes);
	for (size_t i = 0; i < VIEW_STUN_COUNT; i++)
		metrics_count(w, METRIC_STUN_REQUESTS,
			      METRIC_LABELS({ "result", view_stun_name((enum view_stun)i) }),
			      c->stun[i]);
}

static void put_writes(struct metrics_writer *w, const struct view_counters *c)
{
	metrics_count(w, METRIC_RECONCILE_PASSES, METRIC_LABELS({ "result", "changed" }),
		      c->passes_changed);
	metrics_count(w, METRIC_RECONCILE_PASSES, METRIC_LABELS({ "result", "noop" }),
		      c->passes_noop);
	metrics_count(w, METRIC_NETLINK_WRITES, METRIC_LABELS({ "kind", "peer" }), c->peer_writes);
	metrics_count(w, METRIC_NETLINK_WRITES, METRIC_LABELS({ "kind", "route" }),
		      c->route_writes);
	metrics_count(w, METRIC_NETLINK_ERRORS, NULL, c->write_errors);
	for (int i = 0; i < NLCOUNT_KINDS; i++)
		metrics_count(w, METRIC_NETLINK_MESSAGES,
			      METRIC_LABELS({ "kind", nlcount_name((enum nlcount_kind)i) }),
			      c->messages.n[i]);
	metrics_count(w, METRIC_LOG_LOST, METRIC_LABELS({ "reason", "no_room" }), c->log_dropped);
	metrics_count(w, METRIC_LOG_LOST, METRIC_LABELS({ "reason", "rate_limit" }),
		      c->log_suppressed);
	metrics_count(w, METRIC_CLIENTS_EVICTED, NULL, c->clients_evicted);
}

static void put_counters(struct metrics_writer *w, const struct view *v)
{
	if (v->dht)
		put_dht(w, v->dht);
	if (v->counters)
		put_datagrams(w, v);
	if (v->rtt_s)
		metrics_histogram(w, METRIC_PROBE_RTT, v->rtt_s);
	if (v->reconcile_s)
		metrics_histogram(w, METRIC_RECONCILE_DURATION, v->reconcile_s);
	if (v->counters)
		put_writes(w, v->counters);
}

/* --- what PID 1 says ------------------------------------------------------------------------- */

static void put_supervisor_state(struct metrics_writer *w, enum metric_id id, const char *label,
				 const char *lines, const char *key)
{
	char value[VALUE_SIZE];

	if (statusline_value(lines, key, value, sizeof(value)))
		put_states(w, id, label, value);
}

static void put_number(struct metrics_writer *w, enum metric_id id, const char *lines,
		       const char *key)
{
	char value[VALUE_SIZE];
	uint64_t n = 0;

	if (statusline_value(lines, key, value, sizeof(value)) &&
	    str_parse_u64(&n, value, 0, UINT64_MAX) == 0)
		metrics_count(w, id, NULL, n);
}

static void put_supervisor(struct metrics_writer *w, const char *lines)
{
	char value[VALUE_SIZE];

	metrics_count(w, METRIC_SUPERVISOR_UP, NULL, lines != NULL);
	if (!lines)
		return;
	if (statusline_value(lines, "healthy", value, sizeof(value)))
		metrics_count(w, METRIC_SUPERVISOR_HEALTHY, NULL, strcmp(value, "true") == 0);
	put_number(w, METRIC_SUPERVISOR_UPTIME, lines, "uptime_s");
	put_supervisor_state(w, METRIC_PERSISTENCE_VERDICT, "verdict", lines, "verdict");
	put_supervisor_state(w, METRIC_PERSISTENCE_PROOF, "proof", lines, "proof");
	put_supervisor_state(w, METRIC_STORAGE_STATE, "state", lines, "storage");
	put_number(w, METRIC_BOOTS, lines, "boots");
	put_number(w, METRIC_RESTARTS, lines, "restarts");
	put_number(w, METRIC_FAILURES, lines, "failures");
	put_number(w, METRIC_LAST_EXIT, lines, "last_exit");
}

/* --- single peers ---------------------------------------------------------------------------- */

/* A peer with series of its own, and their label. */
struct shown {
	const struct peer *peer;
	char key[PEER_TEXT_SIZE];
};

/**
 * struct peer_samples - Peers as samples
 * @view:	The node
 * @shown:	Peers with series of their own
 * @n:		Entries in @shown
 * @rx_bytes:	Sum of the others
 * @tx_bytes:	Sum of the others
 * @paths:	How many of the others are reached in each way
 */
struct peer_samples {
	const struct view *view;
	struct shown *shown;
	size_t n;
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint64_t paths[PATH_NONE + 1];
};

static void label_peer(struct shown *out, const struct peer *p, struct peers *all)
{
	size_t len = KEY_LABEL_LEN;
	const struct peer *q = peers_next(all, NULL);

	while (q && len < PEER_TEXT_SIZE - 1)
		if (q != p && strncmp(q->key_text, p->key_text, len) == 0)
			len++;
		else
			q = peers_next(all, q);
	out->peer = p;
	str_cut(out->key, sizeof(out->key), p->key_text, len);
}

static enum peerpath path_of(const struct view *v, const struct peer *p)
{
	char why[PEERPATH_WHY_SIZE];

	return peerpath_judge(p, v->now, why);
}

static void sort_peers(struct peer_samples *s, size_t max)
{
	struct peers *all = s->view->peers;

	s->shown = max > 0 ? calloc(max, sizeof(s->shown[0])) : NULL;
	for (const struct peer *p = peers_next(all, NULL); p; p = peers_next(all, p)) {
		if (s->shown && s->n < max) {
			label_peer(&s->shown[s->n++], p, all);
			continue;
		}
		s->rx_bytes += p->rx_bytes;
		s->tx_bytes += p->tx_bytes;
		s->paths[path_of(s->view, p)]++;
	}
}

static void put_peer_states(struct metrics_writer *w, const struct peer_samples *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct known_peer *who = &s->shown[i].peer->info;
		char ip[IP_TEXT_SIZE];

		metrics_count(w, METRIC_PEER_INFO,
			      METRIC_LABELS({ "peer_key", s->shown[i].key },
					    { "hostname", who->hostname },
					    { "mesh_ip", ip_format(ip, &who->mesh_ip) }),
			      1);
	}
	for (size_t i = 0; i < s->n; i++) {
		int64_t age_s = s->view->now.unix_s - s->shown[i].peer->handshake_s;

		if (s->shown[i].peer->handshake_s != 0)
			metrics_value(w, METRIC_PEER_HANDSHAKE_AGE,
				      METRIC_LABELS({ "peer_key", s->shown[i].key }),
				      age_s > 0 ? (double)age_s : 0);
	}
}

static void put_peer_bytes(struct metrics_writer *w, const struct peer_samples *s)
{
	for (size_t i = 0; i < s->n; i++)
		metrics_count(w, METRIC_PEER_RECEIVED,
			      METRIC_LABELS({ "peer_key", s->shown[i].key }),
			      s->shown[i].peer->rx_bytes);
	metrics_count(w, METRIC_PEER_RECEIVED, METRIC_LABELS({ "peer_key", "other" }), s->rx_bytes);
	for (size_t i = 0; i < s->n; i++)
		metrics_count(w, METRIC_PEER_SENT, METRIC_LABELS({ "peer_key", s->shown[i].key }),
			      s->shown[i].peer->tx_bytes);
	metrics_count(w, METRIC_PEER_SENT, METRIC_LABELS({ "peer_key", "other" }), s->tx_bytes);
}

static void put_peer_paths(struct metrics_writer *w, const struct peer_samples *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->shown[i].peer->rtt_us > 0)
			metrics_value(w, METRIC_PEER_RTT,
				      METRIC_LABELS({ "peer_key", s->shown[i].key }),
				      (double)s->shown[i].peer->rtt_us / US_PER_S);
	for (size_t i = 0; i <= s->n; i++)
		for (int path = PATH_DIRECT; path <= PATH_NONE; path++) {
			bool is_one = i < s->n;
			enum peerpath now = is_one ? path_of(s->view, s->shown[i].peer) : PATH_NONE;

			metrics_count(
				w, METRIC_PEER_PATH,
				METRIC_LABELS({ "peer_key", is_one ? s->shown[i].key : "other" },
					      { "path", peerpath_name((enum peerpath)path) }),
				is_one ? (int)now == path : s->paths[path]);
		}
}

static void put_peers(struct metrics_writer *w, const struct view *v, size_t max)
{
	struct peer_samples s = { .view = v };

	if (!v->peers)
		return;
	sort_peers(&s, max);
	put_peer_states(w, &s);
	put_peer_bytes(w, &s);
	put_peer_paths(w, &s);
	free(s.shown);
}

/* --- this process ---------------------------------------------------------------------------- */

static void put_process(struct metrics_writer *w, const struct process_facts *p)
{
	if (p->cpu_s >= 0)
		metrics_value(w, METRIC_PROCESS_CPU, NULL, p->cpu_s);
	if (p->resident_bytes >= 0)
		metrics_count(w, METRIC_PROCESS_RESIDENT, NULL, (uint64_t)p->resident_bytes);
	if (p->virtual_bytes >= 0)
		metrics_count(w, METRIC_PROCESS_VIRTUAL, NULL, (uint64_t)p->virtual_bytes);
	if (p->open_fds >= 0)
		metrics_count(w, METRIC_PROCESS_OPEN_FDS, NULL, (uint64_t)p->open_fds);
	if (p->max_fds >= 0)
		metrics_count(w, METRIC_PROCESS_MAX_FDS, NULL, (uint64_t)p->max_fds);
	if (p->start_unix_s >= 0)
		metrics_value(w, METRIC_PROCESS_START, NULL, p->start_unix_s);
}

void metrics_render(FILE *out, const struct metrics_source *from, enum metrics_form form)
{
	const struct view *v = from->view;
	struct metrics_writer w;

	metrics_begin(&w, out, form);
	put_identity(&w, v);
	put_phase(&w, v);
	put_checks(&w, v);
	put_alarms(&w, v);
	metrics_count(&w, METRIC_CLOCK_BEHIND, NULL, (uint64_t)v->clock_behind_s);
	put_times(&w, v);
	put_mesh(&w, v);
	put_counters(&w, v);
	put_supervisor(&w, v->supervisor);
	put_peers(&w, v, from->n_peers);
	put_process(&w, from->process);
	metrics_end(&w);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/view/viewjson.h"
#include "common/defs.h"
#include "common/statusline.h"
#include "common/str.h"
#include "daemon/peers/peerpath.h"
#include "daemon/peers/routejudge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000
#define US_PER_MS 1000

static void put(json_t *obj, const char *name, json_t *value)
{
	(void)json_object_set_new(obj, name, value);
}

/* Paths and host names of others need not be UTF-8, and JSON has to be. */
static json_t *text_json(const char *text)
{
	json_t *whole = json_string(text);
	auto_free char *copy = whole ? NULL : strdup(text);

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c > 0x7e)
			*c = '?';
	return copy ? json_string(copy) : whole;
}

static void put_text(json_t *obj, const char *name, const char *text)
{
	if (text && text[0] != '\0')
		put(obj, name, text_json(text));
}

static void put_int(json_t *obj, const char *name, int64_t number)
{
	put(obj, name, json_integer(number));
}

static void put_count(json_t *obj, const char *name, uint64_t number)
{
	put(obj, name, json_integer((json_int_t)(number & INT64_MAX)));
}

static void put_ip(json_t *obj, const char *name, const struct ip *ip)
{
	char text[IP_TEXT_SIZE];

	if (ip->family != 0)
		put_text(obj, name, ip_format(text, ip));
}

static void put_time(json_t *obj, const char *name, int64_t unix_s)
{
	char utc[STR_UTC_SIZE];
	char text[STR_UTC_SIZE + 1];

	str_utc(utc, unix_s > 0 ? (uint64_t)unix_s : 0);
	(void)snprintf(text, sizeof(text), "%sZ", utc);
	put_text(obj, name, text);
}

/* --- a peer ---------------------------------------------------------------------------------- */

static json_t *method_names(const struct peer *p)
{
	json_t *list = json_array();

	for (unsigned int bit = 0; bit < METHOD_COUNT; bit++)
		if (p->methods & 1U << bit)
			(void)json_array_append_new(
				list, json_string(peer_method_name((enum peer_method)(1U << bit))));
	return list;
}

static void put_routes(json_t *obj, const struct peer *p)
{
	char text[PREFIX_TEXT_SIZE];
	json_t *list = p->n_routes > 0 ? json_array() : NULL;

	for (size_t i = 0; i < p->n_routes; i++)
		(void)json_array_append_new(list, json_string(prefix_format(text, &p->routes[i])));
	if (list)
		put(obj, "routable_networks", list);
}

/* Those that are not routed here, each with the reason. */
static void put_refused(json_t *obj, const struct peer *p)
{
	char text[PREFIX_TEXT_SIZE];
	json_t *list = json_object();

	for (size_t i = 0; i < p->n_routes; i++) {
		const char *why = routejudge_why((enum route_verdict)p->route_verdict[i]);

		if (why[0] != '\0')
			put_text(list, prefix_format(text, &p->routes[i]), why);
	}
	if (json_object_size(list) > 0)
		put(obj, "refused_networks", list);
	else
		json_decref(list);
}

static void put_tunnel(json_t *obj, const struct peer *p, struct now now)
{
	char text[ENDPOINT_TEXT_SIZE];
	char why[PEERPATH_WHY_SIZE];
	enum peerpath path = peerpath_judge(p, now, why);
	int64_t age_s = now.unix_s - p->handshake_s;

	if (p->handshake_s != 0) {
		put_time(obj, "last_handshake", p->handshake_s);
		put_int(obj, "handshake_age_s", age_s > 0 ? age_s : 0);
	}
	put_count(obj, "rx_bytes", p->rx_bytes);
	put_count(obj, "tx_bytes", p->tx_bytes);
	put_count(obj, "rx_rate", p->rx_rate);
	put_count(obj, "tx_rate", p->tx_rate);
	put_text(obj, "path", peerpath_name(path));
	if (path == PATH_NONE)
		put_text(obj, "why", why);
	if (p->tunnel.ip.family != 0)
		put_text(obj, "tunnel", endpoint_format(text, &p->tunnel));
	put(obj, "configured", json_boolean(p->applied.present));
}

/* Through whom: its name, or its key when it has none. */
static void put_via(json_t *obj, const struct view *v, const struct peer *p)
{
	const struct peer *via =
		p->path.is_relayed && v->peers ? peers_at(v->peers, p->path.via) : NULL;

	if (!via)
		return;
	put_text(obj, "via", via->info.hostname[0] != '\0' ? via->info.hostname : via->key_text);
	put_text(obj, "via_pubkey", via->key_text);
}

static void put_measured(json_t *obj, const struct peer *p)
{
	if (p->rtt_us > 0) {
		put_int(obj, "latency_ms", p->rtt_us / US_PER_MS);
		put_int(obj, "latency_us", p->rtt_us);
	}
	if (peer_is_verified(p))
		put_int(obj, "clock_skew_s", p->skew_s);
}

json_t *viewjson_peer(const struct view *v, const struct peer *p)
{
	char text[ENDPOINT_TEXT_SIZE];
	json_t *obj = json_object();

	put_text(obj, "pubkey", p->key_text);
	put_text(obj, "hostname", p->info.hostname);
	put_ip(obj, "mesh_ip", &p->info.mesh_ip);
	put_ip(obj, "mesh_ipv6", &p->info.mesh_ip6);
	put(obj, "endpoint", json_string(endpoint_format(text, &p->endpoint)));
	put_time(obj, "last_seen", p->seen_unix_s);
	put(obj, "discovered_via", method_names(p));
	put_routes(obj, p);
	put_refused(obj, p);
	put_measured(obj, p);
	put_tunnel(obj, p, v->now);
	put_via(obj, v, p);
	return obj;
}

/* --- the node -------------------------------------------------------------------------------- */

static const char *phase_name(enum view_phase phase)
{
	static const char *const names[] = { [VIEW_STARTING] = "starting",
					     [VIEW_RUNNING] = "running",
					     [VIEW_STOPPING] = "stopping" };

	return names[phase];
}

static void put_identity(json_t *obj, const struct view *v)
{
	put_ip(obj, "mesh_ip", &v->mesh_ip);
	put_ip(obj, "mesh_ipv6", &v->mesh_ip6);
	put_text(obj, "pubkey", v->pubkey);
	put_int(obj, "uptime", v->uptime_ms * NS_PER_MS);
	put_text(obj, "interface", v->ifname);
	put_text(obj, "version", WGMESH_VERSION);
	put_text(obj, "backend", v->backend);
	put_text(obj, "identity", v->identity);
	if (v->identity_since_s != 0)
		put_time(obj, "identity_since", v->identity_since_s);
}

static void put_mesh(json_t *obj, const struct view *v)
{
	char text[PREFIX_TEXT_SIZE];

	put_text(obj, "phase", phase_name(v->phase));
	put(obj, "ready", json_boolean(view_is_ready(v)));
	put(obj, "fresh", json_boolean(v->is_fresh));
	put_time(obj, "started", v->started_unix_s);
	put_text(obj, "hostname", v->hostname);
	put_text(obj, "network_id", v->network_id);
	if (v->mesh_subnet.ip.family != 0)
		put_text(obj, "mesh_subnet", prefix_format(text, &v->mesh_subnet));
	put_int(obj, "gossip_port", v->gossip_port);
	put_int(obj, "listen_port", v->listen_port);
	put(obj, "was_adopted", json_boolean(v->was_adopted));
}

static void put_endpoints(json_t *obj, const struct view *v)
{
	char text[ENDPOINT_TEXT_SIZE];
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_endpoints; i++)
		(void)json_array_append_new(list,
					    json_string(endpoint_format(text, &v->endpoints[i])));
	put_text(obj, "nat_type", view_nat_name(v->nat));
	put(obj, "endpoints", list);
}

struct viewjson_counts viewjson_count(const struct view *v)
{
	struct viewjson_counts c = { 0 };
	char why[PEERPATH_WHY_SIZE];

	if (!v->peers)
		return c;
	for (const struct peer *p = peers_next(v->peers, NULL); p; p = peers_next(v->peers, p)) {
		enum peerpath path = peerpath_judge(p, v->now, why);

		c.total++;
		c.active += peer_is_active(p, v->now) ? 1 : 0;
		c.direct += path == PATH_DIRECT ? 1 : 0;
		c.relayed += path == PATH_RELAYED ? 1 : 0;
	}
	return c;
}

static void put_peers(json_t *obj, const struct view *v)
{
	struct viewjson_counts c = viewjson_count(v);

	put(obj, "peers",
	    json_pack("{s:i, s:i, s:i, s:i, s:i}", "active", c.active, "total", c.total, "dead",
		      c.total - c.active, "direct", c.direct, "relayed", c.relayed));
}

static void put_checks(json_t *obj, const struct view *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_checks; i++) {
		json_t *check = json_object();

		put_text(check, "name", v->checks[i].name);
		put_text(check, "mark", view_mark_name(v->checks[i].mark));
		put(check, "text", text_json(v->checks[i].text));
		(void)json_array_append_new(list, check);
	}
	put(obj, "checks", list);
}

static void put_layers(json_t *obj, const struct view *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_layers; i++) {
		json_t *layer = json_object();

		put_text(layer, "name", v->layers[i].name);
		put(layer, "on", json_boolean(v->layers[i].is_on));
		put(layer, "text", text_json(v->layers[i].text));
		(void)json_array_append_new(list, layer);
	}
	put(obj, "layers", list);
}

static void put_alarms(json_t *obj, const struct view *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_alarms; i++) {
		json_t *alarm = json_object();

		put_text(alarm, "name", v->alarms[i].name);
		put_time(alarm, "since", v->alarms[i].since_unix_s);
		put(alarm, "text", text_json(v->alarms[i].text));
		(void)json_array_append_new(list, alarm);
	}
	put(obj, "alarms", list);
}

/* --- what PID 1 says ------------------------------------------------------------------------- */

static json_t *bare_json(const char *text)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(text[0] == 't');
	/* A number that is larger than any of ours would be another one. */
	return strlen(text) < 19 ? json_integer(strtoll(text, NULL, 10)) : json_string(text);
}

json_t *viewjson_supervisor(const char *text)
{
	static const char phases[] = "phase.";
	char key[STATUSLINE_KEY_SIZE];
	char value[STATUSLINE_VALUE_SIZE];
	json_t *obj = text ? json_object() : json_null();

	while (text && statusline_next(&text, key, value)) {
		if (strncmp(key, phases, sizeof(phases) - 1) == 0)
			continue;
		put(obj, key, statusline_is_bare(key, value) ? bare_json(value) : text_json(value));
	}
	return obj;
}

/* --- counters -------------------------------------------------------------------------------- */

static json_t *datagrams_json(const struct view_counters *c)
{
	json_t *obj = json_object();

	for (size_t i = 0; i < FATE_COUNT; i++)
		put_count(obj, view_fate_name((enum view_fate)i), c->datagrams[i]);
	return obj;
}

static json_t *sightings_json(const struct view_counters *c)
{
	json_t *obj = json_object();

	for (size_t i = 0; i < METHOD_COUNT; i++)
		put_count(obj, peer_method_name((enum peer_method)(1U << i)), c->sightings[i]);
	return obj;
}

static json_t *messages_json(const struct nlcount *c)
{
	json_t *obj = json_object();

	for (int i = 0; i < NLCOUNT_KINDS; i++)
		put_count(obj, nlcount_name((enum nlcount_kind)i), c->n[i]);
	return obj;
}

static json_t *counters_json(const struct view_counters *c)
{
	json_t *obj = json_object();

	put(obj, "datagrams", datagrams_json(c));
	put_count(obj, "hellos_sent", c->hellos_sent);
	put_count(obj, "replies_sent", c->replies_sent);
	put(obj, "sightings", sightings_json(c));
	put_count(obj, "peer_writes", c->peer_writes);
	put_count(obj, "route_writes", c->route_writes);
	put_count(obj, "write_errors", c->write_errors);
	put(obj, "netlink_messages", messages_json(&c->messages));
	put_count(obj, "passes_changed", c->passes_changed);
	put_count(obj, "passes_noop", c->passes_noop);
	put_count(obj, "punches", c->punches);
	put_count(obj, "punches_done", c->punches_done);
	put_count(obj, "path_changes", c->path_changes);
	put_count(obj, "log_dropped", c->log_dropped);
	put_count(obj, "log_suppressed", c->log_suppressed);
	put_count(obj, "clients_evicted", c->clients_evicted);
	return obj;
}

json_t *viewjson_status(const struct view *v)
{
	json_t *obj = json_object();

	put_identity(obj, v);
	put_mesh(obj, v);
	put_endpoints(obj, v);
	put_peers(obj, v);
	put_checks(obj, v);
	put_alarms(obj, v);
	put_layers(obj, v);
	put(obj, "supervisor", viewjson_supervisor(v->supervisor));
	if (v->counters)
		put(obj, "counters", counters_json(v->counters));
	return obj;
}

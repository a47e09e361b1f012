/* SPDX-License-Identifier: MIT */
#include "daemon/doctor/nodefacts.h"

#include <stdio.h>
#include <string.h>

static void take_text(char *out, size_t size, json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	(void)snprintf(out, size, "%s", text ? text : "");
}

/* Any number but the one that has no opposite. */
static int64_t number(json_t *object, const char *name)
{
	int64_t n = json_integer_value(json_object_get(object, name));

	return n == INT64_MIN ? -INT64_MAX : n;
}

static uint16_t port(json_t *object, const char *name)
{
	int64_t n = number(object, name);

	return n > 0 && n <= UINT16_MAX ? (uint16_t)n : 0;
}

static void add_alarm(struct node_facts *out, json_t *one)
{
	struct alarm_facts *a = &out->alarms[out->n_alarms];

	if (out->n_alarms == FACTS_ALARMS_MAX)
		return;
	out->n_alarms++;
	take_text(a->name, sizeof(a->name), one, "name");
	take_text(a->text, sizeof(a->text), one, "text");
}

static void take_alarms(struct node_facts *out, json_t *status)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(status, "alarms"), i, one)
		add_alarm(out, one);
	json_array_foreach (json_object_get(status, "checks"), i, one) {
		const char *mark = json_string_value(json_object_get(one, "mark"));

		if (mark && strcmp(mark, "pass") != 0)
			add_alarm(out, one);
	}
}

static void take_counters(struct node_facts *out, json_t *status)
{
	json_t *fates = json_object_get(json_object_get(status, "counters"), "datagrams");

	out->has_counters = json_is_object(fates);
	out->accepted = number(fates, "accepted");
	out->not_ours = number(fates, "not_ours");
	out->stale = number(fates, "stale");
}

void nodefacts_take_status(struct node_facts *out, json_t *status)
{
	json_t *peers = json_object_get(status, "peers");

	take_text(out->version, sizeof(out->version), status, "version");
	take_text(out->backend, sizeof(out->backend), status, "backend");
	take_text(out->phase, sizeof(out->phase), status, "phase");
	take_text(out->network_id, sizeof(out->network_id), status, "network_id");
	out->listen_port = port(status, "listen_port");
	out->gossip_port = port(status, "gossip_port");
	out->has_peers = json_is_object(peers);
	out->active = number(peers, "active");
	out->total = number(peers, "total");
	take_alarms(out, status);
	take_counters(out, status);
}

/* Where WireGuard sees it, or else where it said that it is. */
static void take_endpoint(struct endpoint *out, json_t *one)
{
	const char *text = json_string_value(json_object_get(one, "tunnel"));

	if (text && endpoint_parse(out, text) == 0)
		return;
	text = json_string_value(json_object_get(one, "endpoint"));
	if (text)
		(void)endpoint_parse(out, text);
}

static void add_peer(struct node_facts *out, json_t *one)
{
	struct peer_facts *p = &out->peers[out->n_peers];

	if (out->n_peers == FACTS_PEERS_MAX)
		return;
	out->n_peers++;
	take_text(p->name, sizeof(p->name), one, "hostname");
	if (p->name[0] == '\0')
		take_text(p->name, sizeof(p->name), one, "pubkey");
	take_text(p->path, sizeof(p->path), one, "path");
	take_text(p->why, sizeof(p->why), one, "why");
	take_endpoint(&p->endpoint, one);
	p->skew_s = number(one, "clock_skew_s");
}

static bool is_cut_off(json_t *one)
{
	const char *path = json_string_value(json_object_get(one, "path"));

	return path && strcmp(path, "none") == 0;
}

void nodefacts_take_peers(struct node_facts *out, json_t *list)
{
	json_t *peers = json_object_get(list, "peers");
	json_t *one;
	size_t i;

	/* Those that a person asks the doctor about come first. */
	json_array_foreach (peers, i, one)
		if (is_cut_off(one))
			add_peer(out, one);
	json_array_foreach (peers, i, one)
		if (!is_cut_off(one))
			add_peer(out, one);
}

void nodefacts_take_supervisor(struct supervisor_facts *out, json_t *lines)
{
	const json_t *last = json_object_get(lines, "last_exit");

	take_text(out->verdict, sizeof(out->verdict), lines, "verdict");
	take_text(out->volume, sizeof(out->volume), lines, "volume");
	take_text(out->storage, sizeof(out->storage), lines, "storage");
	take_text(out->storage_note, sizeof(out->storage_note), lines, "storage_note");
	take_text(out->cause, sizeof(out->cause), lines, "cause");
	out->last_exit = json_is_integer(last) ? (int)(json_integer_value(last) & UINT8_MAX) : -1;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/cli/statustext.h"
#include "common/defs.h"
#include "common/str.h"
#include "daemon/cli/member.h"
#include "daemon/cli/peertext.h"
#include "daemon/cli/text.h"

#include <stdarg.h>
#include <string.h>

#define NAME_WIDTH 10
#define LINE_SIZE  1024
#define NS_PER_S   1000000000
#define BOLD	   "\033[1m"
#define PLAIN	   "\033[0m"
#define UNSET	   INT64_MIN

__attribute__((format(printf, 3, 4))) static void field(const struct show *s, const char *name,
							const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	(void)fprintf(s->out, "%-*s ", NAME_WIDTH, name);
	text_wrap(s->out, line, NAME_WIDTH + 1, s->width);
}

/* --- what is wrong ------------------------------------------------------------------------- */

/* @what is ours and short; @text may be anybody's. */
static void shout(const struct show *s, const char *what, const char *text)
{
	(void)fprintf(s->out, "%s%s%s ", s->is_loud ? BOLD : "", what, s->is_loud ? PLAIN : "");
	text_wrap(s->out, text, strlen(what) + 1, s->width);
}

static void alarm_line(const struct show *s, json_t *alarm)
{
	char span[TEXT_NUMBER_SIZE];
	char line[LINE_SIZE];
	int64_t since;

	if (text_parse_time(&since, member_text(alarm, "since")) == 0)
		(void)snprintf(line, sizeof(line), "%s, for %s: %s", member_text(alarm, "name"),
			       text_span(span, s->now_s - since), member_text(alarm, "text"));
	else
		(void)snprintf(line, sizeof(line), "%s: %s", member_text(alarm, "name"),
			       member_text(alarm, "text"));
	shout(s, "ALARM", line);
}

static void check_line(const struct show *s, json_t *check)
{
	const char *mark = member_text(check, "mark");
	char line[LINE_SIZE];

	(void)snprintf(line, sizeof(line), "%s: %s", member_text(check, "name"),
		       member_text(check, "text"));
	if (strcmp(mark, "fail") == 0)
		shout(s, "NOT READY", line);
	else if (strcmp(mark, "warn") == 0)
		shout(s, "WARNING", line);
}

static void put_wrong(const struct show *s, json_t *status)
{
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(status, "alarms"), i, item) {
		alarm_line(s, item);
	}
	json_array_foreach (json_object_get(status, "checks"), i, item) {
		check_line(s, item);
	}
}

/* --- this node ----------------------------------------------------------------------------- */

static void put_head(const struct show *s, json_t *status)
{
	const char *phase = member_text(status, "phase");
	json_t *ready = json_object_get(status, "ready");
	const char *word = "";

	if (strcmp(phase, "running") == 0 && ready)
		word = json_is_true(ready) ? ", ready" : ", not ready";
	field(s, "node", "%s%s%s%s%s", member_text(status, "hostname"),
	      *member_text(status, "hostname") ? ", " : "", *phase ? phase : "running", word,
	      json_is_true(json_object_get(status, "was_adopted"))
		      ? "; took over the interface of the run before, no packet lost"
		      : "");
}

static void put_identity(const struct show *s, json_t *status)
{
	const char *since = member_text(status, "identity_since");
	const char *how = member_text(status, "identity");
	const char *key = member_text(status, "pubkey");
	char age[TEXT_NUMBER_SIZE];
	char line[LINE_SIZE] = "";
	int64_t then;

	if (*key == '\0')
		return;
	/* "loaded" means that it was there before this run. */
	if (text_parse_time(&then, since) == 0)
		(void)snprintf(line, sizeof(line), "; kept since %.40s (%s)", since,
			       text_span(age, s->now_s - then));
	field(s, "identity", "%s%s%s%s", key, *how ? ", " : "", how, line);
}

static void put_interface(const struct show *s, json_t *status)
{
	struct str_out t = { .size = LINE_SIZE };
	char line[LINE_SIZE];

	t.out = line;
	str_add(&t, "%s", member_text(status, "interface"));
	if (*member_text(status, "backend"))
		str_add(&t, ", %s WireGuard", member_text(status, "backend"));
	if (member_int(status, "listen_port", 0) > 0)
		str_add(&t, " on UDP port %lld", (long long)member_int(status, "listen_port", 0));
	if (member_int(status, "gossip_port", 0) > 0)
		str_add(&t, ", exchange on %lld", (long long)member_int(status, "gossip_port", 0));
	field(s, "interface", "%s", line);
}

static void put_mesh(const struct show *s, json_t *status)
{
	const char *ip6 = member_text(status, "mesh_ipv6");
	const char *subnet = member_text(status, "mesh_subnet");
	const char *network = member_text(status, "network_id");

	if (*member_text(status, "mesh_ip") || *ip6)
		field(s, "addresses", "%s%s%s%s%s", member_text(status, "mesh_ip"),
		      *ip6 ? ", " : "", ip6, *subnet ? ", in " : "", subnet);
	if (*network)
		field(s, "network id", "%s (the same on every node with this secret)", network);
}

static void put_outside(const struct show *s, json_t *status)
{
	static const struct {
		const char *nat;
		const char *text;
	} kinds[] = {
		{ "none", "not behind NAT" },
		{ "cone", "behind a NAT that others can reach through (cone)" },
		{ "symmetric", "behind a NAT with another port for each peer (symmetric)" },
		{ "unknown", "whether there is a NAT is not known yet" },
	};
	const char *nat = member_text(status, "nat_type");
	json_t *list = json_object_get(status, "endpoints");
	char line[LINE_SIZE];

	if (!list && *nat == '\0')
		return;
	(void)member_join(line, sizeof(line), list, ", ");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(nat, kinds[i].nat) == 0)
			nat = kinds[i].text;
	field(s, "seen at", "%s%s%s", *line ? line : "no address outside is known",
	      *nat ? "; " : "", nat);
}

/* --- its supervisor ------------------------------------------------------------------------ */

/* What becomes of the key, for a verdict that promises nothing good. */
static const char *fate_of(const char *verdict)
{
	static const struct {
		const char *verdict;
		const char *fate;
	} fates[] = {
		{ "anonymous", "LOST when the container is made anew" },
		{ "pod", "LOST with the pod" },
		{ "layer", "LOST when the container is made anew" },
		{ "container", "LOST at the next restart" },
		{ "memory", "LOST at the next restart" },
		{ "unknown", "nobody knows whether it lasts" },
	};

	for (size_t i = 0; i < ARRAY_LEN(fates); i++)
		if (strcmp(verdict, fates[i].verdict) == 0)
			return fates[i].fate;
	return strcmp(verdict, "persistent") == 0 ? "lasts" : "UNUSABLE";
}

static void put_storage(const struct show *s, json_t *sup)
{
	const char *verdict = member_text(sup, "verdict");
	const char *now = member_text(sup, "storage");
	const char *proof = member_text(sup, "proof");

	if (*verdict == '\0')
		return;
	field(s, "storage", "%s, %s: %s is on %s", verdict, fate_of(verdict),
	      member_text(sup, "state_dir"), member_text(sup, "volume"));
	if (*now && strcmp(now, "ok") != 0)
		shout(s, "   NOW", member_text(sup, "storage_note"));
	if (*proof)
		field(s, "proof", "%s%s%s", proof, *member_text(sup, "proof_note") ? ": " : "",
		      member_text(sup, "proof_note"));
}

/* "3 restarts; the last run took 12s and ended with 139: cause" */
static void put_restarts(const struct show *s, json_t *sup)
{
	long long restarts = member_int(sup, "restarts", 0);
	struct str_out t = { .size = LINE_SIZE };
	char span[TEXT_NUMBER_SIZE];
	char line[LINE_SIZE];

	t.out = line;
	str_add(&t, "%lld", restarts);
	if (member_int(sup, "last_exit", UNSET) != UNSET)
		str_add(&t, "; the last run took %s and ended with %lld",
			text_span(span, member_int(sup, "last_run_s", 0)),
			(long long)member_int(sup, "last_exit", 0));
	if (*member_text(sup, "cause"))
		str_add(&t, ": %s", member_text(sup, "cause"));
	field(s, "restarts", "%s", line);
}

/* One line each, the names in a column of their own. */
static void put_layers(const struct show *s, json_t *status)
{
	const char *title = "found by";
	json_t *layer;
	size_t i;

	json_array_foreach (json_object_get(status, "layers"), i, layer) {
		bool is_on = json_is_true(json_object_get(layer, "on"));

		field(s, title, "%-6s %s%s%s", member_text(layer, "name"), is_on ? "on" : "off",
		      *member_text(layer, "text") ? "; " : "", member_text(layer, "text"));
		title = "";
	}
}

static void put_uptime(const struct show *s, json_t *status)
{
	char span[TEXT_NUMBER_SIZE];

	/* Nanoseconds, as existing nodes have it. */
	field(s, "uptime", "%s%s%s", text_span(span, member_int(status, "uptime", 0) / NS_PER_S),
	      *member_text(status, "started") ? ", since " : "", member_text(status, "started"));
}

static void put_supervisor(const struct show *s, json_t *status)
{
	json_t *sup = json_object_get(status, "supervisor");

	if (json_is_object(sup)) {
		put_restarts(s, sup);
		put_storage(s, sup);
	} else if (json_is_null(sup)) {
		field(s, "storage", "not judged: no wgmesh-init runs here, or it did not answer");
	}
}

/* --- all of it ----------------------------------------------------------------------------- */

static bool has_alarm(json_t *status, const char *name)
{
	json_t *alarm;
	size_t i;

	json_array_foreach (json_object_get(status, "alarms"), i, alarm) {
		if (strcmp(member_text(alarm, "name"), name) == 0)
			return true;
	}
	return false;
}

/* What a node without peers has to do with its secret; the alarm that says so comes a minute later. */
static const char *solitude(json_t *status, json_t *count)
{
	json_t *fates = json_object_get(json_object_get(status, "counters"), "datagrams");

	if (member_int(count, "active", 0) > 0 || member_int(count, "dead", 0) > 0 ||
	    has_alarm(status, "alone"))
		return "";
	if (member_int(fates, "not_ours", 0) > 0 && member_int(fates, "accepted", 0) == 0)
		return "; datagrams arrive, but none opens with this node's secret: compare the "
		       "network id with `wgmesh status` on another node";
	return "; if others should be there, their `wgmesh status` must show the same network id";
}

static void put_peers(const struct show *s, json_t *status, json_t *list)
{
	json_t *count = json_object_get(status, "peers");

	if (json_is_object(count))
		field(s, "peers", "%lld active (%lld direct, %lld relayed), %lld silent%s",
		      (long long)member_int(count, "active", 0),
		      (long long)member_int(count, "direct", 0),
		      (long long)member_int(count, "relayed", 0),
		      (long long)member_int(count, "dead", 0), solitude(status, count));
	if (json_array_size(list) == 0)
		return;
	(void)fputc('\n', s->out);
	peertext_paths(s, list);
}

void statustext_print(const struct show *s, json_t *status, json_t *peers)
{
	put_wrong(s, status);
	put_head(s, status);
	put_identity(s, status);
	put_interface(s, status);
	put_mesh(s, status);
	put_outside(s, status);
	put_layers(s, status);
	put_uptime(s, status);
	put_supervisor(s, status);
	field(s, "version", "%s", member_text(status, "version"));
	put_peers(s, status, peers);
}

void statustext_supervisor(const struct show *s, json_t *sup)
{
	field(s, "init", "%s", member_text(sup, "state"));
	put_restarts(s, sup);
	put_storage(s, sup);
}

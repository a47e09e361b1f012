/* SPDX-License-Identifier: MIT */
#include "daemon/cli/peertext.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/str.h"
#include "daemon/cli/member.h"
#include "daemon/cli/table.h"
#include "daemon/cli/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE    64
#define METHOD_SIZE 128
#define NAME_WIDTH  18

/* --- parts of a peer ----------------------------------------------------------------------- */

/* By the beginning, as existing nodes show it, or whole. */
static const char *key_text(char out[static KEY_SIZE], const struct show *s, json_t *peer)
{
	(void)snprintf(out, KEY_SIZE, s->is_full ? "%.60s" : "%.16s…", member_text(peer, "pubkey"));
	return out;
}

static const char *latency(char out[static TEXT_NUMBER_SIZE], json_t *peer)
{
	int64_t us = member_int(peer, "latency_us", 0);
	int64_t ms = member_int(peer, "latency_ms", -1);

	if (us > 0)
		return text_latency(out, us);
	return ms >= 0 ? text_latency(out, ms < INT64_MAX / 1000 ? ms * 1000 : INT64_MAX) : "";
}

/* How long ago a time was; "never" when there is none. */
static const char *age(char out[static TEXT_NUMBER_SIZE], const struct show *s, const char *rfc3339)
{
	int64_t then;

	return text_parse_time(&then, rfc3339) < 0 ? "never" : text_age(out, s->now_s - then);
}

static const char *handshake(char out[static TEXT_NUMBER_SIZE], const struct show *s, json_t *peer)
{
	int64_t seconds = member_int(peer, "handshake_age_s", -1);

	if (seconds >= 0)
		return text_age(out, seconds);
	return age(out, s, member_text(peer, "last_handshake"));
}

static const char *bytes(char out[static TEXT_NUMBER_SIZE], json_t *peer, const char *name)
{
	int64_t n = member_int(peer, name, -1);

	return n < 0 ? "" : text_bytes(out, (uint64_t)n);
}

static const char *with(char out[static TEXT_NUMBER_SIZE], const char *suffix)
{
	struct str_out t = { .out = out, .size = TEXT_NUMBER_SIZE, .len = strlen(out) };

	str_add(&t, "%s", suffix);
	return out;
}

/* Nothing for a silent tunnel: a column of zeros hides the one that is not silent. */
static const char *rate(char out[static TEXT_NUMBER_SIZE], json_t *peer, const char *name)
{
	int64_t n = member_int(peer, name, 0);

	if (n <= 0)
		return "";
	(void)text_bytes(out, (uint64_t)n);
	return with(out, "/s");
}

/* --- order --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	json_t *one = *(json_t *const *)a;
	json_t *two = *(json_t *const *)b;
	const char *name = member_text(one, "hostname");
	const char *other = member_text(two, "hostname");
	/* Those without a name come last. */
	int r = (*name == '\0') - (*other == '\0');

	if (r == 0)
		r = strcmp(name, other);
	return r != 0 ? r : strcmp(member_text(one, "pubkey"), member_text(two, "pubkey"));
}

json_t *peertext_sort(json_t *list)
{
	size_t n = json_array_size(list);
	auto_free json_t **all = calloc(n + 1, sizeof(json_t *));
	json_t *out = all ? json_array() : NULL;
	size_t used = 0;

	for (size_t i = 0; out && i < n; i++)
		if (json_is_object(json_array_get(list, i)))
			all[used++] = json_array_get(list, i);
	if (!out)
		return NULL;
	qsort(all, used, sizeof(json_t *), compare);
	for (size_t i = 0; i < used; i++)
		(void)json_array_append(out, all[i]);
	return out;
}

/* --- tables -------------------------------------------------------------------------------- */

static void list_row(struct table *t, const struct show *s, json_t *peer)
{
	char methods[METHOD_SIZE];
	char number[TEXT_NUMBER_SIZE];
	char key[KEY_SIZE];

	table_cell(t, member_text(peer, "hostname"));
	table_cell(t, key_text(key, s, peer));
	table_cell(t, member_text(peer, "mesh_ip"));
	table_cell(t, member_text(peer, "endpoint"));
	table_cell(t, age(number, s, member_text(peer, "last_seen")));
	table_cell(t, latency(number, peer));
	table_cell(t, member_join(methods, sizeof(methods), json_object_get(peer, "discovered_via"),
				  ","));
}

void peertext_list(const struct show *s, json_t *list)
{
	static const struct table_column columns[] = {
		{ "HOSTNAME", 90, 8, false },	     { "PUBLIC KEY", 40, 0, false },
		{ "MESH IP", 80, 0, false },	     { "ENDPOINT", 50, 0, false },
		{ "LAST SEEN", 70, 0, true },	     { "LATENCY", 60, 0, true },
		{ "DISCOVERED VIA", 30, 14, false },
	};
	struct table *t;
	json_t *sorted;
	json_t *peer;
	size_t i;

	if (json_array_size(list) == 0) {
		(void)fputs("No active peers\n", s->out);
		return;
	}
	t = table_new(columns, ARRAY_LEN(columns));
	sorted = peertext_sort(list);
	json_array_foreach (sorted, i, peer) {
		list_row(t, s, peer);
	}
	table_print(s->out, t, s->width);
	table_free(t);
	json_decref(sorted);
}

static void path_row(struct table *t, const struct show *s, json_t *peer)
{
	const char *tunnel = member_text(peer, "tunnel");
	char methods[METHOD_SIZE];
	char number[TEXT_NUMBER_SIZE];
	char key[KEY_SIZE];

	table_cell(t, member_text(peer, "hostname"));
	table_cell(t, member_text(peer, "mesh_ip"));
	table_cell(t, member_text(peer, "path"));
	table_cell(t, handshake(number, s, peer));
	table_cell(t, latency(number, peer));
	table_cell(t, rate(number, peer, "rx_rate"));
	table_cell(t, rate(number, peer, "tx_rate"));
	table_cell(t, bytes(number, peer, "rx_bytes"));
	table_cell(t, bytes(number, peer, "tx_bytes"));
	table_cell(t, *tunnel ? tunnel : member_text(peer, "endpoint"));
	table_cell(t, member_join(methods, sizeof(methods), json_object_get(peer, "discovered_via"),
				  ","));
	table_cell(t, key_text(key, s, peer));
}

static void path_note(struct table *t, json_t *peer)
{
	const char *why = member_text(peer, "why");
	const char *via = member_text(peer, "via");
	char note[512];

	if (*why == '\0' && *via == '\0')
		return;
	if (*via != '\0')
		(void)snprintf(note, sizeof(note), "through %.253s: no direct way was found yet",
			       via);
	else
		(void)snprintf(note, sizeof(note), "why not: %s", why);
	table_note(t, note);
}

void peertext_paths(const struct show *s, json_t *list)
{
	static const struct table_column columns[] = {
		{ "HOST", 99, 8, false },     { "MESH IP", 95, 0, false },
		{ "PATH", 90, 0, false },     { "HANDSHAKE", 80, 0, true },
		{ "LATENCY", 70, 0, true },   { "IN", 60, 0, true },
		{ "OUT", 60, 0, true },	      { "RECEIVED", 50, 0, true },
		{ "SENT", 50, 0, true },      { "ENDPOINT", 65, 0, false },
		{ "FOUND BY", 40, 8, false }, { "PUBLIC KEY", 30, 0, false },
	};
	json_t *sorted = peertext_sort(list);
	struct table *t = table_new(columns, ARRAY_LEN(columns));
	json_t *peer;
	size_t i;

	json_array_foreach (sorted, i, peer) {
		path_row(t, s, peer);
		path_note(t, peer);
	}
	table_print(s->out, t, s->width);
	table_free(t);
	json_decref(sorted);
}

/* --- one peer ------------------------------------------------------------------------------ */

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name);

	return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* What makes a number or a time readable; empty when it is so already. */
static const char *remark(char out[static TEXT_NUMBER_SIZE], const struct show *s, const char *name,
			  json_t *value)
{
	int64_t n = (int64_t)json_integer_value(value);
	int64_t then;

	if (json_is_string(value) && text_parse_time(&then, json_string_value(value)) == 0) {
		(void)text_span(out, s->now_s - then);
		return with(out, " ago");
	}
	if (n >= 1024 && ends_in(name, "_bytes"))
		return text_bytes(out, (uint64_t)n);
	if (n >= 1024 && ends_in(name, "_rate")) {
		(void)text_bytes(out, (uint64_t)n);
		return with(out, "/s");
	}
	return n >= 60 && ends_in(name, "_s") ? text_span(out, n) : "";
}

/* A list of texts as people write one, anything else as JSON does. */
static char *value_text(json_t *value)
{
	char list[1024];

	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (json_is_string(json_array_get(value, 0)))
		return strdup(member_join(list, sizeof(list), value, ", "));
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

void peertext_members(const struct show *s, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach (object, name, value) {
		auto_free char *title = text_clean(name);
		auto_free char *text = value_text(value);
		auto_free char *line = NULL;
		char number[TEXT_NUMBER_SIZE];
		const char *extra = remark(number, s, name, value);

		if (asprintf(&line, "%s%s%s%s", text ? text : "", *extra ? " (" : "", extra,
			     *extra ? ")" : "") < 0)
			line = NULL;
		(void)fprintf(s->out, "%-*s ", NAME_WIDTH, title ? title : "");
		text_wrap(s->out, line, NAME_WIDTH + 1, s->width);
	}
}

/* --- who is meant? ------------------------------------------------------------------------- */

enum match { MATCH_NONE, MATCH_PREFIX, MATCH_NAME, MATCH_KEY };

static enum match match(json_t *peer, const char *what)
{
	const char *key = member_text(peer, "pubkey");

	if (strcmp(key, what) == 0)
		return MATCH_KEY;
	if (strcasecmp(member_text(peer, "hostname"), what) == 0 ||
	    strcasecmp(member_text(peer, "mesh_ip"), what) == 0 ||
	    strcasecmp(member_text(peer, "mesh_ipv6"), what) == 0)
		return MATCH_NAME;
	return strncmp(key, what, strlen(what)) == 0 ? MATCH_PREFIX : MATCH_NONE;
}

json_t *peertext_pick(json_t *list, const char *what, struct err *e)
{
	enum match best = MATCH_NONE;
	json_t *found = NULL;
	json_t *second = NULL;
	char shown[64];
	json_t *peer;
	size_t i;

	json_array_foreach (list, i, peer) {
		enum match m = *what ? match(peer, what) : MATCH_NONE;

		if (m == MATCH_NONE || m < best)
			continue;
		second = m == best ? found : NULL;
		found = peer;
		best = m;
	}
	if (found && !second)
		return found;
	(void)str_visible(shown, sizeof(shown), what);
	if (found)
		(void)err_exit(e, EXITS_FAILURE, -ENOTUNIQ,
			       "\"%s\" could be %.44s or %.44s; give more of the key", shown,
			       member_text(second, "pubkey"), member_text(found, "pubkey"));
	else
		(void)err_exit(e, EXITS_FAILURE, -ENOENT,
			       "no peer has the key or the name \"%s\"; `wgmesh status` lists them "
			       "all",
			       shown);
	return NULL;
}

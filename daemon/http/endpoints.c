/* SPDX-License-Identifier: MIT */
#include "daemon/http/endpoints.h"
#include "common/defs.h"
#include "daemon/http/metrics.h"
#include "daemon/net/addr.h"
#include "daemon/view/viewjson.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT	  "text/plain; charset=utf-8"
#define JSON	  "application/json"
#define OK	  200
#define NOT_FOUND 404
#define NOT_READY 503
#define HOST_SIZE 64

static const struct http_endpoint_row table[] = {
	[HTTP_LIVEZ] = { "/livez", NEEDS_NOTHING,
			 "200 as long as the program runs; never depends on peers or storage" },
	[HTTP_STARTUPZ] = { "/startupz", NEEDS_VIEW, "200 once the interface has been up" },
	[HTTP_READYZ] = { "/readyz", NEEDS_FRESH,
			  "200 when no check fails, 503 otherwise; ?verbose lists the checks" },
	[HTTP_HEALTH] = { "/health", NEEDS_FRESH,
			  "all that the node knows, as JSON; 503 when a check fails" },
	[HTTP_STATS] = { "/stats", NEEDS_VIEW, "counters and histograms, as JSON" },
	[HTTP_METRICS] = { "/metrics", NEEDS_FRESH, "the same for Prometheus" },
};
_Static_assert(ARRAY_LEN(table) == HTTP_ENDPOINT_COUNT, "a row for every endpoint");

const struct http_endpoint_row *http_endpoints_table(void)
{
	return table;
}

enum http_endpoint http_endpoint_find(const char *path)
{
	size_t i = 0;

	while (i < HTTP_ENDPOINT_COUNT && (!path || strcmp(path, table[i].path) != 0))
		i++;
	return (enum http_endpoint)i;
}

bool http_host_is_local(const char *host, const char *hostname)
{
	static const char localhost[] = "localhost";
	char bare[HOST_SIZE];
	size_t len = host ? strlen(host) : 0;
	size_t end = sizeof(localhost) - 1;
	struct ip ip;

	if (len == 0 || strcasecmp(host, localhost) == 0 || strcasecmp(host, hostname) == 0)
		return true;
	if (len > end && host[len - end - 1] == '.' && strcasecmp(host + len - end, localhost) == 0)
		return true;
	if (host[0] == '[' && host[len - 1] == ']' && len - 2 < sizeof(bare)) {
		memcpy(bare, host + 1, len - 2);
		bare[len - 2] = '\0';
		host = bare;
	}
	return ip_parse(&ip, host) == 0;
}

/* --- probes ---------------------------------------------------------------------------------- */

static int put_not_found(FILE *out)
{
	(void)fputs("no such path; there are\n", out);
	for (size_t i = 0; i < HTTP_ENDPOINT_COUNT; i++)
		(void)fprintf(out, "%-10s %s\n", table[i].path, table[i].help);
	return NOT_FOUND;
}

static int put_live(FILE *out)
{
	(void)fputs("ok\n", out);
	return OK;
}

/* The public key is known from the end of the start on, and stays known while the node stops. */
static int put_started(FILE *out, const struct view *v)
{
	bool has_started = v->phase == VIEW_RUNNING || v->pubkey[0] != '\0';

	(void)fputs(has_started ? "ok\n" : "starting: the interface is not up yet\n", out);
	return has_started ? OK : NOT_READY;
}

static const char *phase_note(enum view_phase phase)
{
	static const char *const notes[] = {
		[VIEW_STARTING] = "starting: the interface is not up yet",
		[VIEW_RUNNING] = "",
		[VIEW_STOPPING] = "stopping: the interface is about to go",
	};

	return notes[phase];
}

static void put_checks(FILE *out, const struct view *v)
{
	if (v->phase == VIEW_RUNNING)
		(void)fputs("[+]phase ok\n", out);
	else
		(void)fprintf(out, "[-]phase failed: %s\n", phase_note(v->phase));
	for (size_t i = 0; i < v->n_checks; i++) {
		const struct view_check *c = &v->checks[i];

		if (c->mark == VIEW_FAIL)
			(void)fprintf(out, "[-]%s failed: %s\n", c->name, c->text);
		else if (c->mark == VIEW_WARN)
			(void)fprintf(out, "[+]%s ok, with a warning: %s\n", c->name, c->text);
		else
			(void)fprintf(out, "[+]%s ok\n", c->name);
	}
}

static void put_reason(FILE *out, const struct view *v)
{
	if (v->phase != VIEW_RUNNING) {
		(void)fprintf(out, "%s\n", phase_note(v->phase));
		return;
	}
	for (size_t i = 0; i < v->n_checks; i++)
		if (v->checks[i].mark == VIEW_FAIL)
			(void)fprintf(out, "%s: %s\n", v->checks[i].name, v->checks[i].text);
}

/* "verbose", "verbose=1", also between others. */
static bool has_flag(const char *query, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = query; p && *p; p += strcspn(p, "&"), p += *p == '&')
		if (strncmp(p, name, len) == 0 && (p[len] == '\0' || strchr("=&", p[len])))
			return true;
	return false;
}

static int put_ready(FILE *out, const struct http_request *req)
{
	bool is_ready = view_is_ready(req->view);

	if (has_flag(req->query, "verbose")) {
		put_checks(out, req->view);
		(void)fprintf(out, "readyz check %s\n", is_ready ? "passed" : "failed");
	} else if (is_ready) {
		(void)fputs("ok\n", out);
	} else {
		put_reason(out, req->view);
	}
	return is_ready ? OK : NOT_READY;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_json(FILE *out, json_t *doc)
{
	char *text = doc ? json_dumps(doc, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;

	if (text)
		(void)fprintf(out, "%s\n", text);
	free(text);
	json_decref(doc);
}

static const char *judge(const struct view *v)
{
	if (!view_is_ready(v))
		return "fail";
	for (size_t i = 0; i < v->n_checks; i++)
		if (v->checks[i].mark == VIEW_WARN)
			return "warn";
	return v->n_alarms > 0 ? "warn" : "pass";
}

/* One by one: of a thousand, a tree of all would take many times the room of its text. */
static void put_peers(FILE *out, const struct view *v)
{
	const char *before = "\n    ";

	for (const struct peer *p = v->peers ? peers_next(v->peers, NULL) : NULL; p;
	     p = peers_next(v->peers, p)) {
		json_t *peer = viewjson_peer(v, p);
		char *text = json_dumps(peer, JSON_REAL_PRECISION(15));

		json_decref(peer);
		if (text)
			(void)fprintf(out, "%s%s", before, text);
		before = ",\n    ";
		free(text);
	}
	(void)fputs(before[0] == ',' ? "\n  " : "", out);
}

static int put_health(FILE *out, const struct view *v)
{
	json_t *doc = json_object();
	json_t *rest = viewjson_status(v);
	char *text;

	(void)json_object_set_new(doc, "status", json_string(judge(v)));
	(void)json_object_update(doc, rest);
	json_decref(rest);
	text = json_dumps(doc, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	json_decref(doc);
	if (text) {
		/* The whole of it ends with a line break and a brace; what follows is one more member. */
		(void)fprintf(out, "%.*s,\n  \"peers_detail\": [", (int)strlen(text) - 2, text);
		put_peers(out, v);
		(void)fputs("]\n}\n", out);
	}
	free(text);
	return view_is_ready(v) ? OK : NOT_READY;
}

static json_t *histogram_json(const struct histogram *h)
{
	json_t *buckets = json_array();
	uint64_t n = 0;

	for (size_t i = 0; i < h->n_bounds; i++) {
		n += h->counts[i];
		(void)json_array_append_new(buckets, json_pack("{s:f, s:I}", "le", h->bounds[i],
							       "count", (json_int_t)n));
	}
	return json_pack("{s:I, s:f, s:o}", "count", (json_int_t)h->n, "sum", h->sum, "buckets",
			 buckets);
}

static json_t *process_json(const struct process_facts *p)
{
	const struct {
		const char *name;
		int64_t value;
	} whole[] = {
		{ "resident_bytes", p->resident_bytes },
		{ "virtual_bytes", p->virtual_bytes },
		{ "open_fds", p->open_fds },
		{ "max_fds", p->max_fds },
	};
	json_t *doc = json_object();

	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (whole[i].value >= 0)
			(void)json_object_set_new(doc, whole[i].name, json_integer(whole[i].value));
	if (p->cpu_s >= 0)
		(void)json_object_set_new(doc, "cpu_s", json_real(p->cpu_s));
	if (p->start_unix_s >= 0)
		(void)json_object_set_new(doc, "start_unix_s", json_real(p->start_unix_s));
	return doc;
}

static int put_stats(FILE *out, const struct http_request *req)
{
	static const char *const taken[] = { "version", "phase", "uptime", "peers", "counters" };
	const struct view *v = req->view;
	json_t *all = viewjson_status(v);
	json_t *doc = json_object();

	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		(void)json_object_set(doc, taken[i], json_object_get(all, taken[i]));
	json_decref(all);
	if (v->reconcile_s)
		(void)json_object_set_new(doc, "reconcile_duration_seconds",
					  histogram_json(v->reconcile_s));
	if (v->rtt_s)
		(void)json_object_set_new(doc, "probe_rtt_seconds", histogram_json(v->rtt_s));
	(void)json_object_set_new(doc, "process", process_json(req->process));
	put_json(out, doc);
	return OK;
}

/* --- all of them ----------------------------------------------------------------------------- */

static int put_metrics(FILE *out, const struct http_request *req, const char **type)
{
	const struct metrics_source from = { .view = req->view,
					     .process = req->process,
					     .n_peers = req->n_peers };
	enum metrics_form form = metrics_choose_form(req->accept);

	*type = metrics_content_type(form);
	metrics_render(out, &from, form);
	return OK;
}

static int put_body(FILE *out, enum http_endpoint id, const struct http_request *req,
		    const char **type)
{
	*type = id == HTTP_HEALTH || id == HTTP_STATS ? JSON : TEXT;
	switch (id) {
	case HTTP_LIVEZ:
		return put_live(out);
	case HTTP_STARTUPZ:
		return put_started(out, req->view);
	case HTTP_READYZ:
		return put_ready(out, req);
	case HTTP_HEALTH:
		return put_health(out, req->view);
	case HTTP_STATS:
		return put_stats(out, req);
	case HTTP_METRICS:
		return put_metrics(out, req, type);
	case HTTP_ENDPOINT_COUNT:
		break;
	}
	return put_not_found(out);
}

int http_answer_make(struct http_answer *out, enum http_endpoint id, const struct http_request *req)
{
	FILE *f;
	bool is_whole;

	*out = (struct http_answer) { .body = NULL };
	f = open_memstream(&out->body, &out->len);
	if (!f)
		return -ENOMEM;
	out->status = put_body(f, id, req, &out->type);
	is_whole = !ferror(f);
	/* Half of it could mean something else. */
	if (fclose(f) == 0 && is_whole && out->len > 0)
		return 0;
	free(out->body);
	out->body = NULL;
	return -ENOMEM;
}

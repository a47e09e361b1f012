/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Addresses that a person gave, and those behind the names that he gave, are kept as prospects for
 * as long as he does not take them back. A name is asked for again as soon as its answer has grown
 * old; an answer that fails leaves the last one standing, since an address that was right a moment
 * ago is better than none.
 */
#include "common/defs.h"
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIOD_S     30 /* at least, and then what the answer's time to live says */
#define PERIOD_MAX_S 60 /* engines say 600 s of names that change with every container */
#define RETRY_S	     2	/* after a failure, then twice as long each time */
#define RETRY_MAX_S  60
#define FAILURES_MAX 5
#define JITTER_PART  5

/**
 * struct way - One name, and what is known of it
 * @node:	Back reference
 * @host:	Name and port
 * @question:	Under way, or NULL
 * @timer:	When it is asked for again
 * @n:		Entries in @list
 * @list:	Last answer
 * @n_failures:	Since then
 */
struct way {
	struct node *node;
	struct hostport host;
	struct resolve *question;
	struct event *timer;
	size_t n;
	struct ip list[RESOLVE_MAX];
	unsigned int n_failures;
};

struct ways {
	size_t n;
	struct way way[HOSTPORTS_MAX];
};

/* --- prospects ------------------------------------------------------------------------------- */

static void offer(struct node *n, const struct ip *ip, uint16_t port, enum peer_method via)
{
	const struct endpoint at = { .ip = *ip,
				     .port = port != 0 ? port : n->cfg->keys.gossip_port };

	node_prospect(n, &at, via);
}

/* All that holds now; what was there before and is not any more is given up. */
static void publish(struct node *n)
{
	const struct ways *w = n->ways;

	if (!n->prospects)
		return;
	prospects_renew(n->prospects);
	for (size_t i = 0; i < n->static_peers.n; i++)
		offer(n, &n->static_peers.at[i].ip, n->static_peers.at[i].port, METHOD_STATIC);
	for (size_t i = 0; w && i < w->n; i++)
		for (size_t j = 0; j < w->way[i].n; j++)
			offer(n, &w->way[i].list[j], w->way[i].host.port, METHOD_DNS);
	prospects_expire(n->prospects);
}

/* --- names ----------------------------------------------------------------------------------- */

static void wait_s(const struct way *w, int64_t seconds)
{
	int64_t ms = seconds * 1000;
	uint32_t random = 0;
	struct timeval tv;

	crypto_random(&random, sizeof(random));
	ms += (int64_t)random % (ms / JITTER_PART) - ms / (2 * JITTER_PART);
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (ms % 1000) * 1000;
	(void)event_add(w->timer, &tv);
}

static void take_failure(struct way *w, const char *error)
{
	int64_t pause_s = (int64_t)RETRY_S << w->n_failures;

	if (w->n_failures == 0)
		log_event(EVENT_DNS_FAILED, LOG_FIELDS({ "name", w->host.name }),
			  "%s cannot be looked up: %s; trying again, with the %zu addresses of the "
			  "last answer",
			  w->host.name, error, w->n);
	if (w->n_failures < FAILURES_MAX)
		w->n_failures++;
	wait_s(w, pause_s < RETRY_MAX_S ? pause_s : RETRY_MAX_S);
}

static bool is_same(const struct way *w, const struct ip *list, size_t n)
{
	bool same = n == w->n;

	for (size_t i = 0; same && i < n; i++) {
		bool found = false;

		for (size_t j = 0; !found && j < w->n; j++)
			found = ip_equal(&list[i], &w->list[j]);
		same = found;
	}
	return same;
}

static void on_answer(void *arg, const struct ip *list, size_t n, const char *error)
{
	struct way *w = arg;
	int64_t period_s = resolve_ttl_s(w->question);
	bool was_lost = w->n_failures > 0;
	bool same = is_same(w, list, n);

	w->question = NULL;
	if (n == 0) {
		take_failure(w, error);
		return;
	}
	w->n_failures = 0;
	if (!same || was_lost)
		log_event(EVENT_DNS_ANSWERED, LOG_FIELDS({ "name", w->host.name }),
			  "%s has %zu address%s", w->host.name, n, n == 1 ? "" : "es");
	if (!same) {
		memcpy(w->list, list, n * sizeof(*list));
		w->n = n;
		publish(w->node);
	}
	if (period_s < PERIOD_S)
		period_s = PERIOD_S;
	wait_s(w, period_s < PERIOD_MAX_S ? period_s : PERIOD_MAX_S);
}

static void ask(struct way *w)
{
	if (w->question)
		return;
	(void)event_del(w->timer);
	w->question =
		resolver_ask(w->node->resolver, w->host.name, w->node->cfg->no_ipv6, on_answer, w);
	if (!w->question)
		take_failure(w, "no memory");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ask(arg);
}

static void free_ways(struct ways *w)
{
	for (size_t i = 0; w && i < w->n; i++) {
		resolve_cancel(w->way[i].question);
		event_free(w->way[i].timer);
	}
	free(w);
}

/* A name that is asked for in both lists keeps its answer. */
static void inherit(struct way *w, const struct ways *old)
{
	for (size_t i = 0; old && i < old->n; i++) {
		if (strcmp(w->host.name, old->way[i].host.name) != 0)
			continue;
		w->n = old->way[i].n;
		memcpy(w->list, old->way[i].list, sizeof(w->list));
	}
}

static struct ways *make_ways(struct node *n)
{
	struct ways *w = calloc(1, sizeof(*w));

	for (size_t i = 0; w && i < n->dns_peers.n; i++) {
		struct way *way = &w->way[w->n];

		way->node = n;
		way->host = n->dns_peers.at[i];
		way->timer = evtimer_new(n->base, on_timer, way);
		if (!way->timer)
			continue;
		inherit(way, n->ways);
		w->n++;
	}
	return w;
}

void node_ways_reload(struct node *n)
{
	struct ways *w = n->resolver && n->dns_peers.n > 0 ? make_ways(n) : NULL;

	free_ways(n->ways);
	n->ways = w;
	publish(n);
	for (size_t i = 0; w && i < w->n; i++)
		ask(&w->way[i]);
}

void node_ways_start(struct node *n)
{
	node_ways_reload(n);
}

void node_ways_stop(struct node *n)
{
	free_ways(n->ways);
	n->ways = NULL;
}

/* --- another network ------------------------------------------------------------------------- */

void node_ways_moved(struct node *n)
{
	node_prospects_wake(n);
	for (size_t i = 0; n->ways && i < n->ways->n; i++)
		ask(&n->ways->way[i]);
}

/* --- what is said of all of it --------------------------------------------------------------- */

static size_t count_found_by(struct peers *peers, enum peer_method method)
{
	size_t total = 0;

	for (const struct peer *p = peers_next(peers, NULL); p; p = peers_next(peers, p))
		total += p->methods & (unsigned int)method ? 1 : 0;
	return total;
}

/* What a layer has to say that is on, or why it is off. */
static void add(const struct node *n, struct view *out, enum peer_method method, bool is_on,
		const char *text)
{
	const char *name = peer_method_name(method);
	size_t found = n->peers ? count_found_by(n->peers, method) : 0;

	if (is_on)
		view_add_layer(out, name, true, "%s, %zu peer%s found so", text, found,
			       found == 1 ? "" : "s");
	else
		view_add_layer(out, name, false, "%s", text);
}

static void describe_lan(const struct node *n, struct view *out)
{
	bool is_on = n->lan || n->phase == NODE_STARTING;
	const char *why = "the socket could not be opened, see the log";

	if (n->cfg->no_lan)
		why = "by --no-lan-discovery";
	is_on = is_on && !n->cfg->no_lan;
	add(n, out, METHOD_LAN, is_on, is_on ? "multicast" : why);
}

static void describe_static(const struct node *n, struct view *out)
{
	size_t total = n->static_peers.n;
	char text[40];

	(void)snprintf(text, sizeof(text), "%zu address%s", total, total == 1 ? "" : "es");
	add(n, out, METHOD_STATIC, total > 0, total > 0 ? text : "no --peer is set");
}

static void describe_dns(const struct node *n, struct view *out)
{
	size_t total = n->dns_peers.n;
	size_t found = 0;
	size_t failing = 0;
	char text[120];

	for (size_t i = 0; n->ways && i < n->ways->n; i++) {
		found += n->ways->way[i].n;
		failing += n->ways->way[i].n_failures > 0 ? 1 : 0;
	}
	(void)snprintf(text, sizeof(text), "%zu name%s with %zu address%s, %zu cannot be looked up",
		       total, total == 1 ? "" : "s", found, found == 1 ? "" : "es", failing);
	if (total > 0 && !n->resolver)
		add(n, out, METHOD_DNS, false, "there is no resolver, see the log");
	else
		add(n, out, METHOD_DNS, total > 0, total > 0 ? text : "no --peer-dns is set");
}

void node_ways_describe(const struct node *n, struct view *out)
{
	describe_lan(n, out);
	describe_static(n, out);
	describe_dns(n, out);
	node_gossip_describe(n, out);
}

/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/io.h"
#include "common/log.h"
#include "daemon/memory.h"
#include "daemon/node/node_impl.h"
#include "daemon/state/peercache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RETRY_S		   30 /* a cache that could not be written is written again so soon */
#define SAVE_NEW_MS	   2000
#define SAVE_CHANGED_MS	   60000
#define SAVE_PAUSE_MS	   5000 /* between two of them */
#define SAVE_PAUSE_PEER_MS 25

static void take_cached(struct node *n, const struct cached_peer *c)
{
	char text[ENDPOINT_OUT_SIZE];
	struct sighting s = {
		.who = &c->peer,
		.routes = c->routes,
		.n_routes = c->n_routes,
		.has_routes = true,
		.method = METHOD_CACHE,
		.seen_unix_s = c->last_seen,
	};

	s.endpoint = node_peers_literal(n, c->peer.endpoint);
	endpoint_control(text, c->peer.endpoint, n->cfg->keys.gossip_port);
	s.control = node_peers_literal(n, text);
	node_peers_sight(n, &s, false);
}

void node_cache_load(struct node *n, int fd)
{
	struct cached_peer *list = NULL;
	struct now now = clock_now();
	size_t total = 0;
	ssize_t len;
	auto_free char *buf = malloc(PEERCACHE_FILE_MAX);

	if (!buf)
		return;
	len = io_read_bounded(fd, buf, PEERCACHE_FILE_MAX);
	if (len < 0 ||
	    peercache_parse(&list, &total, buf, (size_t)len, now.unix_s, PEERCACHE_AGE_S) < 0) {
		log_event(EVENT_PEER_CACHE_DAMAGED, NULL,
			  "the peer cache is damaged and is not used; peers will be "
			  "discovered anew");
		return;
	}
	clockback_remember(&n->clockback, peercache_written(buf, (size_t)len));
	log_event(EVENT_PEER_CACHE_LOADED, NULL, "%zu peers from the cache", total);
	for (size_t i = 0; i < total; i++)
		take_cached(n, &list[i]);
	free(list);
	memory_give_back();
}

static size_t collect_cache(struct node *n, struct cached_peer *out)
{
	size_t total = 0;

	for (const struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p)) {
		struct cached_peer *c = &out[total];

		/* Hearsay does not go to disk. */
		if (!peer_is_verified(p) && !(p->methods & METHOD_CACHE))
			continue;
		c->peer = p->info;
		(void)endpoint_format(c->peer.endpoint, &p->endpoint);
		memcpy(c->routes, p->routes, p->n_routes * sizeof(p->routes[0]));
		c->n_routes = p->n_routes;
		c->last_seen = p->seen_unix_s;
		total++;
	}
	return total;
}

static long format_cache(struct node *n, char **out)
{
	auto_free struct cached_peer *list = calloc(peers_count(n->peers) + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	return peercache_format(out, list, collect_cache(n, list),
				clockback_stamp(&n->clockback, clock_now()));
}

/* Bytes as a file that has no name, to be handed to netadmin. */
static int as_file(const char *text, size_t len)
{
	auto_close int fd = memfd_create("peers", MFD_CLOEXEC);

	if (fd < 0 || io_write_full(fd, text, len) < 0)
		return -1;
	return steal_fd(&fd);
}

/*
 * While the disk is written to, netadmin does nothing else, and the text of a thousand peers takes its
 * time here, too. So what a restart can do without for a while waits, and the more there are, the longer.
 */
static int64_t due_ms(const struct node *n, bool is_new, struct now now)
{
	int64_t pause = SAVE_PAUSE_MS + (int64_t)peers_count(n->peers) * SAVE_PAUSE_PEER_MS;
	int64_t at = now.mono_ms + (is_new ? SAVE_NEW_MS : SAVE_CHANGED_MS);

	return n->was_saved && at < n->cache_saved_ms + pause ? n->cache_saved_ms + pause : at;
}

void node_cache_changed(struct node *n, bool is_new)
{
	struct now now = clock_now();
	int64_t at = due_ms(n, is_new, now);
	int64_t ms = at - now.mono_ms;
	struct timeval delay = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	bool is_pending = evtimer_pending(n->cache_timer, NULL);

	/* One that waits for the disk waits on. */
	if (is_pending && (n->cache_due_ms == 0 || n->cache_due_ms <= at))
		return;
	n->cache_due_ms = at;
	(void)event_add(n->cache_timer, &delay);
}

void node_cache_saved(struct node *n, const struct err *e)
{
	static const struct timeval pause = { .tv_sec = RETRY_S };
	bool was_good = !n->was_saved || n->save_error.code == 0;

	n->was_saved = true;
	n->save_error = *e;
	if (e->code == 0)
		return;
	if (was_good)
		log_event(EVENT_PEER_CACHE_UNSAVED, NULL, "%s: %s; trying again every %d s", e->msg,
			  strerror(-e->code), RETRY_S);
	if (n->phase == NODE_RUNNING && !evtimer_pending(n->cache_timer, NULL))
		(void)event_add(n->cache_timer, &pause);
}

void node_cache_save(struct node *n)
{
	struct netadmin_request req = { .op = NETADMIN_SAVE_CACHE };
	auto_free char *text = NULL;
	long len = format_cache(n, &text);
	int fd = len < 0 ? -1 : as_file(text, (size_t)len);

	if (fd >= 0)
		adminlink_send(n->admin, &req, fd);
	memory_give_back();
}

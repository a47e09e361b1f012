/* SPDX-License-Identifier: MIT */
#include "daemon/state/peercache.h"
#include "daemon/wire/announce_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool read_entry(struct cached_peer *out, json_t *object, int64_t now, int64_t max_age_s)
{
	if (announce_read_peer(&out->peer, object, "endpoint") != ANNOUNCE_OK ||
	    announce_read_routes(out->routes, &out->n_routes, object) != ANNOUNCE_OK ||
	    json_member_int(&out->last_seen, object, "last_seen") < 0)
		return false;
	/* Written while the clock was ahead: it must not look fresh until the clock gets there. */
	if (out->last_seen > now)
		out->last_seen = now;
	return out->last_seen >= now - max_age_s;
}

static int read_entries(struct cached_peer **out, size_t *n, const json_t *list, int64_t now,
			int64_t max_age_s)
{
	size_t room = json_array_size(list);
	struct cached_peer *peers;
	json_t *item;
	size_t i;

	if (room > ANNOUNCE_PEERS_MAX)
		room = ANNOUNCE_PEERS_MAX;
	if (room == 0)
		return 0;
	peers = calloc(room, sizeof(*peers));
	if (!peers)
		return -ENOMEM;
	json_array_foreach (list, i, item) {
		if (*n < room && read_entry(&peers[*n], item, now, max_age_s))
			(*n)++;
	}
	if (*n > 0)
		*out = peers;
	else
		free(peers);
	return 0;
}

/* NOLINTNEXTLINE(readability-function-size): two buffers with lengths, and two times */
int peercache_parse(struct cached_peer **out, size_t *n, const char *text, size_t len, int64_t now,
		    int64_t max_age_s)
{
	json_t *root = len <= PEERCACHE_FILE_MAX ? json_parse(text, len, NULL) : NULL;
	const json_t *list = NULL;
	int r;

	*out = NULL;
	*n = 0;
	if (!root)
		return -EINVAL;
	r = json_member_list(&list, root, "peers");
	if (r == 0)
		r = read_entries(out, n, list, now, max_age_s);
	json_decref(root);
	return r;
}

int64_t peercache_written(const char *text, size_t len)
{
	json_t *root = len <= PEERCACHE_FILE_MAX ? json_parse(text, len, NULL) : NULL;
	int64_t at = 0;

	if (root && json_member_int(&at, root, "updated_at") < 0)
		at = 0;
	json_decref(root);
	return at;
}

static void write_entry(struct json_writer *w, const struct cached_peer *entry)
{
	json_write_open(w, NULL, '{');
	announce_write_peer(w, &entry->peer, "endpoint");
	announce_write_routes(w, entry->routes, entry->n_routes);
	announce_write_nat_type(w, &entry->peer);
	json_write_int(w, "last_seen", entry->last_seen);
	json_write_close(w, '}');
}

static long write_cache(char *out, size_t size, const struct cached_peer *peers, size_t n,
			int64_t now)
{
	struct json_writer w;

	json_write_init(&w, out, size, true);
	json_write_open(&w, NULL, '{');
	if (n == 0) {
		json_write_null(&w, "peers");
	} else {
		json_write_open(&w, "peers", '[');
		for (size_t i = 0; i < n; i++)
			write_entry(&w, &peers[i]);
		json_write_close(&w, ']');
	}
	json_write_int(&w, "updated_at", now);
	json_write_close(&w, '}');
	return size == 0 ? (long)w.len : json_write_end(&w);
}

long peercache_format(char **out, const struct cached_peer *peers, size_t n, int64_t now)
{
	size_t size = (size_t)write_cache(NULL, 0, peers, n, now) + 1;

	*out = malloc(size);
	return *out ? write_cache(*out, size, peers, n, now) : -ENOMEM;
}

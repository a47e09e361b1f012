/* SPDX-License-Identifier: MIT */
/* peercache - {iface}-peers.json (protocol.md section 4); pure codec */
#ifndef DAEMON_STATE_PEERCACHE_H
#define DAEMON_STATE_PEERCACHE_H

#include "daemon/wire/announce.h"

#include <stddef.h>
#include <stdint.h>

#define PEERCACHE_FILE_MAX (4U << 20)
#define PEERCACHE_AGE_S	   (30 * 24 * 3600) /* design.md: cached peers are tried for 30 days */

/**
 * struct cached_peer - One entry of the cache
 * @peer:	As in an announcement
 * @routes:	Networks behind it
 * @n_routes:	Entries in @routes
 * @last_seen:	Unix time it was last heard
 */
struct cached_peer {
	struct known_peer peer;
	size_t n_routes;
	struct prefix routes[ANNOUNCE_ROUTES_MAX];
	int64_t last_seen;
};

/**
 * peercache_parse() - Read a cache; invalid entries are skipped
 * @out:	Receives a table owned by the caller, to be freed; NULL when empty
 * @n:		Receives its length, at most ANNOUNCE_PEERS_MAX
 * @text:	JSON; borrowed
 * @len:	Bytes in @text
 * @now:	Unix time
 * @max_age_s:	Entries older than that are skipped (existing nodes: 24 h)
 *
 * Return: 0, -EINVAL when it is no peer cache, or -ENOMEM
 */
int peercache_parse(struct cached_peer **out, size_t *n, const char *text, size_t len, int64_t now,
		    int64_t max_age_s);

/**
 * peercache_written() - When a cache was written, by the clock of that time
 * @text:	JSON; borrowed
 * @len:	Bytes in @text
 *
 * Return: Unix time, 0 when it does not say
 */
int64_t peercache_written(const char *text, size_t len);

/**
 * peercache_format() - Write a cache, byte for byte as existing nodes do
 * @out:	Receives a string owned by the caller, to be freed
 * @peers:	Entries; borrowed
 * @n:		Entries in @peers
 * @now:	updated_at
 *
 * Return: bytes without the NUL, or -ENOMEM
 */
long peercache_format(char **out, const struct cached_peer *peers, size_t n, int64_t now);

#endif /* DAEMON_STATE_PEERCACHE_H */

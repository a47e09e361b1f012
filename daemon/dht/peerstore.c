/* SPDX-License-Identifier: MIT */
#include "daemon/dht/peerstore.h"

static void expire(struct peerstore *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->n;) {
		if (now_ms - s->entry[i].announced_ms < PEERSTORE_AGE_MS)
			i++;
		else
			s->entry[i] = s->entry[--s->n];
	}
}

static bool same_source(const struct ip *a, const struct ip *b)
{
	return ip_equal(a, b) || (a->family == AF_INET6 && nodeid_neighbours(a, b));
}

static struct stored_peer *find_entry(struct peerstore *s, const struct nodeid *infohash,
				      const struct endpoint *at)
{
	for (size_t i = 0; i < s->n; i++)
		if (endpoint_equal(&s->entry[i].at, at) &&
		    nodeid_equal(&s->entry[i].infohash, infohash))
			return &s->entry[i];
	return NULL;
}

static bool may_add(const struct peerstore *s, const struct nodeid *infohash,
		    const struct endpoint *at)
{
	size_t total = 0;
	size_t of_hash = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!same_source(&s->entry[i].at.ip, &at->ip))
			continue;
		total++;
		of_hash += nodeid_equal(&s->entry[i].infohash, infohash);
	}
	return total < PEERSTORE_PER_SOURCE && of_hash < PEERSTORE_PER_HASH;
}

static struct stored_peer *oldest(struct peerstore *s)
{
	struct stored_peer *old = &s->entry[0];

	for (size_t i = 1; i < s->n; i++)
		if (s->entry[i].announced_ms < old->announced_ms)
			old = &s->entry[i];
	return old;
}

bool peerstore_add(struct peerstore *s, const struct nodeid *infohash, const struct endpoint *at,
		   int64_t now_ms)
{
	struct stored_peer *slot = find_entry(s, infohash, at);

	if (!slot) {
		expire(s, now_ms);
		if (!may_add(s, infohash, at))
			return false;
		slot = s->n < PEERSTORE_MAX ? &s->entry[s->n++] : oldest(s);
	}
	*slot = (struct stored_peer) { .infohash = *infohash, .at = *at, .announced_ms = now_ms };
	return true;
}

size_t peerstore_find(struct peerstore *s, const struct peerstore_query *q, struct endpoint *out,
		      size_t max, int64_t now_ms)
{
	size_t total = 0;

	expire(s, now_ms);
	for (size_t i = 0; i < s->n && total < max; i++) {
		const struct stored_peer *e = &s->entry[(i + q->seed) % s->n];

		if (e->at.ip.family == q->family && nodeid_equal(&e->infohash, q->infohash))
			out[total++] = e->at;
	}
	return total;
}

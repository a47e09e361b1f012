/* SPDX-License-Identifier: MIT */
#include "daemon/nat/matchmaker.h"
#include "common/defs.h"

#include <string.h>

static bool is_over(const struct match *a, int64_t now_ms)
{
	return !a->in_use || now_ms - a->asked_ms >= MATCHMAKER_KEEP_MS;
}

static struct match *find(struct matchmaker *m, uint64_t seed, int64_t now_ms)
{
	for (size_t i = 0; i < ARRAY_LEN(m->at); i++)
		if (m->at[i].seed == seed && !is_over(&m->at[i], now_ms))
			return &m->at[i];
	return NULL;
}

/* A free entry; with none, that of a pair which was introduced longest ago and need not cool any more. */
static struct match *find_room(struct matchmaker *m, int64_t now_ms)
{
	struct match *oldest = NULL;

	for (size_t i = 0; i < ARRAY_LEN(m->at); i++) {
		struct match *a = &m->at[i];

		if (is_over(a, now_ms))
			return a;
		if (now_ms - a->asked_ms < MATCHMAKER_COOL_MS)
			continue;
		if (!oldest || a->asked_ms < oldest->asked_ms)
			oldest = a;
	}
	return oldest;
}

static size_t count_begun_by(const struct matchmaker *m, const struct wg_key *key, int64_t now_ms)
{
	size_t total = 0;

	for (size_t i = 0; i < ARRAY_LEN(m->at); i++)
		if (!is_over(&m->at[i], now_ms) &&
		    memcmp(&m->at[i].end[0].key, key, sizeof(*key)) == 0)
			total++;
	return total;
}

static bool is_at(const struct rendezvous_candidates *list, const struct ip *ip)
{
	for (size_t i = 0; i < list->n; i++)
		if (ip_equal(&list->at[i].ip, ip))
			return true;
	return false;
}

/* What we see, and what it says as far as that is the same machine: nobody names a third one. */
static void place(struct match_end *end, const struct rendezvous_candidates *seen,
		  const struct rendezvous_candidates *said)
{
	end->at = *seen;
	for (size_t i = 0; said && i < said->n; i++)
		if (is_at(seen, &said->at[i].ip))
			rendezvous_add(&end->at, &said->at[i]);
}

static struct match *begin(struct matchmaker *m, const struct offer *offer, int64_t now_ms)
{
	struct match *a;

	if (count_begun_by(m, &offer->from, now_ms) >= MATCHMAKER_ONE_MAX)
		return NULL;
	a = find_room(m, now_ms);
	if (!a)
		return NULL;
	*a = (struct match) { .in_use = true, .seed = offer->seed };
	a->end[0].key = offer->from;
	a->end[1].key = offer->target;
	return a;
}

struct match *matchmaker_take(struct matchmaker *m, const struct offer *offer,
			      const struct rendezvous_candidates *from,
			      const struct rendezvous_candidates *target, int64_t now_ms)
{
	struct match *a = find(m, offer->seed, now_ms);
	bool is_second;

	if (a && a->started_ms != 0 && now_ms - a->started_ms < MATCHMAKER_COOL_MS)
		return NULL;
	if (!a)
		a = begin(m, offer, now_ms);
	if (!a)
		return NULL;
	is_second = memcmp(&a->end[0].key, &offer->from, sizeof(offer->from)) != 0;
	place(&a->end[is_second ? 1 : 0], from, &offer->candidates);
	/* Until the other one says something itself. */
	if (a->end[is_second ? 0 : 1].at.n == 0 || a->started_ms != 0)
		place(&a->end[is_second ? 0 : 1], target, NULL);
	a->asked_ms = now_ms;
	a->is_pending = true;
	return a;
}

/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * An entry is waiting for its turn, or it is remembered: a failure is not tried again before its
 * time, however often it is reported. A turn needs a token of each bucket that counts it: all sends
 * of this node, those of its kind, and those to its host. A full table gives up what it only
 * remembers, then what the DHT said.
 */
#include "daemon/discovery/prospects.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS	    1024 /* a power of two */
#define HOSTS	    256
#define NO_SLOT	    UINT16_MAX
#define MILLI	    1000
#define FIRST_MS    5000    /* pause after the first try, then twice as long each time */
#define FORGET_MS   3600000 /* the longest memory of a failure */
#define RETRY_MS    200	    /* no token: look again */
#define WAKE_MS	    1000    /* after a change of the network, spread over so long */
#define TRIES_MAX   16
#define JITTER_PART 4

/**
 * struct budget - A token bucket
 * @per_s:	Tokens a second
 * @burst:	Tokens it holds
 */
struct budget {
	int32_t per_s;
	int32_t burst;
};

static const struct budget all_budget = { 100, 20 };
static const struct budget told_budget = { 5, 1000 };
static const struct budget mainline_budget = { 5, 10 };
static const struct budget host_budget = { 3, 6 };

struct bucket {
	int64_t at_ms;
	int32_t milli;
};

/**
 * struct entry - A prospect and what became of it
 * @p:		Prospect; family 0 when the entry is free
 * @due_ms:	When its turn is; when it is only remembered, until then
 * @n_tries:	Tries since it was last answered
 * @is_waiting:	For its turn
 * @is_fresh:	Reported since prospects_renew()
 * @next:	Next entry of the same bucket, or next free one
 */
struct entry {
	struct prospect p;
	int64_t due_ms;
	uint8_t n_tries;
	bool is_waiting;
	bool is_fresh;
	uint16_t next;
};

struct prospects {
	uint64_t random;
	uint64_t seed;
	uint16_t free;
	uint16_t cursor;
	size_t n_waiting;
	size_t n_kept;
	struct bucket all;
	struct bucket told;
	struct bucket mainline;
	struct bucket host[HOSTS];
	uint16_t bucket[BUCKETS];
	uint8_t share[PEERS_MAX];
	struct entry entry[PROSPECTS_MAX];
};

_Static_assert(PROSPECTS_MAX < NO_SLOT, "a slot number fits");
_Static_assert(PROSPECTS_SHARE_MAX <= UINT8_MAX, "a share fits");

/* --- tokens ---------------------------------------------------------------------------------- */

static void refill(struct bucket *b, const struct budget *of, int64_t now_ms)
{
	int64_t full = (int64_t)of->burst * MILLI;
	int64_t elapsed = now_ms - b->at_ms;
	int64_t milli = b->milli;

	if (b->at_ms == 0 || elapsed > full)
		milli = full;
	else if (elapsed > 0)
		milli += elapsed * of->per_s;
	b->milli = (int32_t)(milli < full ? milli : full);
	b->at_ms = now_ms;
}

static bool has_token(struct bucket *b, const struct budget *of, int64_t now_ms)
{
	refill(b, of, now_ms);
	return b->milli >= MILLI;
}

static void give_back(struct bucket *b, const struct budget *of)
{
	if (b->milli <= (of->burst - 1) * MILLI)
		b->milli += MILLI;
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 30;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	h ^= h >> 27;
	h *= UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

static uint64_t hash_ip(const struct prospects *t, const struct ip *ip)
{
	uint64_t low = 0;
	uint64_t high = 0;

	memcpy(&low, ip->b, sizeof(low));
	memcpy(&high, ip->b + sizeof(low), sizeof(high));
	return mix(mix(t->seed ^ low) + high + ip->family);
}

/* Which of the limits of its kind a prospect is under; NULL for what a person gave. */
static struct bucket *kind_of(struct prospects *t, const struct entry *e, const struct budget **of)
{
	*of = NULL;
	if (e->p.via & PROSPECTS_KEPT)
		return NULL;
	*of = e->p.via & METHOD_TRANSITIVE ? &told_budget : &mainline_budget;
	return e->p.via & METHOD_TRANSITIVE ? &t->told : &t->mainline;
}

static bool spend(struct prospects *t, const struct entry *e, int64_t now_ms)
{
	const struct budget *kind_budget;
	struct bucket *kind = kind_of(t, e, &kind_budget);
	struct bucket *host = &t->host[hash_ip(t, &e->p.at.ip) % HOSTS];

	if (!has_token(&t->all, &all_budget, now_ms) || !has_token(host, &host_budget, now_ms) ||
	    (kind && !has_token(kind, kind_budget, now_ms)))
		return false;
	t->all.milli -= MILLI;
	host->milli -= MILLI;
	if (kind)
		kind->milli -= MILLI;
	return true;
}

/* --- the table ------------------------------------------------------------------------------- */

struct prospects *prospects_new(uint64_t seed)
{
	struct prospects *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->seed = seed;
	t->random = seed;
	memset(t->bucket, 0xff, sizeof(t->bucket));
	for (uint16_t i = 0; i < PROSPECTS_MAX; i++)
		t->entry[i].next = (uint16_t)(i + 1);
	t->entry[PROSPECTS_MAX - 1].next = NO_SLOT;
	return t;
}

void prospects_free(struct prospects *t)
{
	free(t);
}

static int64_t jitter(struct prospects *t, int64_t ms)
{
	t->random += UINT64_C(0x9e3779b97f4a7c15);
	return (int64_t)(mix(t->random) % (uint64_t)(ms > 0 ? ms : 1));
}

static uint16_t *bucket_of(struct prospects *t, const struct endpoint *at)
{
	return &t->bucket[mix(hash_ip(t, &at->ip) + at->port) % BUCKETS];
}

static struct entry *find(struct prospects *t, const struct endpoint *at)
{
	for (uint16_t i = *bucket_of(t, at); i != NO_SLOT; i = t->entry[i].next)
		if (endpoint_equal(&t->entry[i].p.at, at))
			return &t->entry[i];
	return NULL;
}

static bool is_kept(const struct entry *e)
{
	return (e->p.via & PROSPECTS_KEPT) != 0;
}

static uint8_t *share_of(struct prospects *t, const struct entry *e)
{
	return !is_kept(e) && e->p.teller < PEERS_MAX ? &t->share[e->p.teller] : NULL;
}

/* The one place where an entry begins or ends to wait, so that the counts are right. */
static void set_waiting(struct prospects *t, struct entry *e, bool is_waiting)
{
	uint8_t *share = share_of(t, e);

	if (e->is_waiting == is_waiting)
		return;
	e->is_waiting = is_waiting;
	t->n_waiting += is_waiting ? 1U : -1UL;
	if (share)
		*share = (uint8_t)(is_waiting ? *share + 1 : *share - 1);
}

static void drop(struct prospects *t, struct entry *e)
{
	uint16_t slot = (uint16_t)(e - t->entry);
	uint16_t *link = bucket_of(t, &e->p.at);

	while (*link != slot)
		link = &t->entry[*link].next;
	*link = e->next;
	set_waiting(t, e, false);
	t->n_kept -= is_kept(e) ? 1 : 0;
	*e = (struct entry) { .next = t->free };
	t->free = slot;
}

/* How little an entry is missed; 0 for one that stays. */
static int rank(const struct entry *e, const struct prospect *newcomer)
{
	if (is_kept(e))
		return 0;
	if (!e->is_waiting)
		return 3;
	if (newcomer->via == (unsigned int)METHOD_MAINLINE)
		return 0;
	if (!(e->p.via & METHOD_TRANSITIVE))
		return 2;
	return newcomer->via & PROSPECTS_KEPT ? 1 : 0;
}

/* Gives up the entry that is missed least; of equals, the one whose time is over first. */
static void make_room(struct prospects *t, const struct prospect *newcomer)
{
	struct entry *least = NULL;
	int least_rank = 0;

	for (size_t i = 0; i < PROSPECTS_MAX; i++) {
		struct entry *e = &t->entry[i];
		int r = rank(e, newcomer);
		bool is_less =
			!least || r > least_rank || (r == least_rank && e->due_ms < least->due_ms);

		if (r == 0 || !is_less)
			continue;
		least = e;
		least_rank = r;
	}
	if (least)
		drop(t, least);
}

static struct entry *insert(struct prospects *t, const struct prospect *p)
{
	uint16_t *head = bucket_of(t, &p->at);
	struct entry *e;
	uint16_t slot;

	if ((p->via & PROSPECTS_KEPT) && t->n_kept == PROSPECTS_KEPT_MAX)
		return NULL;
	if (t->free == NO_SLOT)
		make_room(t, p);
	if (t->free == NO_SLOT)
		return NULL;
	slot = t->free;
	e = &t->entry[slot];
	t->free = e->next;
	*e = (struct entry) { .p = *p, .next = *head };
	*head = slot;
	t->n_kept += is_kept(e) ? 1 : 0;
	return e;
}

/* --- reports --------------------------------------------------------------------------------- */

static bool is_usable_v4(const uint8_t *b, bool may_loop)
{
	if (b[0] == 127)
		return may_loop;
	return b[0] != 0 && b[0] < 224 && !(b[0] == 169 && b[1] == 254);
}

static bool is_usable_v6(const struct in6_addr *a, bool may_loop)
{
	if (IN6_IS_ADDR_LOOPBACK(a))
		return may_loop;
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_MULTICAST(a) &&
	       !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_V4MAPPED(a) && !IN6_IS_ADDR_V4COMPAT(a);
}

bool prospects_is_sane(const struct endpoint *at, unsigned int via)
{
	bool may_loop = (via & METHOD_STATIC) != 0;
	struct in6_addr a;

	if (at->port == 0)
		return false;
	if (at->ip.family == AF_INET)
		return is_usable_v4(at->ip.b, may_loop);
	memcpy(&a, at->ip.b, sizeof(a));
	return at->ip.family == AF_INET6 && is_usable_v6(&a, may_loop);
}

static bool has_share(const struct prospects *t, const struct prospect *p)
{
	return (p->via & PROSPECTS_KEPT) || p->teller >= PEERS_MAX ||
	       t->share[p->teller] < PROSPECTS_SHARE_MAX;
}

/* An entry that is known gets another voice. */
static bool repeat(struct prospects *t, struct entry *e, const struct prospect *p, int64_t now_ms)
{
	bool was_kept = is_kept(e);
	bool was_waiting = e->is_waiting;

	if (!was_kept && (p->via & PROSPECTS_KEPT) && t->n_kept == PROSPECTS_KEPT_MAX)
		return false;
	/* The share is one of its old kind. */
	set_waiting(t, e, false);
	e->p.via |= p->via;
	if (is_kept(e) && !was_kept) {
		t->n_kept++;
		e->n_tries = 0;
	}
	if (was_waiting || is_kept(e)) {
		if (!was_waiting)
			e->due_ms = now_ms;
		set_waiting(t, e, true);
		return true;
	}
	if (now_ms < e->due_ms || !has_share(t, p))
		return false;
	e->p.teller = p->teller;
	e->p.prefix = p->prefix;
	e->due_ms = now_ms;
	set_waiting(t, e, true);
	return true;
}

bool prospects_report(struct prospects *t, const struct prospect *p, int64_t now_ms)
{
	struct entry *e = find(t, &p->at);

	if (!prospects_is_sane(&p->at, p->via))
		return false;
	if (e) {
		e->is_fresh = true;
		return repeat(t, e, p, now_ms);
	}
	e = has_share(t, p) ? insert(t, p) : NULL;
	if (!e)
		return false;
	e->is_fresh = true;
	e->due_ms = now_ms;
	set_waiting(t, e, true);
	return true;
}

/* --- turns ----------------------------------------------------------------------------------- */

static int64_t grown(int64_t first_ms, unsigned int n_tries, int64_t most_ms)
{
	int64_t ms = first_ms << (n_tries < TRIES_MAX ? n_tries : TRIES_MAX);

	return ms < most_ms ? ms : most_ms;
}

/* It counts as tried: when is the next time? */
static void count_try(struct prospects *t, struct entry *e, int64_t now_ms, int64_t pause_ms)
{
	int64_t ms = grown(FIRST_MS, e->n_tries, is_kept(e) ? pause_ms : FORGET_MS);

	if (e->n_tries < TRIES_MAX)
		e->n_tries++;
	e->due_ms = now_ms + ms - ms / (2 * JITTER_PART) + jitter(t, ms / JITTER_PART);
	set_waiting(t, e, is_kept(e));
}

static struct entry *pick(struct prospects *t, int64_t now_ms, bool is_for_kept)
{
	for (size_t i = 0; i < PROSPECTS_MAX; i++) {
		struct entry *e = &t->entry[t->cursor];

		t->cursor = (uint16_t)((t->cursor + 1) % PROSPECTS_MAX);
		if (e->is_waiting && is_kept(e) == is_for_kept && e->due_ms <= now_ms &&
		    spend(t, e, now_ms))
			return e;
	}
	return NULL;
}

bool prospects_next(struct prospects *t, int64_t now_ms, const struct prospects_mood *mood,
		    struct prospect *out)
{
	struct entry *e = NULL;

	if (t->n_waiting == 0 || !has_token(&t->all, &all_budget, now_ms))
		return false;
	if (t->n_kept > 0)
		e = pick(t, now_ms, true);
	if (!e && !mood->only_kept)
		e = pick(t, now_ms, false);
	if (!e)
		return false;
	count_try(t, e, now_ms, mood->pause_ms);
	*out = e->p;
	return true;
}

int64_t prospects_due_ms(const struct prospects *t, int64_t now_ms)
{
	int64_t due_ms = INT64_MAX;

	for (size_t i = 0; t->n_waiting > 0 && i < PROSPECTS_MAX; i++)
		if (t->entry[i].is_waiting && t->entry[i].due_ms < due_ms)
			due_ms = t->entry[i].due_ms;
	/* Its turn is over, and it had no token. */
	return due_ms <= now_ms ? now_ms + RETRY_MS : due_ms;
}

/* --- what became of it ----------------------------------------------------------------------- */

static void refund(struct prospects *t, const struct entry *e)
{
	const struct budget *of;
	struct bucket *kind = kind_of(t, e, &of);

	if (kind)
		give_back(kind, of);
}

void prospects_rest(struct prospects *t, const struct endpoint *at, int64_t until_ms)
{
	struct entry *e = find(t, at);

	if (!e)
		return;
	if (e->n_tries > 0)
		refund(t, e);
	e->n_tries = 0;
	e->due_ms = until_ms;
	set_waiting(t, e, is_kept(e));
}

void prospects_answered(struct prospects *t, const struct endpoint *at, int64_t now_ms)
{
	struct entry *e = find(t, at);

	if (!e || e->n_tries == 0)
		return;
	prospects_rest(t, at, now_ms + PROSPECTS_REST_MS);
	if (!is_kept(e))
		drop(t, e);
}

void prospects_lost(struct prospects *t, const struct endpoint *at, int64_t now_ms)
{
	struct entry *e = find(t, at);

	if (!e || !is_kept(e) || e->n_tries > 0)
		return;
	e->due_ms = now_ms + FIRST_MS / 2 + jitter(t, FIRST_MS);
}

void prospects_wake(struct prospects *t, int64_t now_ms)
{
	for (size_t i = 0; i < PROSPECTS_MAX; i++) {
		struct entry *e = &t->entry[i];

		e->n_tries = 0;
		if (e->is_waiting)
			e->due_ms = now_ms + jitter(t, WAKE_MS);
		else if (e->due_ms > now_ms)
			e->due_ms = now_ms;
	}
}

void prospects_renew(struct prospects *t)
{
	for (size_t i = 0; i < PROSPECTS_MAX; i++)
		t->entry[i].is_fresh = false;
}

void prospects_expire(struct prospects *t)
{
	for (size_t i = 0; i < PROSPECTS_MAX; i++) {
		struct entry *e = &t->entry[i];

		if (e->p.at.ip.family != 0 && is_kept(e) && !e->is_fresh)
			drop(t, e);
	}
}

size_t prospects_count(const struct prospects *t, unsigned int via)
{
	size_t total = 0;

	for (size_t i = 0; i < PROSPECTS_MAX; i++)
		total += t->entry[i].p.via & via ? 1 : 0;
	return total;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/peers/candidates.h"

#include <string.h>

#define ORDER_MAX     (CANDIDATES_MAX + 1)
#define DOUBLINGS_MAX 8

/**
 * struct order - Addresses in the order of their turns
 */
struct order {
	size_t n;
	const struct endpoint *at[ORDER_MAX];
};

static bool is_none(const struct endpoint *e)
{
	return e->ip.family == 0;
}

static void remove_at(struct candidates *c, size_t i)
{
	c->n--;
	memmove(&c->list[i], &c->list[i + 1], (c->n - i) * sizeof(c->list[0]));
}

/* The entry that goes when there is no room for one of this origin; c->n when none does. */
static size_t find_least(const struct candidates *c, enum candidate_origin origin)
{
	size_t least = c->n;

	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].origin <= origin &&
		    (least == c->n || c->list[i].origin <= c->list[least].origin))
			least = i;
	return least;
}

void candidates_add(struct candidates *c, const struct endpoint *at, enum candidate_origin origin)
{
	struct candidate new = { .at = *at, .origin = (uint8_t)origin };

	if (is_none(at))
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (!endpoint_equal(&c->list[i].at, at))
			continue;
		if (c->list[i].origin > new.origin)
			new.origin = c->list[i].origin;
		remove_at(c, i);
		break;
	}
	if (c->n == CANDIDATES_MAX) {
		size_t least = find_least(c, origin);

		if (least == c->n)
			return;
		remove_at(c, least);
	}
	memmove(&c->list[1], &c->list[0], c->n * sizeof(c->list[0]));
	c->list[0] = new;
	c->n++;
}

void candidates_drop(struct candidates *c, enum candidate_origin origin)
{
	for (size_t i = c->n; i-- > 0;)
		if (c->list[i].origin == origin)
			remove_at(c, i);
}

void candidates_restart(struct candidates *c)
{
	c->turn = (struct endpoint) { .port = 0 };
	c->until_ms = 0;
	c->n_rounds = 0;
}

const struct endpoint *candidates_current(const struct candidates *c, const struct endpoint *first)
{
	return is_none(&c->turn) ? first : &c->turn;
}

bool candidates_has_failed(const struct candidates *c, const struct endpoint *at, int64_t now_ms)
{
	return !is_none(&c->failed) && endpoint_equal(&c->failed, at) &&
	       now_ms - c->failed_ms < CANDIDATES_FAILED_MS;
}

static void put(struct order *o, const struct endpoint *at, const struct candidates_facts *f)
{
	if (is_none(at) || !f->has_way(f->arg, at))
		return;
	for (size_t i = 0; i < o->n; i++)
		if (endpoint_equal(o->at[i], at))
			return;
	o->at[o->n++] = at;
}

static struct order order_of(const struct candidates *c, const struct endpoint *first,
			     const struct candidates_facts *f)
{
	struct order o = { .n = 0 };

	put(&o, first, f);
	for (int origin = CANDIDATE_MET; origin >= CANDIDATE_TOLD; origin--)
		for (size_t i = 0; i < c->n; i++)
			if (c->list[i].origin == origin)
				put(&o, &c->list[i].at, f);
	return o;
}

static size_t find(const struct order *o, const struct endpoint *at)
{
	for (size_t i = 0; i < o->n; i++)
		if (endpoint_equal(o->at[i], at))
			return i;
	return o->n;
}

static int64_t turn_ms(const struct candidates *c)
{
	unsigned int doublings = c->n_rounds < DOUBLINGS_MAX ? c->n_rounds : DOUBLINGS_MAX;
	int64_t ms = (int64_t)CANDIDATES_TURN_MS << doublings;

	return ms < CANDIDATES_PAUSE_MS ? ms : CANDIDATES_PAUSE_MS;
}

/* Gives entry @i of the order its turn. */
static void begin(struct candidates *c, const struct order *o, size_t i,
		  const struct endpoint *first)
{
	/* The entry may be c->list's, which stays; c->turn is a copy. */
	if (endpoint_equal(o->at[i], first))
		c->turn = (struct endpoint) { .port = 0 };
	else
		c->turn = *o->at[i];
}

/* Packets flow: what gave the handshake is the first choice from now on. */
static void stick(struct candidates *c, struct endpoint *first, int64_t now_ms)
{
	if (!is_none(&c->turn)) {
		c->failed = *first;
		c->failed_ms = now_ms;
		*first = c->turn;
	}
	candidates_restart(c);
}

static enum candidates_step advance(struct candidates *c, const struct order *o, size_t current,
				    const struct endpoint *first, int64_t now_ms)
{
	size_t next = (current + 1) % o->n;

	if (next == 0 && c->n_rounds < UINT8_MAX)
		c->n_rounds++;
	begin(c, o, next, first);
	c->until_ms = now_ms + turn_ms(c);
	return CANDIDATES_WAIT;
}

enum candidates_step candidates_step(struct candidates *c, struct endpoint *first,
				     const struct candidates_facts *f)
{
	struct order o;
	size_t current;

	if (f->has_tunnel) {
		stick(c, first, f->now_ms);
		return CANDIDATES_REST;
	}
	o = order_of(c, first, f);
	if (o.n == 0) {
		candidates_restart(c);
		return CANDIDATES_REST;
	}
	current = find(&o, candidates_current(c, first));
	if (current == o.n) {
		/* No way there: the best of those that there is a way to, without waiting. */
		current = 0;
		begin(c, &o, current, first);
		c->until_ms = 0;
	}
	if (o.n == 1) {
		c->until_ms = 0;
		return CANDIDATES_REST;
	}
	if (c->until_ms == 0)
		c->until_ms = f->now_ms + CANDIDATES_FIRST_MS;
	if (f->now_ms < c->until_ms)
		return CANDIDATES_WAIT;
	/* A handshake of the last seconds is known only to WireGuard. */
	if (f->read_ms < c->until_ms)
		return CANDIDATES_LOOK;
	return advance(c, &o, current, first, f->now_ms);
}

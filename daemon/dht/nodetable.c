/* SPDX-License-Identifier: MIT */
#include "daemon/dht/nodetable.h"

#include <string.h>

#define PING_PAUSE_MS (60 * 1000)

static size_t bucket_of(const struct nodetable *t, const struct nodeid *id)
{
	unsigned int shared = nodeid_prefix(&t->self, id);

	return shared < NODETABLE_BUCKETS ? shared : NODETABLE_BUCKETS - 1;
}

static bool is_bad(const struct table_node *n)
{
	return n->failures >= NODETABLE_BAD;
}

static bool is_good(const struct table_node *n, int64_t now_ms)
{
	return n->failures == 0 && now_ms - n->heard_ms < NODETABLE_FRESH_MS;
}

/* Nodes by number, so that all of them are walked in one loop. */
static struct table_node *node_at(struct nodetable *t, size_t i)
{
	return &t->bucket[i / NODETABLE_K].node[i % NODETABLE_K];
}

static const struct table_node *node_in(const struct nodetable *t, size_t i)
{
	return &t->bucket[i / NODETABLE_K].node[i % NODETABLE_K];
}

void nodetable_init(struct nodetable *t, const struct nodeid *self, int64_t now_ms)
{
	memset(t, 0, sizeof(*t));
	t->self = *self;
	for (size_t i = 0; i < NODETABLE_BUCKETS; i++)
		t->bucket[i].tended_ms = now_ms;
}

static struct table_node *find_address(struct nodetable *t, const struct endpoint *at)
{
	for (size_t i = 0; i < NODETABLE_MAX; i++)
		if (node_at(t, i)->in_use && endpoint_equal(&node_at(t, i)->at, at))
			return node_at(t, i);
	return NULL;
}

/* Somebody alive has this id or, of global ones, this address. */
static bool is_taken(const struct nodetable *t, const struct krpc_node *node)
{
	bool is_global = nodeid_scope(&node->at.ip) == SCOPE_GLOBAL;

	for (size_t i = 0; i < NODETABLE_MAX; i++) {
		const struct table_node *n = node_in(t, i);

		if (!n->in_use || is_bad(n))
			continue;
		if (nodeid_equal(&n->id, &node->id) ||
		    (is_global && ip_equal(&n->at.ip, &node->at.ip)))
			return true;
	}
	return false;
}

static bool is_doubtful(const struct nodetable *t, const struct krpc_node *node)
{
	const struct table_node *list = t->bucket[bucket_of(t, &node->id)].node;

	for (size_t i = 0; i < NODETABLE_K; i++)
		if (list[i].in_use && !is_bad(&list[i]) &&
		    nodeid_neighbours(&list[i].at.ip, &node->at.ip))
			return true;
	return !nodeid_fits(&node->id, &node->at.ip);
}

/* A slot for a newcomer: free, or that of somebody worse. */
static struct table_node *room_for(struct nodetable *t, const struct krpc_node *node)
{
	struct table_node *list = t->bucket[bucket_of(t, &node->id)].node;
	bool may_push = !is_doubtful(t, node);
	struct table_node *worse = NULL;

	for (size_t i = 0; i < NODETABLE_K; i++) {
		if (!list[i].in_use)
			return &list[i];
		if (is_bad(&list[i]) ||
		    (may_push && list[i].is_doubtful && (!worse || !is_bad(worse))))
			worse = &list[i];
	}
	return worse;
}

static void fill(const struct nodetable *t, struct table_node *slot, const struct krpc_node *node,
		 int64_t heard_ms)
{
	slot->in_use = false;
	*slot = (struct table_node) {
		.is_doubtful = is_doubtful(t, node),
		.id = node->id,
		.at = node->at,
		.heard_ms = heard_ms,
	};
	slot->in_use = true;
}

/* The spare that was heard longest ago makes room. */
static void keep_spare(struct nodetable *t, const struct krpc_node *node, int64_t now_ms)
{
	struct table_node *list = t->bucket[bucket_of(t, &node->id)].spare;
	struct table_node *oldest = &list[0];

	for (size_t i = 0; i < NODETABLE_SPARES; i++) {
		if (list[i].in_use && endpoint_equal(&list[i].at, &node->at)) {
			fill(t, &list[i], node, now_ms);
			return;
		}
		if (!list[i].in_use || (oldest->in_use && list[i].heard_ms < oldest->heard_ms))
			oldest = &list[i];
	}
	fill(t, oldest, node, now_ms);
}

static void add(struct nodetable *t, const struct krpc_node *node, int64_t now_ms)
{
	struct table_node *slot = room_for(t, node);

	if (is_taken(t, node))
		return;
	if (!slot) {
		keep_spare(t, node, now_ms);
		return;
	}
	fill(t, slot, node, now_ms);
	t->bucket[bucket_of(t, &node->id)].tended_ms = now_ms;
}

void nodetable_answered(struct nodetable *t, const struct krpc_node *node, int64_t now_ms)
{
	struct table_node *known = find_address(t, &node->at);

	if (nodeid_equal(&node->id, &t->self))
		return;
	if (known && nodeid_equal(&known->id, &node->id)) {
		known->heard_ms = now_ms;
		known->failures = 0;
		return;
	}
	/* Another id at this address: the node was started anew. */
	if (known)
		known->in_use = false;
	add(t, node, now_ms);
}

bool nodetable_wants(struct nodetable *t, const struct krpc_node *node)
{
	return !nodeid_equal(&node->id, &t->self) && !find_address(t, &node->at) &&
	       !is_taken(t, node) && room_for(t, node);
}

bool nodetable_asked(struct nodetable *t, const struct krpc_node *node, int64_t now_ms)
{
	struct table_node *known = find_address(t, &node->at);

	if (!known || !nodeid_equal(&known->id, &node->id))
		return nodetable_wants(t, node);
	/* Whether it answers is another question: failures stay. */
	known->heard_ms = now_ms;
	return false;
}

static void promote_spare(struct nodetable *t, struct table_node *bad)
{
	struct table_node *list = t->bucket[bucket_of(t, &bad->id)].spare;
	struct table_node *newest = NULL;
	struct krpc_node node;

	for (size_t i = 0; i < NODETABLE_SPARES; i++)
		if (list[i].in_use && (!newest || list[i].heard_ms > newest->heard_ms))
			newest = &list[i];
	if (!newest)
		return;
	newest->in_use = false;
	node = (struct krpc_node) { .id = newest->id, .at = newest->at };
	if (!is_taken(t, &node))
		fill(t, bad, &node, newest->heard_ms);
}

void nodetable_failed(struct nodetable *t, const struct endpoint *at)
{
	struct table_node *known = find_address(t, at);

	if (!known)
		return;
	if (known->failures < NODETABLE_BAD)
		known->failures++;
	if (is_bad(known))
		promote_spare(t, known);
}

size_t nodetable_closest(const struct nodetable *t, const struct nodeid *target,
			 struct krpc_node *out, size_t max, int64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < NODETABLE_MAX; i++) {
		const struct table_node *node = node_in(t, i);
		size_t at = n;

		if (!node->in_use || (now_ms != 0 && is_bad(node)))
			continue;
		while (at > 0 && nodeid_compare(target, &node->id, &out[at - 1].id) < 0)
			at--;
		if (at == max)
			continue;
		n += n < max;
		memmove(&out[at + 1], &out[at], (n - at - 1) * sizeof(*out));
		out[at] = (struct krpc_node) { .id = node->id, .at = node->at };
	}
	return n;
}

size_t nodetable_count(const struct nodetable *t, enum nodetable_grade grade, int64_t now_ms)
{
	size_t total = 0;

	for (size_t i = 0; i < NODETABLE_MAX; i++) {
		const struct table_node *n = node_in(t, i);

		total += n->in_use && (grade != NODETABLE_NOT_BAD || !is_bad(n)) &&
			 (grade != NODETABLE_GOOD || is_good(n, now_ms));
	}
	return total;
}

bool nodetable_silent(struct nodetable *t, struct krpc_node *out, int64_t now_ms)
{
	struct table_node *longest = NULL;

	for (size_t i = 0; i < NODETABLE_MAX; i++) {
		struct table_node *n = node_at(t, i);

		if (!n->in_use || is_bad(n) || is_good(n, now_ms) ||
		    (n->pinged_ms != 0 && now_ms - n->pinged_ms < PING_PAUSE_MS))
			continue;
		if (!longest || n->heard_ms < longest->heard_ms)
			longest = n;
	}
	if (!longest)
		return false;
	longest->pinged_ms = now_ms;
	*out = (struct krpc_node) { .id = longest->id, .at = longest->at };
	return true;
}

static bool is_thin(const struct nodetable *t, size_t bucket)
{
	const struct table_node *list = t->bucket[bucket].node;

	for (size_t i = 0; i < NODETABLE_K; i++)
		if (!list[i].in_use || is_bad(&list[i]))
			return true;
	return false;
}

static bool is_empty(const struct nodetable *t, size_t bucket)
{
	for (size_t i = 0; i < NODETABLE_K; i++)
		if (t->bucket[bucket].node[i].in_use)
			return false;
	return true;
}

/* Our own first bits, the one behind them turned over, and the rest as it comes. */
static void move_into(struct nodeid *target, const struct nodeid *self, size_t bucket)
{
	for (size_t bit = 0; bit <= bucket; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> (bit % 8));
		uint8_t own = self->b[bit / 8] & mask;

		if (bit == bucket)
			own ^= mask;
		target->b[bit / 8] = (uint8_t)((target->b[bit / 8] & ~mask) | own);
	}
}

/* Beyond the deepest bucket that has somebody there is nobody to be found. */
static size_t depth_of(const struct nodetable *t)
{
	size_t depth = NODETABLE_BUCKETS;

	while (depth > 0 && is_empty(t, depth - 1))
		depth--;
	return depth;
}

bool nodetable_thin(struct nodetable *t, struct nodeid *target, int64_t now_ms)
{
	size_t depth = depth_of(t);

	for (size_t i = 0; i < depth; i++) {
		if (now_ms - t->bucket[i].tended_ms < NODETABLE_FRESH_MS || !is_thin(t, i))
			continue;
		t->bucket[i].tended_ms = now_ms;
		move_into(target, &t->self, i);
		return true;
	}
	return false;
}

static int64_t ping_due_ms(const struct table_node *n)
{
	int64_t silent_ms = n->heard_ms + NODETABLE_FRESH_MS;
	int64_t again_ms = n->pinged_ms + PING_PAUSE_MS;

	if (n->failures > 0)
		silent_ms = n->heard_ms;
	return n->pinged_ms != 0 && again_ms > silent_ms ? again_ms : silent_ms;
}

int64_t nodetable_due_ms(const struct nodetable *t)
{
	size_t depth = depth_of(t);
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < NODETABLE_MAX; i++) {
		const struct table_node *n = node_in(t, i);

		if (n->in_use && !is_bad(n) && ping_due_ms(n) < due)
			due = ping_due_ms(n);
	}
	for (size_t i = 0; i < depth; i++)
		if (is_thin(t, i) && t->bucket[i].tended_ms + NODETABLE_FRESH_MS < due)
			due = t->bucket[i].tended_ms + NODETABLE_FRESH_MS;
	return due;
}

void nodetable_rename(struct nodetable *t, const struct nodeid *self)
{
	struct nodetable old = *t;

	nodetable_init(t, self, 0);
	for (size_t i = 0; i < NODETABLE_MAX; i++) {
		const struct table_node *n = node_in(&old, i);
		struct krpc_node node = { .id = n->id, .at = n->at };
		struct table_node *slot;

		if (!n->in_use || nodeid_equal(&n->id, self))
			continue;
		slot = room_for(t, &node);
		if (slot)
			*slot = *n;
	}
	for (size_t i = 0; i < NODETABLE_BUCKETS; i++)
		t->bucket[i].tended_ms = old.bucket[i].tended_ms;
}

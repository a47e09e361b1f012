/* SPDX-License-Identifier: MIT */
#include "daemon/dht/lookup.h"

#include <string.h>

void lookup_begin(struct lookup *l, const struct nodeid *target, const struct nodeid *self,
		  uint8_t family, int64_t now_ms)
{
	memset(l, 0, sizeof(*l));
	l->target = *target;
	l->self = *self;
	l->family = family;
	l->began_ms = now_ms;
}

static struct lookup_node *find_node(struct lookup *l, const struct endpoint *at)
{
	for (size_t i = 0; i < l->n; i++)
		if (endpoint_equal(&l->node[i].at, at))
			return &l->node[i];
	return NULL;
}

static bool has_id(const struct lookup *l, const struct nodeid *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->node[i].has_id && l->node[i].state != LOOKUP_FAILED &&
		    nodeid_equal(&l->node[i].id, id))
			return true;
	return false;
}

static bool is_before(const struct lookup *l, const struct lookup_node *a,
		      const struct lookup_node *b)
{
	if (!a->has_id || !b->has_id)
		return !a->has_id && b->has_id;
	return nodeid_compare(&l->target, &a->id, &b->id) < 0;
}

static void drop(struct lookup *l, size_t at)
{
	l->n--;
	memmove(&l->node[at], &l->node[at + 1], (l->n - at) * sizeof(l->node[0]));
}

/* The farthest one whom nobody waits for makes room, when the newcomer is closer. */
static bool make_room(struct lookup *l, const struct lookup_node *node)
{
	if (l->n < LOOKUP_NODES_MAX)
		return true;
	for (size_t i = l->n; i > 0; i--) {
		const struct lookup_node *far = &l->node[i - 1];

		if (far->state == LOOKUP_ASKED)
			continue;
		if (far->state != LOOKUP_FAILED && !is_before(l, node, far))
			return false;
		drop(l, i - 1);
		return true;
	}
	return false;
}

static void insert(struct lookup *l, const struct lookup_node *node)
{
	size_t at = l->n;

	while (at > 0 && is_before(l, node, &l->node[at - 1]))
		at--;
	memmove(&l->node[at + 1], &l->node[at], (l->n - at) * sizeof(l->node[0]));
	l->node[at] = *node;
	l->n++;
}

bool lookup_offer(struct lookup *l, const struct nodeid *id, const struct endpoint *at)
{
	struct lookup_node node = { .has_id = id != NULL, .at = *at };

	if (at->ip.family != l->family || at->port == 0 || find_node(l, at))
		return false;
	if (id) {
		if (nodeid_equal(id, &l->self) || has_id(l, id))
			return false;
		node.id = *id;
	}
	if (!make_room(l, &node))
		return false;
	insert(l, &node);
	return true;
}

/*
 * The nodes that count, closest first: those without an id, then the closest eight that have not failed,
 * with at most four doubtful ones among them.
 */
struct walk {
	const struct lookup *l;
	bool only_answered;
	size_t next;
	size_t n_doubtful;
	size_t n;
	const struct lookup_node *counted[LOOKUP_K];
};

static bool is_doubtful(const struct walk *w, const struct lookup_node *node)
{
	for (size_t i = 0; i < w->n; i++)
		if (nodeid_neighbours(&w->counted[i]->at.ip, &node->at.ip))
			return true;
	return !nodeid_fits(&node->id, &node->at.ip);
}

static bool counts(struct walk *w, const struct lookup_node *node)
{
	if (!node->has_id)
		return true;
	if (is_doubtful(w, node)) {
		if (w->n_doubtful == LOOKUP_DOUBTFUL_MAX)
			return false;
		w->n_doubtful++;
	}
	w->counted[w->n++] = node;
	return true;
}

static const struct lookup_node *walk(struct walk *w)
{
	while (w->next < w->l->n && w->n < LOOKUP_K) {
		const struct lookup_node *node = &w->l->node[w->next++];

		if (node->state == LOOKUP_FAILED ||
		    (w->only_answered && node->state != LOOKUP_ANSWERED))
			continue;
		if (counts(w, node))
			return node;
	}
	return NULL;
}

static bool is_slow(const struct lookup_node *node, int64_t now_ms)
{
	return now_ms - node->asked_ms >= LOOKUP_SLOW_MS;
}

static bool may_ask(const struct lookup *l, int64_t now_ms)
{
	size_t fast = 0;
	size_t slow = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->node[i].state != LOOKUP_ASKED)
			continue;
		if (is_slow(&l->node[i], now_ms))
			slow++;
		else
			fast++;
	}
	return fast < LOOKUP_ALPHA && fast + slow < LOOKUP_FLIGHT_MAX &&
	       l->n_queries < LOOKUP_QUERIES_MAX && now_ms - l->began_ms < LOOKUP_LIMIT_MS;
}

const struct lookup_node *lookup_next(struct lookup *l, int64_t now_ms)
{
	struct walk w = { .l = l };
	const struct lookup_node *node;

	if (!may_ask(l, now_ms))
		return NULL;
	for (node = walk(&w); node; node = walk(&w)) {
		struct lookup_node *asked = &l->node[w.next - 1];

		if (node->state != LOOKUP_NEW)
			continue;
		asked->state = LOOKUP_ASKED;
		asked->asked_ms = now_ms;
		l->n_queries++;
		return asked;
	}
	return NULL;
}

static void take_offers(struct lookup *l, const struct endpoint *from, const struct krpc_message *m)
{
	unsigned int taken = 0;

	for (size_t i = 0; i < m->n_nodes && taken < LOOKUP_OFFERS_MAX; i++)
		if (nodeid_may_tell(&from->ip, &m->nodes[i].at))
			taken += lookup_offer(l, &m->nodes[i].id, &m->nodes[i].at);
}

/* Its place in the order is known only now. */
static struct lookup_node *learn_id(struct lookup *l, struct lookup_node *node,
				    const struct nodeid *id)
{
	struct lookup_node copy = *node;

	drop(l, (size_t)(node - l->node));
	if (nodeid_equal(id, &l->self) || has_id(l, id))
		return NULL;
	copy.has_id = true;
	copy.id = *id;
	insert(l, &copy);
	return find_node(l, &copy.at);
}

bool lookup_answered(struct lookup *l, const struct endpoint *from, const struct krpc_message *m)
{
	struct lookup_node *node = find_node(l, from);

	if (!node || node->state != LOOKUP_ASKED || !m->has_id)
		return false;
	if (node->has_id && !nodeid_equal(&node->id, &m->id)) {
		node->state = LOOKUP_FAILED;
		return false;
	}
	if (!node->has_id)
		node = learn_id(l, node, &m->id);
	if (!node)
		return false;
	node->state = LOOKUP_ANSWERED;
	node->token_len = m->token_len;
	memcpy(node->token, m->token, sizeof(node->token));
	take_offers(l, from, m);
	return true;
}

void lookup_failed(struct lookup *l, const struct endpoint *at)
{
	struct lookup_node *node = find_node(l, at);

	if (node && node->state == LOOKUP_ASKED)
		node->state = LOOKUP_FAILED;
}

bool lookup_is_done(const struct lookup *l, int64_t now_ms)
{
	bool is_over = now_ms - l->began_ms >= LOOKUP_LIMIT_MS;
	struct walk w = { .l = l };

	if (is_over)
		return true;
	for (const struct lookup_node *node = walk(&w); node; node = walk(&w))
		if (node->state == LOOKUP_ASKED ||
		    (node->state == LOOKUP_NEW && l->n_queries < LOOKUP_QUERIES_MAX))
			return false;
	return true;
}

int64_t lookup_slow_ms(const struct lookup *l, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < l->n; i++) {
		const struct lookup_node *node = &l->node[i];

		if (node->state == LOOKUP_ASKED && !is_slow(node, now_ms) &&
		    node->asked_ms + LOOKUP_SLOW_MS < next)
			next = node->asked_ms + LOOKUP_SLOW_MS;
	}
	return next;
}

size_t lookup_closest(const struct lookup *l, const struct lookup_node *out[static LOOKUP_K])
{
	/* When the time was up, those that never answered must not keep out those that did. */
	struct walk w = { .l = l, .only_answered = true };
	size_t n = 0;

	for (const struct lookup_node *node = walk(&w); node; node = walk(&w))
		if (node->token_len > 0)
			out[n++] = node;
	return n;
}

size_t lookup_count(const struct lookup *l, enum lookup_state state)
{
	size_t total = 0;

	for (size_t i = 0; i < l->n; i++)
		total += l->node[i].state == state;
	return total;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/net/connset.h"

void connset_init(struct connset *s, size_t max, conn_evict_fn *evict)
{
	*s = (struct connset) { .max = max, .evict = evict };
}

static void close_one(struct connset *s, struct conn *c)
{
	connset_remove(c);
	s->evict(c->owner);
}

void connset_add(struct connset *s, struct conn *c, void *owner, int64_t now_ms)
{
	while (s->n >= s->max)
		(void)connset_evict(s);
	*c = (struct conn) {
		.owner = owner,
		.since_ms = now_ms,
		.set = s,
		.older = s->newest,
	};
	if (s->newest)
		s->newest->newer = c;
	else
		s->oldest = c;
	s->newest = c;
	s->n++;
}

void connset_remove(struct conn *c)
{
	struct connset *s = c->set;

	if (!s)
		return;
	if (c->older)
		c->older->newer = c->newer;
	else
		s->oldest = c->newer;
	if (c->newer)
		c->newer->older = c->older;
	else
		s->newest = c->older;
	s->n--;
	c->set = NULL;
	c->older = NULL;
	c->newer = NULL;
}

/* Who is evicted next. */
static struct conn *next_out(const struct connset *s)
{
	struct conn *c = s->oldest;

	while (c && c->is_served)
		c = c->newer;
	return c ? c : s->oldest;
}

bool connset_evict(struct connset *s)
{
	struct conn *c = next_out(s);

	if (!c)
		return false;
	s->n_evicted++;
	close_one(s, c);
	return true;
}

int64_t connset_wait(const struct connset *s, int64_t now_ms, int64_t grace_ms)
{
	const struct conn *c = s->n < s->max ? NULL : next_out(s);
	int64_t left_ms = c ? c->since_ms + grace_ms - now_ms : 0;

	return left_ms > 0 ? left_ms : 0;
}

int64_t connset_expire(struct connset *s, int64_t now_ms, int64_t lifetime_ms)
{
	while (s->oldest && now_ms - s->oldest->since_ms >= lifetime_ms) {
		s->n_evicted++;
		close_one(s, s->oldest);
	}
	return s->oldest ? s->oldest->since_ms + lifetime_ms - now_ms : -1;
}

void connset_clear(struct connset *s)
{
	while (s->oldest)
		close_one(s, s->oldest);
}

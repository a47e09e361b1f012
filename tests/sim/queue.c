/* SPDX-License-Identifier: MIT */
/* A binary heap: a thousand nodes with a thousand peers each have a million timers. */
#include "tests/sim/queue.h"
#include "tests/sim/world.h"

#include <stdlib.h>

struct entry {
	int64_t at_us;
	uint64_t number;
	struct item *item;
};

static struct {
	int64_t now_us;
	uint64_t number;
	size_t n;
	size_t size;
	struct entry *heap;
} q;

int64_t queue_now_us(void)
{
	return q.now_us;
}

static bool is_before(const struct entry *a, const struct entry *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->number < b->number);
}

static void place(size_t at, const struct entry *e)
{
	q.heap[at] = *e;
	e->item->at = at + 1;
}

static void rise(size_t at, const struct entry *e)
{
	while (at > 0 && is_before(e, &q.heap[(at - 1) / 2])) {
		place(at, &q.heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(at, e);
}

static void sink(size_t at, const struct entry *e)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < q.n && is_before(&q.heap[child + 1], &q.heap[child]))
			child++;
		if (child >= q.n || !is_before(&q.heap[child], e))
			break;
		place(at, &q.heap[child]);
		at = child;
	}
	place(at, e);
}

void queue_drop(struct item *i)
{
	struct entry last;
	size_t at = i->at - 1;

	if (!queue_has(i))
		return;
	i->at = 0;
	last = q.heap[--q.n];
	if (at == q.n)
		return;
	if (at > 0 && is_before(&last, &q.heap[(at - 1) / 2]))
		rise(at, &last);
	else
		sink(at, &last);
}

void queue_put(struct item *i, int64_t at_us)
{
	struct entry e = { .at_us = at_us < q.now_us ? q.now_us : at_us,
			   .number = q.number++,
			   .item = i };

	queue_drop(i);
	if (q.n == q.size) {
		q.size = q.size == 0 ? 1024 : 2 * q.size;
		q.heap = world_keep(realloc(q.heap, q.size * sizeof(*q.heap)));
	}
	q.n++;
	rise(q.n - 1, &e);
}

int64_t queue_due_us(const struct item *i)
{
	return q.heap[i->at - 1].at_us;
}

bool queue_step(int64_t end_us)
{
	struct item *i;

	if (q.n == 0 || q.heap[0].at_us > end_us) {
		q.now_us = end_us;
		return false;
	}
	q.now_us = q.heap[0].at_us;
	i = q.heap[0].item;
	/* Whoever is busy does it later; the order of what waits stays. */
	if (i->host && i->host->busy_us > q.now_us) {
		struct entry later = { .at_us = i->host->busy_us,
				       .number = q.heap[0].number,
				       .item = i };

		sink(0, &later);
		return true;
	}
	queue_drop(i);
	i->fire(i);
	return true;
}

void queue_reset(void)
{
	q.now_us = 0;
	q.number = 0;
}

void queue_free(void)
{
	while (q.n > 0) {
		struct item *i = q.heap[0].item;

		queue_drop(i);
		i->fire(i);
	}
	free(q.heap);
	q.heap = NULL;
	q.n = 0;
	q.size = 0;
}

/* SPDX-License-Identifier: MIT */
/* queue - what happens when, in simulated time; equal moments in the order they were asked for */
#ifndef TESTS_SIM_QUEUE_H
#define TESTS_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS INT64_C(1000)    /* microseconds */
#define S  INT64_C(1000000) /* microseconds */

struct host;

/**
 * struct item - Something that will happen; embedded in whatever it is about
 * @fire:	Called once, with the item out of the queue: it may be queued again, or freed
 * @host:	Whose processor it takes: it waits while that is busy; NULL for nobody's
 * @at:		Place in the queue plus one, 0 while it is not queued
 */
struct item {
	void (*fire)(struct item *i);
	struct host *host;
	size_t at;
};

/* Simulated microseconds since the beginning. */
int64_t queue_now_us(void);

/* Queues an item, or queues it anew. A moment that is past is now. */
void queue_put(struct item *i, int64_t at_us);
void queue_drop(struct item *i);
static inline bool queue_has(const struct item *i)
{
	return i->at != 0;
}

/* When it is due; only for a queued one. */
int64_t queue_due_us(const struct item *i);

/* Fires the next item; false when there is none before @end_us, which is now then. */
bool queue_step(int64_t end_us);

/* Begins at 0 again; nothing may be queued. */
void queue_reset(void);
/* The end of time: fires what is queued still, which must be able to end anywhere. */
void queue_free(void);

#endif /* TESTS_SIM_QUEUE_H */

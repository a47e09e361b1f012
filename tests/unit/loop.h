/* SPDX-License-Identifier: MIT */
/* loop - run an event loop until something has happened, or fail after a while */
#ifndef TESTS_UNIT_LOOP_H
#define TESTS_UNIT_LOOP_H

#include "tests/unit/test.h"

#include <event2/event.h>
#include <stdbool.h>

#define LOOP_PATIENCE_S 10

static inline void loop_give_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

/* Runs until @done says so; false when that took too long. */
static inline bool loop_until(struct event_base *base, bool (*done)(void *arg), void *arg)
{
	static const struct timeval patience = { .tv_sec = LOOP_PATIENCE_S };
	bool is_late = false;
	struct event *limit = evtimer_new(base, loop_give_up, &is_late);

	assert_non_null(limit);
	assert_int_equal(event_add(limit, &patience), 0);
	while (!is_late && !done(arg))
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	event_free(limit);
	return !is_late;
}

/* Handles everything that is due already. */
static inline void loop_drain(struct event_base *base)
{
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

#endif /* TESTS_UNIT_LOOP_H */

/* SPDX-License-Identifier: MIT */
#include "daemon/view/gather.h"
#include "daemon/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

/* Everybody at once. A waiter may ask again, or cancel another one, while it is called. */
static void deliver(struct gather *g)
{
	struct view view;
	struct view_waiter *w;

	if (!g->waiters)
		return;
	memset(&view, 0, sizeof(view));
	g->h.fill(g->h.arg, &view);
	view.is_fresh = (g->late & GATHER_NETADMIN) == 0 && view.phase == VIEW_RUNNING;
	while ((w = g->waiters) != NULL) {
		g->waiters = w->next;
		w->next = NULL;
		w->done(&view, w->arg);
	}
}

static void end(struct gather *g)
{
	g->is_running = false;
	g->late = g->pending;
	g->pending = 0;
	g->done_ms = g->late == 0 ? clock_now().mono_ms : INT64_MIN;
	(void)event_del(g->timer);
	deliver(g);
}

static void on_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct gather *g = arg;

	(void)fd;
	(void)what;
	if (!g->is_running)
		deliver(g);
	else if (g->pending == 0)
		end(g);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg);
}

int gather_open(struct gather *g, struct event_base *base, const struct gather_handler *h)
{
	memset(g, 0, sizeof(*g));
	g->h = *h;
	g->done_ms = INT64_MIN;
	g->timer = evtimer_new(base, on_timer, g);
	g->deliver = event_new(base, -1, 0, on_deliver, g);
	return g->timer && g->deliver ? 0 : -ENOMEM;
}

void gather_close(struct gather *g)
{
	g->waiters = NULL;
	if (g->timer)
		event_free(g->timer);
	if (g->deliver)
		event_free(g->deliver);
	g->timer = NULL;
	g->deliver = NULL;
}

static void begin(struct gather *g)
{
	static const struct timeval patience = { .tv_sec = VIEW_PATIENCE_MS / 1000,
						 .tv_usec = VIEW_PATIENCE_MS % 1000 * 1000L };

	g->is_running = true;
	g->pending = g->h.begin(g->h.arg);
	(void)event_add(g->timer, &patience);
	if (g->pending == 0)
		event_active(g->deliver, 0, 0);
}

void gather_ask(struct gather *g, struct view_waiter *w)
{
	struct view_waiter **link = &g->waiters;

	while (*link)
		link = &(*link)->next;
	*link = w;
	w->next = NULL;
	if (g->is_running)
		return;
	if (g->done_ms != INT64_MIN && clock_now().mono_ms - g->done_ms < GATHER_REUSE_MS)
		event_active(g->deliver, 0, 0);
	else
		begin(g);
}

void gather_cancel(struct gather *g, struct view_waiter *w)
{
	for (struct view_waiter **link = &g->waiters; *link; link = &(*link)->next) {
		if (*link != w)
			continue;
		*link = w->next;
		w->next = NULL;
		return;
	}
}

void gather_came(struct gather *g, unsigned int whom)
{
	if (!g->is_running || !(g->pending & whom))
		return;
	g->pending &= ~whom;
	if (g->pending == 0)
		end(g);
}

void gather_expire(struct gather *g, unsigned int also)
{
	g->done_ms = INT64_MIN;
	if (g->is_running)
		g->pending |= also;
}

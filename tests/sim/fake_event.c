/* SPDX-License-Identifier: MIT */
/*
 * The part of libevent that a node uses, over simulated time. The program is linked without the real
 * one: a node that begins to use more of it does not link, and cannot escape into real time.
 */
#include "tests/sim/network.h"
#include "tests/sim/world.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

struct event_base {
	struct host *host;
	struct event *signals;
	bool is_broken;
};

struct event {
	struct item item;
	struct event_base *base;
	evutil_socket_t fd;
	short what;
	short fires; /* with what it is called when it is due */
	event_callback_fn fn;
	void *arg;
	int64_t period_us;
	struct event *next_signal;
};

struct event_base *event_base_new(void)
{
	struct event_base *b = world_keep(calloc(1, sizeof(*b)));

	b->host = world()->current;
	world()->current->base = b;
	return b;
}

void event_base_free(struct event_base *b)
{
	b->host->base = NULL;
	free(b);
}

int event_base_loopbreak(struct event_base *b)
{
	if (!b->is_broken)
		queue_put(&b->host->ending, queue_now_us());
	b->is_broken = true;
	return 0;
}

int event_base_dispatch(struct event_base *b)
{
	(void)b;
	return 0;
}

static void on_due(struct item *i)
{
	struct event *ev = (struct event *)i;
	struct host *h = ev->base->host;
	struct host *outer;

	if (ev->base->is_broken)
		return;
	if (ev->period_us > 0)
		queue_put(i, queue_now_us() + ev->period_us);
	h->tally.turns++;
	outer = world_enter(h);
	ev->fn(ev->fd, ev->fires, ev->arg);
	(void)world_enter(outer);
}

void event_fire_readable(struct event *ev)
{
	ev->fires = EV_READ;
	if (!queue_has(&ev->item))
		queue_put(&ev->item, queue_now_us());
}

struct event *event_new(struct event_base *b, evutil_socket_t fd, short what, event_callback_fn fn,
			void *arg)
{
	struct event *ev = world_keep(calloc(1, sizeof(*ev)));

	ev->item.fire = on_due;
	ev->item.host = b->host;
	ev->base = b;
	ev->fd = fd;
	ev->what = what;
	ev->fires = EV_TIMEOUT;
	ev->fn = fn;
	ev->arg = arg;
	if (what & EV_SIGNAL) {
		ev->next_signal = b->signals;
		b->signals = ev;
	}
	return ev;
}

int event_add(struct event *ev, const struct timeval *timeout)
{
	int64_t us;

	if (ev->what & EV_READ)
		network_listen(ev->fd, ev);
	if (!timeout)
		return 0;
	us = (int64_t)timeout->tv_sec * S + timeout->tv_usec;
	ev->period_us = (ev->what & EV_PERSIST) ? us : 0;
	queue_put(&ev->item, queue_now_us() + us);
	return 0;
}

int event_del(struct event *ev)
{
	if (ev->what & EV_READ)
		network_listen(ev->fd, NULL);
	queue_drop(&ev->item);
	ev->period_us = 0;
	return 0;
}

void event_free(struct event *ev)
{
	struct event **link = &ev->base->signals;

	(void)event_del(ev);
	while (*link && *link != ev)
		link = &(*link)->next_signal;
	if (*link)
		*link = ev->next_signal;
	free(ev);
}

void event_active(struct event *ev, int res, short ncalls)
{
	(void)ncalls;
	ev->fires = (short)res;
	queue_put(&ev->item, queue_now_us());
}

int event_pending(const struct event *ev, short events, struct timeval *tv)
{
	int64_t due_us = queue_has(&ev->item) ? queue_due_us(&ev->item) : 0;

	if (tv && queue_has(&ev->item)) {
		tv->tv_sec = due_us / S;
		tv->tv_usec = due_us % S;
	}
	return queue_has(&ev->item) ? events & (EV_TIMEOUT | EV_READ) : 0;
}

static void signal_node(const struct host *h, int number)
{
	for (struct event *ev = h->base ? h->base->signals : NULL; ev; ev = ev->next_signal)
		if (ev->fd == number)
			event_active(ev, EV_SIGNAL, 1);
}

void world_stop(struct host *h)
{
	signal_node(h, SIGTERM);
}

void world_reload(struct host *h, const char *text)
{
	free(h->reload);
	h->reload = world_keep(strdup(text));
	signal_node(h, SIGHUP);
}

/* SPDX-License-Identifier: MIT */
/*
 * gather - ask what a fresh view needs, once for all who wait, and never longer than a limit
 *
 * Nothing happens unless somebody asks. Who asks while answers are on their way shares them; who asks
 * a moment after gets the same again.
 */
#ifndef DAEMON_VIEW_GATHER_H
#define DAEMON_VIEW_GATHER_H

#include "daemon/view/view.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct event;

#define GATHER_REUSE_MS 1000

/* Who is asked; a bit each. */
enum gather_whom {
	GATHER_NETADMIN = 1 << 0,   /* handshakes and bytes */
	GATHER_SUPERVISOR = 1 << 1, /* PID 1's lines */
	GATHER_RELOAD = 1 << 2,	    /* a reload that is under way */
};

/**
 * struct gather_handler - The node, as a gathering sees it
 * @arg:	Passed to each call
 * @begin:	Ask everybody; returns enum gather_whom bits of those whose answer will come, each
 *		reported by gather_came(), never before @begin returns
 * @fill:	Fill in a view from what has come
 */
struct gather_handler {
	void *arg;
	unsigned int (*begin)(void *arg);
	void (*fill)(void *arg, struct view *out);
};

/**
 * struct gather - A gathering, and who waits for it
 * @h:		The node
 * @timer:	Ends the waiting
 * @deliver:	Answers from the loop, never out of gather_ask()
 * @waiters:	Who waits, in the order of asking
 * @pending:	Whose answers have not come
 * @is_running:	Answers are on their way
 * @late:	Whose answers did not come in the last one
 * @done_ms:	When the last gathering that got all answers was complete; INT64_MIN for never
 */
struct gather {
	struct gather_handler h;
	struct event *timer;
	struct event *deliver;
	struct view_waiter *waiters;
	unsigned int pending;
	bool is_running;
	unsigned int late;
	int64_t done_ms;
};

/**
 * gather_open() - Prepare
 * @g:		Gathering; in place until gather_close(), which is safe on a zeroed one
 * @base:	Event loop; borrowed
 * @h:		The node; copied
 *
 * Return: 0 or -ENOMEM
 */
int gather_open(struct gather *g, struct event_base *base, const struct gather_handler *h);

/**
 * gather_close() - Forget everybody who waits
 */
void gather_close(struct gather *g);

/**
 * gather_ask() - Wait for a fresh view
 * @g:		Gathering
 * @w:		Waiter; called from the event loop, within VIEW_PATIENCE_MS
 */
void gather_ask(struct gather *g, struct view_waiter *w);

/**
 * gather_cancel() - A waiter is gone; harmless when it does not wait
 */
void gather_cancel(struct gather *g, struct view_waiter *w);

/**
 * gather_came() - Somebody's answer has come, or never will
 * @g:		Gathering
 * @whom:	enum gather_whom bit; harmless when nobody waits for it
 */
void gather_came(struct gather *g, unsigned int whom);

/**
 * gather_expire() - What was gathered is out of date: the next one who asks waits for new answers
 * @g:		Gathering
 * @also:	enum gather_whom bits that one that is under way has to wait for as well
 */
void gather_expire(struct gather *g, unsigned int also);

#endif /* DAEMON_VIEW_GATHER_H */

/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A timer on the wall clock, at the moment when the clock will be right again, and far away while it
 * is right. The kernel ends it early when somebody sets the clock (TFD_TIMER_CANCEL_ON_SET), so
 * nothing is polled. While the clock is behind, peers stay configured, what they begin is answered,
 * and tunnels that are up stay up; only nothing is begun by us. See daemon/node/clockback.h.
 */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FAR_S \
	INT64_C(86400000000) /* 2,700 years: while the clock is right, only its setting counts */

static void arm(const struct node *n, int64_t behind_s)
{
	const struct itimerspec at = {
		.it_value.tv_sec =
			behind_s > 0 ? n->clockback.floor_s - CLOCKBACK_SLACK_S + 1 : FAR_S,
	};

	/* A kernel that cannot watch for that still tells when the clock has caught up. */
	if (timerfd_settime(n->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL) <
	    0)
		(void)timerfd_settime(n->clock_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void look(struct node *n)
{
	const int64_t before_ms = n->clockback.hold_until_ms;

	arm(n, clockback_look(&n->clockback, clock_now()));
	n->self.hold_until_ms = n->clockback.hold_until_ms;
	if (n->self.hold_until_ms == before_ms)
		return;
	node_view_judge(n);
	for (struct peer *p = peers_next(n->peers, NULL); p; p = peers_next(n->peers, p))
		peers_mark(n->peers, p);
	node_peers_flush(n);
}

static void on_clock(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;
	uint64_t count;

	(void)what;
	/* ECANCELED says that the clock was set; either way it is looked at. */
	(void)!read(fd, &count, sizeof(count));
	if (n->phase == NODE_RUNNING)
		look(n);
}

void node_clock_open(struct node *n)
{
	n->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (n->clock_fd >= 0)
		n->clock_event = event_new(n->base, n->clock_fd, EV_READ | EV_PERSIST, on_clock, n);
	if (n->clock_event && event_add(n->clock_event, NULL) == 0)
		look(n);
	else
		node_clock_close(n);
}

void node_clock_close(struct node *n)
{
	if (n->clock_event)
		event_free(n->clock_event);
	if (n->clock_fd >= 0)
		(void)close(n->clock_fd);
	n->clock_event = NULL;
	n->clock_fd = -1;
}

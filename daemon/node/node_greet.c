/* SPDX-License-Identifier: MIT */
/* Greets all peers, a few at a time: a thousand HELLOs at once would be lost in our own buffers. */
#include "daemon/node/node_impl.h"

#include <event2/event.h>

#define BATCH	 32
#define PAUSE_MS 600 /* unanswered, a HELLO occupies the exchange for four seconds */

static void on_greet_timer(evutil_socket_t fd, short what, void *arg);

static void go_on_later(struct node *n)
{
	static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };

	if (!n->nat.greet_timer)
		n->nat.greet_timer = evtimer_new(n->base, on_greet_timer, n);
	/* Without memory the others hear it by their next HELLO. */
	if (n->nat.greet_timer)
		(void)event_add(n->nat.greet_timer, &pause);
}

static void greet_some(struct node *n)
{
	struct now now = clock_now();
	unsigned int n_greeted = 0;

	for (; n->nat.greet_slot < PEERS_MAX; n->nat.greet_slot++) {
		struct peer *p = peers_at(n->peers, n->nat.greet_slot);

		if (!p || !peer_is_active(p, now))
			continue;
		if (n_greeted++ == BATCH) {
			go_on_later(n);
			return;
		}
		node_peers_hello(n, p, now);
	}
}

static void on_greet_timer(evutil_socket_t fd, short what, void *arg)
{
	struct node *n = arg;

	(void)fd;
	(void)what;
	if (n->phase == NODE_RUNNING)
		greet_some(n);
}

void node_peers_greet(struct node *n)
{
	n->nat.greet_slot = 0;
	greet_some(n);
}

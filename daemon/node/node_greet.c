/* SPDX-License-Identifier: MIT */
/* Greets all peers, a few at a time: a thousand HELLOs at once would be lost in our own buffers. */
#include "daemon/node/node_impl.h"

#include <event2/event.h>

#define BATCH	 64
#define PAUSE_MS 200

static void greet_some(struct node *n)
{
	static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
	struct now now = clock_now();
	unsigned int n_greeted = 0;

	for (; n->nat.greet_slot < PEERS_MAX; n->nat.greet_slot++) {
		struct peer *p = peers_at(n->peers, n->nat.greet_slot);

		if (!p || !peer_is_active(p, now))
			continue;
		if (n_greeted++ == BATCH) {
			(void)event_add(n->nat.greet_timer, &pause);
			break;
		}
		node_peers_hello(n, p, now);
	}
	node_peers_flush(n);
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
	if (!n->nat.greet_timer)
		n->nat.greet_timer = evtimer_new(n->base, on_greet_timer, n);
	n->nat.greet_slot = 0;
	if (n->nat.greet_timer)
		greet_some(n);
}

/* SPDX-License-Identifier: MIT */
/*
 * pace - accept connections no faster than those who came can be heard
 *
 * libevent accepts whoever is in the backlog before it looks at anybody else. Of a crowd, those who came
 * first would be evicted for the others before a byte of theirs was read. So a few are let in at a
 * time, and who was let in has a moment to ask. The others wait in the backlog, which had better be long.
 */
#ifndef DAEMON_NET_PACE_H
#define DAEMON_NET_PACE_H

#include "daemon/net/connset.h"

#include <stdbool.h>

#define PACE_GRACE_MS 10

struct event;
struct event_base;

/* Listens, or does not for a while. */
typedef void pace_fn(void *arg, bool on);

/**
 * struct pace - How fast a server lets connections in
 * @set:	Its connections
 * @listen:	Called to pause and to go on
 * @arg:	Passed to @listen
 * @resume:	Ends a pause
 * @n_batch:	Let in since others were heard
 */
struct pace {
	struct connset *set;
	pace_fn *listen;
	void *arg;
	struct event *resume;
	unsigned int n_batch;
};

/**
 * pace_open() - Begin
 * @p:		Pace; in place until pace_close(), which is safe on a zeroed one
 * @base:	Event loop; borrowed
 * @set:	Connections; borrowed
 * @listen:	Called to pause and to go on
 * @arg:	Passed to @listen
 *
 * Return: 0 or -ENOMEM
 */
int pace_open(struct pace *p, struct event_base *base, struct connset *set, pace_fn *listen,
	      void *arg);
void pace_close(struct pace *p);

/**
 * pace_let_in() - A connection was accepted and is in the set; may pause
 */
void pace_let_in(struct pace *p);

/**
 * pace_starve() - accept(2) has failed
 *
 * Without a free descriptor a listener stays readable, and the loop would spin. Somebody makes room;
 * where nobody can, there is a pause.
 */
void pace_starve(struct pace *p);

#endif /* DAEMON_NET_PACE_H */

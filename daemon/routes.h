/* SPDX-License-Identifier: MIT */
/* routes - which networks lie behind which peer, and so which kernel routes must exist; pure */
#ifndef DAEMON_ROUTES_H
#define DAEMON_ROUTES_H

#include "daemon/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTES_MAX 4096

/**
 * struct routes - Announced networks with their owners
 * @n:		Entries in use
 * @entry:	A network and the slot of the peer that announces it
 */
struct routes {
	size_t n;
	struct {
		struct prefix net;
		uint16_t owner;
	} entry[ROUTES_MAX];
};

/**
 * struct routes_handler - Who adds and removes the kernel's routes
 * @arg:	Passed to each call
 * @change:	A network gained its first owner, or lost its last
 */
struct routes_handler {
	void *arg;
	void (*change)(void *arg, const struct prefix *net, bool add);
};

/**
 * routes_set() - Replace the networks of one peer
 * @t:		Table
 * @owner:	Slot of the peer
 * @nets:	Its networks, masked; borrowed
 * @n:		Entries in @nets; 0 when the peer is gone
 * @h:		Told what must change
 */
void routes_set(struct routes *t, uint16_t owner, const struct prefix *nets, size_t n,
		const struct routes_handler *h);

#endif /* DAEMON_ROUTES_H */

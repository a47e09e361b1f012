/* SPDX-License-Identifier: MIT */
/* routes - which networks lie behind which peer, and so which kernel routes must exist; pure */
#ifndef DAEMON_PEERS_ROUTES_H
#define DAEMON_PEERS_ROUTES_H

#include "daemon/net/addr.h"

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
 *
 * Return: true when the peer gave up a network, which another one may now have
 */
bool routes_set(struct routes *t, uint16_t owner, const struct prefix *nets, size_t n,
		const struct routes_handler *h);

/**
 * routes_has_room() - Could routes_set() take this network for this peer, or has it already?
 */
bool routes_has_room(const struct routes *t, uint16_t owner, const struct prefix *net);

/**
 * routes_has() - Does anybody announce this network?
 */
bool routes_has(const struct routes *t, const struct prefix *net);

/**
 * routes_repeat() - Tell the handler of each network once more: the kernel has lost its routes
 */
void routes_repeat(const struct routes *t, const struct routes_handler *h);

/**
 * routes_is_led_by_another() - Did another peer announce a network earlier, and still does?
 * @t:		Table
 * @owner:	Slot of the peer
 * @net:	Network, masked
 *
 * WireGuard gives a network to one peer only. The first one keeps it, and the next one takes over
 * when it is gone.
 */
bool routes_is_led_by_another(const struct routes *t, uint16_t owner, const struct prefix *net);

#endif /* DAEMON_PEERS_ROUTES_H */

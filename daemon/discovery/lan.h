/* SPDX-License-Identifier: MIT */
/*
 * lan - announce this node by multicast, and hear others (protocol.md section 7)
 *
 * Joins and sends the group on every suitable interface, not only on the one that a route picks.
 * Nothing is answered here: the node starts an exchange with whom it hears.
 */
#ifndef DAEMON_DISCOVERY_LAN_H
#define DAEMON_DISCOVERY_LAN_H

#include "common/err.h"
#include "daemon/discovery/discovery.h"
#include "daemon/net/addr.h"

#include <stdint.h>

struct event_base;
struct lan;

/**
 * struct lan_config - What LAN discovery needs to know
 * @group:	Multicast group and port
 * @key:	Gossip key, CRYPTO_KEY_LEN bytes; borrowed for good
 * @own_ifindex: Our WireGuard interface: nothing is announced inside the tunnel
 * @handler:	The node; borrowed for good
 */
struct lan_config {
	struct endpoint group;
	const uint8_t *key;
	int own_ifindex;
	const struct discovery_handler *handler;
};

/**
 * lan_open() - Listen, and announce at once, then every five seconds
 * @out:	Receives the handle, to be closed with lan_close()
 * @base:	Event loop; borrowed
 * @cfg:	Configuration; copied
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int lan_open(struct lan **out, struct event_base *base, const struct lan_config *cfg,
	     struct err *e);
void lan_close(struct lan *lan);

/**
 * lan_announce() - Announce now, since what we say of ourselves has changed
 * @lan:	Handle, may be NULL
 */
void lan_announce(struct lan *lan);

#endif /* DAEMON_DISCOVERY_LAN_H */

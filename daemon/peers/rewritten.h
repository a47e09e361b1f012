/* SPDX-License-Identifier: MIT */
/*
 * rewritten - does something on this machine rewrite where a peer's packets come from? pure
 *
 * An engine's userland proxy, or an entry of connection tracking that outlived a container, hands
 * WireGuard's datagrams on with an address of its own. WireGuard then takes that for the peer's
 * endpoint, and the tunnel hangs on an entry that ends one day; the real endpoint is lost.
 */
#ifndef DAEMON_PEERS_REWRITTEN_H
#define DAEMON_PEERS_REWRITTEN_H

#include "daemon/net/addr.h"
#include "daemon/peers/peers.h"

#include <stddef.h>

/**
 * struct rewritten - Peers whose endpoint is not theirs
 * @first:	One of them; NULL for none
 * @n:		How many there are
 */
struct rewritten {
	const struct peer *first;
	size_t n;
};

/**
 * rewritten_look() - Look for peers that come from our own gateway, or from an address of ours
 * @peers:	Table
 * @ours:	Default gateways, and addresses of this machine
 * @n:		Entries in @ours
 * @outside:	Where peers are told to reach us; "none" when unknown
 * @now:	Time
 *
 * Only a tunnel that is up has an endpoint that somebody came from. A node that runs on our gateway, or
 * on this very machine, is known at that address and port, and is none of them; nor is one behind the
 * same NAT as we, whose packets our own router turns round and sends on as its own.
 */
struct rewritten rewritten_look(struct peers *peers, const struct ip *ours, size_t n,
				const struct ip *outside, struct now now);

#endif /* DAEMON_PEERS_REWRITTEN_H */

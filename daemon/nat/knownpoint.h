/* SPDX-License-Identifier: MIT */
/* knownpoint - the endpoint of one peer, as it is told to another; pure */
#ifndef DAEMON_NAT_KNOWNPOINT_H
#define DAEMON_NAT_KNOWNPOINT_H

#include "daemon/peers/peers.h"

/**
 * knownpoint_choose() - Where does a peer tell another one to look for a third?
 * @p:		The third
 * @to:		Address of the one who is told; NULL: unknown, or through the tunnel
 * @now:	Time
 *
 * The address at which our own WireGuard receives it counts before what it says of itself: behind a NAT
 * it cannot know that port. A private address is told only to those who are in a private network
 * themselves, unless nothing else is known.
 *
 * Return: endpoint, "none" when nothing is known
 */
struct endpoint knownpoint_choose(const struct peer *p, const struct endpoint *to, struct now now);

#endif /* DAEMON_NAT_KNOWNPOINT_H */

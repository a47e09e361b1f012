/* SPDX-License-Identifier: MIT */
/* peerpath - how packets get to a peer, or why they do not; pure */
#ifndef DAEMON_PEERS_PEERPATH_H
#define DAEMON_PEERS_PEERPATH_H

#include "daemon/peers/peers.h"

#include <stddef.h>

#define PEERPATH_WHY_SIZE 200

enum peerpath {
	PATH_DIRECT,  /* its tunnel is up, to an address of its own */
	PATH_RELAYED, /* through another node, whose tunnel is up (nat/relay.h) */
	PATH_NONE,    /* no tunnel; the sentence says why */
};

/* "direct", "relayed", "none" */
const char *peerpath_name(enum peerpath path);

/**
 * peerpath_judge() - How packets get to a peer
 * @p:		Peer
 * @now:	Time
 * @why:	Receives, for PATH_NONE, one clause that names the cause and what to look at; otherwise
 *		an empty text
 */
enum peerpath peerpath_judge(const struct peer *p, struct now now,
			     char why[static PEERPATH_WHY_SIZE]);

#endif /* DAEMON_PEERS_PEERPATH_H */

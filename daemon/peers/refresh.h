/* SPDX-License-Identifier: MIT */
/*
 * refresh - when a peer is due for the next HELLO; pure
 *
 * Existing nodes forget us five minutes after our last HELLO, tunnel or not, and are greeted every
 * 80 s. Between our own nodes a live tunnel is life enough, and either one's HELLO serves both: the
 * more there are the rarer they are greeted, so that a thousand cost a node about one HELLO a second.
 */
#ifndef DAEMON_PEERS_REFRESH_H
#define DAEMON_PEERS_REFRESH_H

#include "daemon/peers/peers.h"

#include <stdbool.h>
#include <stdint.h>

#define REFRESH_MS	    80000 /* protocol.md section 9: 60 to 120 s */
#define REFRESH_RARELY_MS   900000
#define REFRESH_PER_PEER_MS 1200 /* between our own nodes, for each that we know */
#define REFRESH_CROWD	    64	 /* so many peers are many: no two HELLOs where one will do */

/**
 * struct refresh - What is kept of a peer for it
 * @hello_ms:	When a HELLO was last started
 * @n_unanswered: HELLOs since it was last heard
 * @met_ms:	When a HELLO or REPLY of its last came
 * @greet_ms:	When a HELLO is due for another reason; 0 for none
 * @dice:	Random, drawn with each HELLO: peers that were greeted together spread out
 */
struct refresh {
	int64_t hello_ms;
	unsigned int n_unanswered;
	int64_t met_ms;
	int64_t greet_ms;
	uint8_t dice;
};

/**
 * refresh_is_linked() - Did its tunnel live a moment ago?
 *
 * WireGuard renews a handshake with the first packet after two minutes, and keepalives are 25 s apart: a
 * tunnel may seem dead for that long and be well. It is seen only when WireGuard is asked.
 */
bool refresh_is_linked(const struct peer *p, struct now now);

/**
 * refresh_due_ms() - When is its HELLO due?
 * @r:		The peer's
 * @p:		Peer
 * @n_peers:	Peers that we know
 * @now:	Time
 *
 * A silent peer is tried after 5 s, then after twice as long each time, up to ten minutes.
 *
 * Return: monotonic milliseconds; what is past is due
 */
int64_t refresh_due_ms(const struct refresh *r, const struct peer *p, size_t n_peers,
		       struct now now);

/**
 * refresh_spread_ms() - How long to hold back the HELLO for a new face on the LAN, at most
 * @n_peers:	Peers that we know
 *
 * A thousand who hear one announcement would all greet in the same instant, which overruns the
 * newcomer's socket. Who waits is mostly greeted first.
 */
unsigned int refresh_spread_ms(size_t n_peers);

#endif /* DAEMON_PEERS_REFRESH_H */

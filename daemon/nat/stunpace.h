/* SPDX-License-Identifier: MIT */
/* stunpace - when STUN servers are asked again; pure */
#ifndef DAEMON_NAT_STUNPACE_H
#define DAEMON_NAT_STUNPACE_H

#include "daemon/nat/stunround.h"

#include <stdint.h>

#define STUNPACE_SOON_MS   60000	    /* behind a NAT whose address is new to us */
#define STUNPACE_STABLE_MS (5 * 60 * 1000)  /* behind one that has not changed */
#define STUNPACE_DIRECT_MS (15 * 60 * 1000) /* without a NAT the kernel tells of every change */
#define STUNPACE_RETRY_MS  5000		    /* nobody answered; then twice as long each time */
#define STUNPACE_GIVEN_UP  3		    /* rounds without an answer, and the last one is void */

/**
 * struct stunpace - What the rounds so far have taught; all zero before the first
 * @n_failed:	Rounds in a row that nobody answered
 * @n_same:	Rounds in a row that found the same
 * @last:	What they found: IPv4, IPv6
 */
struct stunpace {
	unsigned int n_failed;
	unsigned int n_same;
	struct ip last[2];
};

/**
 * stunpace_next_ms() - A round is over: when does the next one begin?
 * @p:		Pace
 * @v:		What it found: IPv4, IPv6
 * @random:	Any number: nodes that start together must not ask together for ever
 *
 * Return: milliseconds from now
 */
int64_t stunpace_next_ms(struct stunpace *p, const struct stunview v[static 2], uint16_t random);

#endif /* DAEMON_NAT_STUNPACE_H */

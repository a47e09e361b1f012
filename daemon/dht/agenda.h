/* SPDX-License-Identifier: MIT */
/*
 * agenda - when a node asks the DHT for its peers, and when it announces itself (protocol.md
 * section 8); pure
 *
 * It asks every half minute, and every minute once it knows three peers, for the id of this hour and of
 * the one before. It announces itself under both at the start, every quarter of an hour, and when the
 * hour changes. While nobody is in the table it looks for somebody, with pauses from 5 s to a minute.
 * All pauses vary by a quarter, so that nodes which start together do not stay together.
 */
#ifndef DAEMON_DHT_AGENDA_H
#define DAEMON_DHT_AGENDA_H

#include "daemon/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define AGENDA_QUERY_MS	    30000
#define AGENDA_CALM_MS	    60000 /* with AGENDA_CALM_PEERS */
#define AGENDA_CALM_PEERS   3
#define AGENDA_ANNOUNCE_MS  (15 * 60 * 1000)
#define AGENDA_JOIN_MS	    5000
#define AGENDA_JOIN_MAX_MS  60000
#define AGENDA_JOIN_RARE_MS (15 * 60 * 1000)
#define AGENDA_HOUR_S	    3600

/**
 * struct agenda - What is due when; zero is due at once
 * @query_ms:	When to ask next
 * @announced_ms: When we last announced ourselves; 0 for never
 * @hour:	Of which hour (Unix time by 3600) the newer id was that we announced
 * @join_ms:	When to look for nodes next
 * @join_pause_ms: How long the last pause was, 0 for none yet
 */
struct agenda {
	int64_t query_ms;
	int64_t announced_ms;
	int64_t hour;
	int64_t join_ms;
	int64_t join_pause_ms;
};

/**
 * agenda_query() - Is it time to ask? If so, the next time is set.
 * @a:		Agenda
 * @now:	Time
 * @n_peers:	Peers that are there
 * @random:	Random number
 */
bool agenda_query(struct agenda *a, struct now now, unsigned int n_peers, uint16_t random);

/**
 * agenda_must_announce() - Does the next asking announce us as well?
 */
bool agenda_must_announce(const struct agenda *a, struct now now);

/**
 * agenda_announced() - It has announced us: under the id of this hour and of the one before
 */
void agenda_announced(struct agenda *a, struct now now);

/**
 * agenda_join() - Is it time to look for nodes? If so, the next time is set, later each time.
 * @a:		Agenda
 * @now:	Time
 * @pause_max_ms: The longest pause: AGENDA_JOIN_MAX_MS, or AGENDA_JOIN_RARE_MS for a family that may
 *		not be there at all, since the other one works
 * @random:	Random number
 */
bool agenda_join(struct agenda *a, struct now now, int64_t pause_max_ms, uint16_t random);

/**
 * agenda_joined() - Somebody is in the table; should that end, it begins with short pauses again
 */
void agenda_joined(struct agenda *a);

/**
 * agenda_vary() - A pause, give or take a quarter
 */
int64_t agenda_vary(int64_t pause_ms, uint16_t random);

#endif /* DAEMON_DHT_AGENDA_H */

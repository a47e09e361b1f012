/* SPDX-License-Identifier: MIT */
/*
 * clockback - has this host's clock run backwards? pure
 *
 * A WireGuard peer takes a handshake only when its timestamp is newer than that of the last one it
 * took from us. After a start with a clock that is behind (no battery, a bad time server), all that
 * we begin is dropped as a replay, until the clock has caught up. The clock must not be behind what it
 * has ever shown: what the peer cache was written with, and what this run has seen.
 */
#ifndef DAEMON_NODE_CLOCKBACK_H
#define DAEMON_NODE_CLOCKBACK_H

#include "daemon/clock.h"

#include <stdint.h>

#define CLOCKBACK_SLACK_S 5	 /* less is over before anybody notices it */
#define CLOCKBACK_HOLD_MS 180000 /* so long the other ends are left to begin */

/**
 * struct clockback - What the clock has shown; all zero at first
 * @floor_s:	The latest Unix time that it has shown, 0 when that is not known
 * @last:	When it was looked at last; all zero for never
 * @hold_until_ms: Until when handshakes are left to the other ends, 0 when they are not
 */
struct clockback {
	int64_t floor_s;
	struct now last;
	int64_t hold_until_ms;
};

/**
 * clockback_remember() - Take a time that the clock has shown in an earlier run
 * @c:		What it has shown
 * @unix_s:	Time; 0 and less say nothing
 */
void clockback_remember(struct clockback *c, int64_t unix_s);

/**
 * clockback_look() - Look at the clock
 * @c:		What it has shown
 * @now:	What it shows
 *
 * A clock that is found behind begins a hold of CLOCKBACK_HOLD_MS, and one that is right ends it. The
 * hold is not longer, since peers may have been started anew, and then they remember nothing; and if
 * all clocks had been wrong together, nobody would ever begin.
 *
 * Return: seconds that it is behind, 0 when it is right
 */
int64_t clockback_look(struct clockback *c, struct now now);

/**
 * clockback_behind() - How far it is behind, without taking anything from this look
 *
 * Return: seconds, 0 when it is right
 */
int64_t clockback_behind(const struct clockback *c, struct now now);

/**
 * clockback_stamp() - The time to write down for the next run
 * @c:		What it has shown
 * @now:	What it shows
 *
 * Return: Unix time: the latest during a hold, so that a second start does not forget; else the
 *         clock's own, or one wrong moment would be remembered for ever
 */
int64_t clockback_stamp(const struct clockback *c, struct now now);

#endif /* DAEMON_NODE_CLOCKBACK_H */

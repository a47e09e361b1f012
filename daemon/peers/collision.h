/* SPDX-License-Identifier: MIT */
/*
 * collision - somebody else has our mesh address: who gives way, and how often; pure
 *
 * Mesh addresses follow from keys, so two nodes may have one. The lower key text keeps it (protocol.md
 * section 3) and the other takes the address of nonce 1, 2, ... Whoever knows the secret can make up
 * a lower key for any address, again and again: so a node gives way a few times, and then stays.
 */
#ifndef DAEMON_PEERS_COLLISION_H
#define DAEMON_PEERS_COLLISION_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stdint.h>

#define COLLISION_NONCE_MAX 10
#define COLLISION_MOVES_MAX 3
#define COLLISION_WINDOW_MS (24 * 60 * 60 * 1000LL) /* in which so many moves are made at most */
#define COLLISION_KEEP_MS   (10 * 60 * 1000) /* an alarm is over when nobody claimed it for so long */
#define COLLISION_RETRY_MS  60000	     /* after a move that could not be made */

/**
 * struct collision - What happened so far; all zero at first
 * @moves:	Moves in this window
 * @window_ms:	When it began
 * @is_pending:	netadmin was asked, and has not answered
 * @retry_ms:	Not before, after a failure
 * @claimed_ms:	When somebody was last heard with an address of ours that we keep
 * @is_on:	There is something a person has to look at
 */
struct collision {
	unsigned int moves;
	int64_t window_ms;
	bool is_pending;
	int64_t retry_ms;
	int64_t claimed_ms;
	bool is_on;
};

enum collision_verdict {
	COLLISION_WAIT, /* a move is under way, or was tried a moment ago */
	COLLISION_KEEP, /* the other one has to give way */
	COLLISION_MOVE, /* we have */
	COLLISION_STAY, /* we should, but have done so too often */
};

/**
 * collision_judge() - Somebody was heard who has our mesh address
 * @c:		What happened so far; updated
 * @self_key:	Our key text
 * @other_key:	Its key text
 * @now_ms:	Monotonic time
 */
enum collision_verdict collision_judge(struct collision *c, const char *self_key,
				       const char *other_key, int64_t now_ms);

/**
 * collision_moved() - netadmin has answered
 * @c:		What happened so far; updated
 * @worked:	We have another address now
 * @now_ms:	Monotonic time
 */
void collision_moved(struct collision *c, bool worked, int64_t now_ms);

/**
 * collision_is_over() - End the alarm when nobody has claimed our address for long enough
 *
 * Return: true when it has just ended
 */
bool collision_is_over(struct collision *c, int64_t now_ms);

#endif /* DAEMON_PEERS_COLLISION_H */

/* SPDX-License-Identifier: MIT */
/*
 * matchmaker - what an introducer remembers of those who want to meet (protocol.md section 11); pure
 *
 * An OFFER of either end begins an introduction; what the other end has not said is taken from what
 * the introducer knows of it. The table is small and of fixed size: whoever floods it keeps out
 * others for seconds, and gets nothing for it.
 */
#ifndef DAEMON_NAT_MATCHMAKER_H
#define DAEMON_NAT_MATCHMAKER_H

#include "daemon/nat/introduce.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATCHMAKER_MAX	   64
#define MATCHMAKER_ONE_MAX 16	 /* introductions that one node may have under way */
#define MATCHMAKER_KEEP_MS 20000 /* what an end said counts for so long */
#define MATCHMAKER_COOL_MS 8000	 /* between two STARTs of one pair */

/**
 * struct match_end - One of the two
 * @key:	Its key
 * @at:		Where its exchange may be
 */
struct match_end {
	struct wg_key key;
	struct rendezvous_candidates at;
};

/**
 * struct match - One introduction
 * @in_use:	The entry counts
 * @is_pending: START is still to be sent
 * @seed:	Pair seed
 * @asked_ms:	Last OFFER
 * @started_ms: Last START, 0 for none
 * @end:	Who asked first, and whom it wants to meet
 */
struct match {
	bool in_use;
	bool is_pending;
	uint64_t seed;
	int64_t asked_ms;
	int64_t started_ms;
	struct match_end end[2];
};

struct matchmaker {
	struct match at[MATCHMAKER_MAX];
};

/**
 * matchmaker_take() - Take an OFFER
 * @m:		Table
 * @offer:	The OFFER
 * @from:	Where the one who asks is, as far as we see it: of what it says itself, only other ports
 *		of these addresses are believed
 * @target:	Where the other one is, as far as we know
 * @now_ms:	Monotonic time
 *
 * Return: the introduction, pending; NULL when the two were just introduced, or there is no room
 */
struct match *matchmaker_take(struct matchmaker *m, const struct offer *offer,
			      const struct rendezvous_candidates *from,
			      const struct rendezvous_candidates *target, int64_t now_ms);

#endif /* DAEMON_NAT_MATCHMAKER_H */

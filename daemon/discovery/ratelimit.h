/* SPDX-License-Identifier: MIT */
/*
 * ratelimit - a token bucket per source address, before any work is done for a datagram; pure
 *
 * Ten datagrams a second, bursts of twenty, as existing nodes have it (protocol.md section 9). The
 * table has a fixed size: a flood from many addresses shares buckets instead of growing memory.
 */
#ifndef DAEMON_DISCOVERY_RATELIMIT_H
#define DAEMON_DISCOVERY_RATELIMIT_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stdint.h>

#define RATELIMIT_PER_S	  10
#define RATELIMIT_BURST	  20
#define RATELIMIT_BUCKETS 4096

/**
 * struct ratelimit - The buckets; 64 KiB
 * @seed:	Random: nobody outside can choose addresses that share a bucket with a peer
 * @bucket:	Last use in milliseconds, and thousandths of tokens left then
 */
struct ratelimit {
	uint64_t seed;
	struct {
		int64_t at_ms;
		int32_t tokens;
	} bucket[RATELIMIT_BUCKETS];
};

/**
 * ratelimit_init() - Fill every bucket
 */
void ratelimit_init(struct ratelimit *rl, uint64_t seed);

/**
 * ratelimit_allow() - May one more datagram of this source be looked at?
 * @rl:		Buckets
 * @from:	Source; an IPv6 source counts by its /64
 * @now_ms:	Monotonic milliseconds
 */
bool ratelimit_allow(struct ratelimit *rl, const struct ip *from, int64_t now_ms);

#endif /* DAEMON_DISCOVERY_RATELIMIT_H */

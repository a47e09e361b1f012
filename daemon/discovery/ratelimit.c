/* SPDX-License-Identifier: MIT */
#include "daemon/discovery/ratelimit.h"

#define MILLI	   1000
#define FULL	   (RATELIMIT_BURST * MILLI)
#define KEY_LEN_V6 8
#define KEY_LEN_V4 4

void ratelimit_init(struct ratelimit *rl, uint64_t seed)
{
	rl->seed = seed;
	for (unsigned int i = 0; i < RATELIMIT_BUCKETS; i++) {
		rl->bucket[i].at_ms = 0;
		rl->bucket[i].tokens = FULL;
	}
}

static unsigned int bucket_of(const struct ratelimit *rl, const struct ip *from)
{
	unsigned int len = from->family == AF_INET6 ? KEY_LEN_V6 : KEY_LEN_V4;
	uint64_t h = rl->seed;

	for (unsigned int i = 0; i < len; i++) {
		h ^= from->b[i];
		h *= UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (unsigned int)(h % RATELIMIT_BUCKETS);
}

bool ratelimit_allow(struct ratelimit *rl, const struct ip *from, int64_t now_ms)
{
	unsigned int i = bucket_of(rl, from);
	int64_t elapsed = now_ms - rl->bucket[i].at_ms;
	/* Tokens per millisecond in thousandths are tokens per second. */
	int64_t tokens = rl->bucket[i].tokens + (elapsed > 0 ? elapsed : 0) * RATELIMIT_PER_S;

	if (tokens > FULL)
		tokens = FULL;
	rl->bucket[i].at_ms = now_ms;
	rl->bucket[i].tokens = (int32_t)tokens;
	if (tokens < MILLI)
		return false;
	rl->bucket[i].tokens -= MILLI;
	return true;
}

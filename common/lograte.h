/* SPDX-License-Identifier: MIT */
/*
 * lograte - how many lines an event may write: a burst, then one line in a while; pure
 *
 * Every event has a bucket of its own, so that a flood of one cannot hide another.
 */
#ifndef COMMON_LOGRATE_H
#define COMMON_LOGRATE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct lograte - One event's bucket; zero is a full one
 * @full_ms:	When it will be full again, in the caller's milliseconds
 * @held:	Lines held back since the caller last set this to zero
 */
struct lograte {
	uint64_t full_ms;
	uint32_t held;
};

/**
 * struct lograte_limit - What a bucket allows
 * @burst:	Lines at once, at least 1
 * @every_ms:	Then one line in this many milliseconds
 */
struct lograte_limit {
	uint32_t burst;
	uint32_t every_ms;
};

/**
 * lograte_take() - May one more line be written?
 * @r:		Bucket
 * @limit:	What it allows
 * @now_ms:	Monotonic milliseconds
 *
 * Return: false when the line has to be held back, and was counted in @r->held
 */
bool lograte_take(struct lograte *r, const struct lograte_limit *limit, uint64_t now_ms);

#endif /* COMMON_LOGRATE_H */

/* SPDX-License-Identifier: MIT */
/* allowance - a token bucket: a burst, and then so many in a second; pure */
#ifndef DAEMON_DHT_ALLOWANCE_H
#define DAEMON_DHT_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct allowance - One bucket
 * @per_1000s:	Tokens that come in a thousand seconds
 * @burst:	Tokens that it holds
 * @level:	Tokens in it, in millionths
 * @at_ms:	When @level was right
 */
struct allowance {
	int64_t per_1000s;
	int64_t burst;
	int64_t level;
	int64_t at_ms;
};

/**
 * allowance_init() - A full bucket
 * @a:		Bucket
 * @burst:	Tokens that it holds
 * @per_1000s:	Tokens that come in a thousand seconds, at least 1
 * @now_ms:	Monotonic milliseconds
 */
void allowance_init(struct allowance *a, int64_t burst, int64_t per_1000s, int64_t now_ms);

/**
 * allowance_take() - Take one, if there is one
 */
bool allowance_take(struct allowance *a, int64_t now_ms);

/**
 * allowance_next_ms() - When there will be one: now or later
 */
int64_t allowance_next_ms(struct allowance *a, int64_t now_ms);

#endif /* DAEMON_DHT_ALLOWANCE_H */

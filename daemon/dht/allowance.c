/* SPDX-License-Identifier: MIT */
#include "daemon/dht/allowance.h"

#define WHOLE 1000000 /* a thousand seconds in milliseconds: one token a thousand seconds is 1/ms */

void allowance_init(struct allowance *a, int64_t burst, int64_t per_1000s, int64_t now_ms)
{
	*a = (struct allowance) {
		.per_1000s = per_1000s, .burst = burst, .level = burst * WHOLE, .at_ms = now_ms
	};
}

static void fill(struct allowance *a, int64_t now_ms)
{
	int64_t elapsed = now_ms - a->at_ms;
	int64_t missing = a->burst * WHOLE - a->level;

	a->at_ms = now_ms;
	if (elapsed <= 0)
		return;
	a->level += elapsed > missing / a->per_1000s ? missing : elapsed * a->per_1000s;
}

bool allowance_take(struct allowance *a, int64_t now_ms)
{
	fill(a, now_ms);
	if (a->level < WHOLE)
		return false;
	a->level -= WHOLE;
	return true;
}

int64_t allowance_next_ms(struct allowance *a, int64_t now_ms)
{
	fill(a, now_ms);
	if (a->level >= WHOLE)
		return now_ms;
	return now_ms + (WHOLE - a->level + a->per_1000s - 1) / a->per_1000s;
}

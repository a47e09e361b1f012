/* SPDX-License-Identifier: MIT */
#include "common/lograte.h"

bool lograte_take(struct lograte *r, const struct lograte_limit *limit, uint64_t now_ms)
{
	uint64_t full_ms = r->full_ms > now_ms ? r->full_ms : now_ms;

	if (full_ms - now_ms > (uint64_t)(limit->burst - 1) * limit->every_ms) {
		if (r->held < UINT32_MAX)
			r->held++;
		return false;
	}
	r->full_ms = full_ms + limit->every_ms;
	return true;
}

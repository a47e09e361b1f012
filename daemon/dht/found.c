/* SPDX-License-Identifier: MIT */
#include "daemon/dht/found.h"

#include <string.h>

void found_init(struct found *f, int64_t now_ms)
{
	memset(f, 0, sizeof(*f));
	allowance_init(&f->all, FOUND_BURST, FOUND_PER_1000S, now_ms);
}

static bool is_waiting(const struct found_address *a, int64_t now_ms)
{
	return a->at.ip.family != 0 && now_ms - a->told_ms < a->pause_ms;
}

/* What is remembered of the address; of a new one, a free slot or the one that is oldest. */
static struct found_address *slot_for(struct found *f, const struct endpoint *at)
{
	struct found_address *best = &f->slot[0];

	for (size_t i = 0; i < FOUND_MAX; i++) {
		struct found_address *a = &f->slot[i];

		if (endpoint_equal(&a->at, at))
			return a;
		if (best->at.ip.family != 0 && (a->at.ip.family == 0 || a->told_ms < best->told_ms))
			best = a;
	}
	return best;
}

static bool host_is_busy(const struct found *f, const struct ip *ip, int64_t now_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < FOUND_MAX; i++)
		n += f->slot[i].at.ip.family != 0 && ip_equal(&f->slot[i].at.ip, ip) &&
		     now_ms - f->slot[i].told_ms < FOUND_PAUSE_MAX;
	return n >= FOUND_PER_HOST;
}

bool found_take(struct found *f, const struct endpoint *at, int64_t now_ms)
{
	struct found_address *a = slot_for(f, at);
	bool is_known = endpoint_equal(&a->at, at);

	if ((is_known && is_waiting(a, now_ms)) ||
	    (!is_known && host_is_busy(f, &at->ip, now_ms)) || !allowance_take(&f->all, now_ms))
		return false;
	if (!is_known)
		*a = (struct found_address) { .at = *at, .pause_ms = FOUND_PAUSE_MS };
	else if (a->pause_ms < FOUND_PAUSE_MAX)
		a->pause_ms = 2 * a->pause_ms < FOUND_PAUSE_MAX ? 2 * a->pause_ms : FOUND_PAUSE_MAX;
	a->told_ms = now_ms;
	return true;
}

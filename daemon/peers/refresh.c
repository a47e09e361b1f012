/* SPDX-License-Identifier: MIT */
#include "daemon/peers/refresh.h"

#define RETRY_FIRST_MS	5000
#define RETRY_MAX_MS	600000
#define RETRY_DOUBLINGS 7
#define SPREAD_MAX_MS	1000
#define DICE_SIDES	256
#define LINK_MS		90000

/* Three quarters of it to five quarters. */
static int64_t throw_dice(int64_t ms, uint8_t dice)
{
	return ms * 3 / 4 + ms / 2 * dice / DICE_SIDES;
}

static int64_t retry_ms(unsigned int n_unanswered)
{
	int64_t ms;

	if (n_unanswered > RETRY_DOUBLINGS)
		return RETRY_MAX_MS;
	ms = (int64_t)RETRY_FIRST_MS << (n_unanswered - 1);
	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static int64_t rarely_ms(size_t n_peers)
{
	int64_t ms = (int64_t)n_peers * REFRESH_PER_PEER_MS;

	if (ms < REFRESH_MS)
		return REFRESH_MS;
	return ms < REFRESH_RARELY_MS ? ms : REFRESH_RARELY_MS;
}

bool refresh_is_linked(const struct peer *p, struct now now)
{
	return p->tunnel_ms != 0 && now.mono_ms - p->tunnel_ms < LINK_MS;
}

int64_t refresh_due_ms(const struct refresh *r, const struct peer *p, size_t n_peers,
		       struct now now)
{
	int64_t since_ms = r->hello_ms;

	if (r->greet_ms != 0)
		return r->greet_ms;
	if (r->n_unanswered > 0)
		return since_ms + throw_dice(retry_ms(r->n_unanswered), r->dice);
	if (!p->is_ours)
		return since_ms + throw_dice(REFRESH_MS, r->dice);
	if (r->met_ms > since_ms)
		since_ms = r->met_ms;
	return since_ms +
	       throw_dice(refresh_is_linked(p, now) ? rarely_ms(n_peers) : REFRESH_MS, r->dice);
}

unsigned int refresh_spread_ms(size_t n_peers)
{
	if (n_peers < REFRESH_CROWD)
		return 0;
	return n_peers < SPREAD_MAX_MS ? (unsigned int)n_peers : SPREAD_MAX_MS;
}

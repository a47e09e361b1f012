/* SPDX-License-Identifier: MIT */
#include "daemon/peers/collision.h"
#include "daemon/wire/derive.h"

static enum collision_verdict give_way(struct collision *c, int64_t now_ms)
{
	if (c->is_pending || now_ms < c->retry_ms)
		return COLLISION_WAIT;
	if (c->moves > 0 && now_ms - c->window_ms >= COLLISION_WINDOW_MS)
		c->moves = 0;
	if (c->moves >= COLLISION_MOVES_MAX)
		return COLLISION_STAY;
	c->is_pending = true;
	return COLLISION_MOVE;
}

enum collision_verdict collision_judge(struct collision *c, const char *self_key,
				       const char *other_key, int64_t now_ms)
{
	enum collision_verdict v = COLLISION_KEEP;

	if (derive_collision_winner(self_key, other_key) != self_key)
		v = give_way(c, now_ms);
	if (v == COLLISION_STAY)
		c->claimed_ms = now_ms;
	return v;
}

void collision_moved(struct collision *c, bool worked, int64_t now_ms)
{
	c->is_pending = false;
	if (!worked) {
		c->retry_ms = now_ms + COLLISION_RETRY_MS;
		return;
	}
	if (c->moves++ == 0)
		c->window_ms = now_ms;
}

bool collision_is_over(struct collision *c, int64_t now_ms)
{
	bool ends = c->is_on && now_ms - c->claimed_ms > COLLISION_KEEP_MS;

	if (ends)
		c->is_on = false;
	return ends;
}

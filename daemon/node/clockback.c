/* SPDX-License-Identifier: MIT */
#include "daemon/node/clockback.h"

void clockback_remember(struct clockback *c, int64_t unix_s)
{
	if (unix_s > c->floor_s)
		c->floor_s = unix_s;
}

/* What it would show if nobody had set it since the last look. */
static int64_t undisturbed(const struct clockback *c, struct now now)
{
	return c->last.unix_s == 0 ? now.unix_s
				   : c->last.unix_s + (now.mono_ms - c->last.mono_ms) / 1000;
}

int64_t clockback_behind(const struct clockback *c, struct now now)
{
	int64_t behind = c->floor_s - now.unix_s;

	return behind < CLOCKBACK_SLACK_S ? 0 : behind;
}

int64_t clockback_look(struct clockback *c, struct now now)
{
	const int64_t expected = undisturbed(c, now);
	int64_t behind;

	clockback_remember(c, expected);
	clockback_remember(c, now.unix_s);
	c->last = now;
	behind = clockback_behind(c, now);
	if (behind == 0) {
		c->hold_until_ms = 0;
		return 0;
	}
	/* Once for each time that it goes back: the end of a hold does not begin the next. */
	if (c->hold_until_ms == 0 || expected - now.unix_s >= CLOCKBACK_SLACK_S)
		c->hold_until_ms = now.mono_ms + CLOCKBACK_HOLD_MS;
	return behind;
}

int64_t clockback_stamp(const struct clockback *c, struct now now)
{
	return now.mono_ms < c->hold_until_ms && c->floor_s > now.unix_s ? c->floor_s : now.unix_s;
}

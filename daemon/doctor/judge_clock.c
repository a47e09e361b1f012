/* SPDX-License-Identifier: MIT */
#include "common/str.h"
#include "daemon/doctor/judge.h"

#include <stdlib.h>

#define NAME "clock"

#define SLACK_S	    120			/* file servers have clocks of their own */
#define RELEASE_S   INT64_C(1767225600) /* 2026-01-01: no clock that is right shows less */
#define SKEW_WARN_S 60
#define CURE                                                                                     \
	"set it and keep it right (on the host: timedatectl set-ntp true): WireGuard refuses "   \
	"handshakes that seem older than the last one, and members refuse messages that are 10 " \
	"minutes off"

static void judge_behind(struct report *r, int64_t now_s, int64_t than_s, const char *what)
{
	char now[STR_UTC_SIZE];
	char than[STR_UTC_SIZE];

	str_utc(now, (uint64_t)(now_s > 0 ? now_s : 0));
	str_utc(than, (uint64_t)than_s);
	report_say(r, REPORT_WARN, NAME, "the clock is behind: it shows %sZ, but %s is of %sZ", now,
		   what, than);
	report_cure(r, CURE);
}

/* Return: true when it differs too much from a peer's, and the report says so */
static bool judge_skew(struct report *r, const struct facts *f)
{
	for (size_t i = 0; facts_has_node(f) && i < f->node.n_peers; i++) {
		const struct peer_facts *p = &f->node.peers[i];

		if (llabs((long long)p->skew_s) <= SKEW_WARN_S)
			continue;
		report_say(r, REPORT_WARN, NAME, "the clock of %s is %lld s %s ours", p->name,
			   llabs((long long)p->skew_s), p->skew_s > 0 ? "ahead of" : "behind");
		report_cure(r, CURE);
		return true;
	}
	return false;
}

void judge_clock(struct report *r, const struct facts *f)
{
	const struct clock_facts *c = &f->clock;
	int64_t state_s = f->storage.probe == 0 ? f->storage.newest_s : 0;
	char now[STR_UTC_SIZE];

	if (!judge_probe(r, NAME, c->probe))
		return;
	str_utc(now, (uint64_t)(c->now_s > 0 ? c->now_s : 0));
	if (c->now_s < RELEASE_S) {
		judge_behind(r, c->now_s, RELEASE_S, "this release");
	} else if (c->now_s + SLACK_S < c->program_s) {
		judge_behind(r, c->now_s, c->program_s, "this program's file");
	} else if (c->now_s + SLACK_S < state_s) {
		judge_behind(r, c->now_s, state_s, "the newest file of the state directory");
	} else if (facts_has_node(f) && f->node.has_counters && f->node.stale > 0 &&
		   f->node.accepted == 0) {
		report_say(
			r, REPORT_WARN, NAME,
			"members are heard whose clocks are more than 10 minutes away from ours, "
			"%sZ",
			now);
		report_cure(r, CURE);
	} else if (!judge_skew(r, f)) {
		report_say(r, REPORT_PASS, NAME, "%sZ%s", now,
			   !c->is_known		? ""
			   : c->is_synchronised ? ", kept synchronised"
						: "; the kernel does not know of anybody who keeps "
						  "it synchronised");
	}
}

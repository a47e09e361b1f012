/* SPDX-License-Identifier: MIT */
/*
 * judge - whether this node is ready, and what a person has to look at; pure
 *
 * Facts come in, sentences go out. A check is judged only from what is known: what nobody has seen
 * fail passes.
 */
#ifndef DAEMON_VIEW_JUDGE_H
#define DAEMON_VIEW_JUDGE_H

#include "daemon/confine/confine.h"
#include "daemon/net/ifstate.h"
#include "daemon/peers/rewritten.h"
#include "daemon/view/supervisor.h"
#include "daemon/view/view.h"

#include <stdbool.h>
#include <stdint.h>

#define JUDGE_SLOW_MS	700    /* netadmin owes an answer for so long: worth a warning */
#define JUDGE_HUNG_MS	5000   /* and for so long: it hangs */
#define JUDGE_SKEW_S	30     /* clocks that differ by less are taken for right */
#define JUDGE_STALE_MS	120000 /* how long a datagram from another time is told of */
#define JUDGE_PROOF_MS	10000  /* how long its distance has to last */
#define JUDGE_LONELY_MS 60000  /* running this long, one should have been heard */

/**
 * struct judge_write - How our last own write to the state directory ended
 * @is_known:	There was one
 * @error:	0 or a negative errno value
 * @text:	What could not be done; borrowed
 */
struct judge_write {
	bool is_known;
	int error;
	const char *text;
};

/**
 * struct judge_stale - Datagrams sealed with our secret at a time too far from ours
 * @is_sure:	They keep their distance, so that none was only sent again
 * @skew_s:	Clock of the one that sends them less ours
 * @since_ms:	Since when they have kept it
 * @heard_ms:	When the last one came
 * @from:	Whose it was
 */
struct judge_stale {
	bool is_sure;
	int64_t skew_s;
	int64_t since_ms;
	int64_t heard_ms;
	struct endpoint from;
};

/**
 * struct judge_facts - What is known
 * @view:	Phase, time, uptime, names, addresses, peers and counters are read
 * @owed_ms:	How long netadmin has owed an answer; 0 when it owes none
 * @interface:	What rtnetlink says; NULL when it is not watched
 * @state_dir:	State directory
 * @write:	Our own last write
 * @supervisor: Whether PID 1 answers
 * @http_trouble: Why health and metrics are missing somewhere; NULL when they are not
 * @clone_place: Where our key is live as well; NULL when it is not
 * @contested:	Who claims our mesh address, and what to do; NULL when nobody does
 * @stale:	Datagrams from another time
 * @confinement: What holds the mesh process; NULL when that is not known
 * @is_holding:	Handshakes are left to the other ends, since our clock is behind
 * @rewritten:	Peers that something on this machine gives another address
 * @was_heard:	Somebody was heard in this run
 * @has_lan:	Others are looked for by multicast
 */
struct judge_facts {
	const struct view *view;
	int64_t owed_ms;
	const struct ifstate *interface;
	const char *state_dir;
	struct judge_write write;
	enum supervisor_state supervisor;
	const char *http_trouble;
	const char *clone_place;
	const char *contested;
	struct judge_stale stale;
	const struct confinement *confinement;
	bool is_holding;
	struct rewritten rewritten;
	bool was_heard;
	bool has_lan;
};

/**
 * judge_checks() - What readiness depends on
 * @f:		Facts
 * @out:	Receives the checks
 *
 * Return: entries in @out
 */
size_t judge_checks(const struct judge_facts *f, struct view_check out[static VIEW_CHECKS_MAX]);

/**
 * judge_alarms() - What a person has to look at
 * @f:		Facts
 * @out:	Receives the alarms, without their time; see judge_follow()
 *
 * Return: entries in @out
 */
size_t judge_alarms(const struct judge_facts *f, struct view_alarm out[static VIEW_ALARMS_MAX]);

/**
 * judge_take_stale() - Take a datagram from another time
 * @s:		What is known of such datagrams; all zero at first
 * @made_s:	Its timestamp
 * @now:	Time
 * @from:	Sender
 */
void judge_take_stale(struct judge_stale *s, int64_t made_s, struct now now,
		      const struct endpoint *from);

/**
 * struct judge_memory - Which alarms are on, and since when; all zero at first
 * @name:	NULL for a free place
 */
struct judge_memory {
	struct {
		const char *name;
		int64_t since_unix_s;
	} on[VIEW_ALARMS_MAX];
};

/**
 * struct judge_teller - Who is told of alarms that come and go
 * @arg:	Passed to the call
 * @tell:	@alarm is the one that came; NULL when the one of this name is over
 */
struct judge_teller {
	void *arg;
	void (*tell)(void *arg, const char *name, const struct view_alarm *alarm);
};

/**
 * judge_follow() - Give each alarm its time, and tell of those that came or went
 * @m:		What was on before
 * @alarms:	What is on now; receives since when
 * @n:		Entries in @alarms
 * @unix_s:	Time
 * @teller:	Is told
 */
void judge_follow(struct judge_memory *m, struct view_alarm *alarms, size_t n, int64_t unix_s,
		  const struct judge_teller *teller);

#endif /* DAEMON_VIEW_JUDGE_H */

/* SPDX-License-Identifier: MIT */
/* signals - what each signal means to wgmesh-init, and as what it is passed on; pure */
#ifndef INIT_SUPERVISE_SIGNALS_H
#define INIT_SUPERVISE_SIGNALS_H

#include "common/err.h"

#include <stdint.h>

#define SIGNALS_MAX 64

enum signal_class {
	SIGNAL_FORWARD, /* the daemon's business */
	SIGNAL_STOP,	/* ends the container: forwarded, then waited for */
	SIGNAL_RELOAD,	/* forwarded: the daemon reads its configuration again */
	SIGNAL_IGNORE,	/* job control of a terminal we do not read, or dropped on request */
	SIGNAL_CHILD,	/* a child changed state: reap */
};

/**
 * struct signals_plan - As what each signal is passed on
 * @to:		Signal to pass on, by the signal that came; 0 drops it
 */
struct signals_plan {
	uint8_t to[SIGNALS_MAX + 1];
};

/**
 * signals_classify() - What a signal means by itself
 * @sig:	Signal number, 1 to 64
 */
enum signal_class signals_classify(int sig);

/**
 * signals_plan_parse() - Read the plan from "FROM:TO,FROM:TO"
 * @plan:	Plan to fill
 * @text:	Rewrites, names or numbers (signame.h), 0 as TO drops; NULL for none
 * @e:		Receives the reason on failure, may be NULL
 *
 * Return: 0 or -EINVAL
 */
int signals_plan_parse(struct signals_plan *plan, const char *text, struct err *e);

/**
 * signals_plan_classify() - What to do about a signal under a plan
 * @plan:	Plan
 * @sig:	Signal number, 1 to 64
 *
 * A stop stays a stop, whatever the program is told it with, and what is turned into a stop becomes
 * one; otherwise the grace period would be missing.
 */
enum signal_class signals_plan_classify(const struct signals_plan *plan, int sig);

#endif /* INIT_SUPERVISE_SIGNALS_H */

/* SPDX-License-Identifier: MIT */
#include "daemon/discovery/peertest.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"

#include <stdio.h>

static void take_answer(struct asked_facts *f, const struct announcement *a)
{
	(void)snprintf(f->name, sizeof(f->name), "%.71s",
		       a->self.hostname[0] ? a->self.hostname : "a node");
	(void)wg_key_format(f->key, &a->self.key);
}

void probe_asked(void *out, const void *arg)
{
	const struct facts *known = arg;
	const struct peertest q = { .keys = &known->keys,
				    .to = known->wanted.peer,
				    .limit_ms = known->wanted.timeout_ms };
	struct asked_facts *f = out;
	struct peertest_result result;

	if (!known->wanted.has_peer || !facts_has_secret(known))
		return;
	f->was_asked = true;
	f->code = peertest_run(&result, &q, NULL);
	if (f->code < 0)
		return;
	f->outcome = result.outcome;
	f->error = result.error;
	f->lan = result.lan;
	f->rtt_us = result.rtt_us;
	f->skew_s = result.skew_s;
	if (result.outcome == PEERTEST_ANSWERED)
		take_answer(f, &result.answer);
	peertest_free(&result);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/state/livecheck.h"
#include "common/defs.h"
#include "daemon/clock.h"
#include "daemon/discovery/visitor.h"
#include "daemon/envelope.h"
#include "daemon/net/udp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When HELLOs go out: peers tell some of those they know, and others of them the next time. */
static const int64_t rounds_ms[] = { 0, 400, 1200, 3000 };

/**
 * struct probe - A check under way
 * @q:		What is asked
 * @out:	What was heard
 * @visitor:	Who asks
 * @n_rounds:	Rounds of HELLOs that went out
 * @buf:	A datagram
 */
struct probe {
	const struct livecheck *q;
	struct livecheck_result *out;
	struct visitor visitor;
	size_t n_rounds;
	char buf[ENVELOPE_DATAGRAM_MAX];
};

void livecheck_judge(struct livecheck_result *out, const struct wg_key *wanted,
		     const struct announcement *a, const struct endpoint *from)
{
	char text[ENDPOINT_TEXT_SIZE];
	char ip[IP_TEXT_SIZE];

	out->n_heard++;
	if (out->is_live)
		return;
	if (memcmp(&a->self.key, wanted, sizeof(*wanted)) == 0) {
		out->is_live = true;
		(void)snprintf(out->where, sizeof(out->where), "%.60s announces it from %s",
			       a->self.hostname[0] ? a->self.hostname : "a node",
			       ip_format(ip, &from->ip));
		return;
	}
	for (size_t i = 0; i < a->n_known && !out->is_live; i++) {
		if (memcmp(&a->known[i].key, wanted, sizeof(*wanted)) != 0)
			continue;
		out->is_live = true;
		(void)snprintf(out->where, sizeof(out->where),
			       "%.40s (%s) has heard of it within minutes, at %.60s",
			       a->self.hostname[0] ? a->self.hostname : "a node",
			       endpoint_format(text, from),
			       a->known[i].endpoint[0] ? a->known[i].endpoint
						       : "an unknown address");
	}
}

static bool was_asked(const struct probe *p, const struct endpoint *from)
{
	for (size_t i = 0; i < p->q->n_ask; i++)
		if (endpoint_equal(&p->q->ask[i], from))
			return true;
	return false;
}

static void take(struct probe *p, size_t len, const struct endpoint *from)
{
	struct announcement a;
	struct envelope env;

	if (envelope_open(&env, p->buf, len, p->q->keys->gossip_key, clock_now().unix_s) !=
	    ENVELOPE_OK)
		return;
	if (was_asked(p, from))
		p->visitor.skew_s = env.timestamp - clock_now().unix_s;
	if (announce_parse(&a, &env, false) == ANNOUNCE_OK) {
		livecheck_judge(p->out, &p->q->wanted, &a, from);
		announce_free(&a);
	}
	envelope_free(&env);
}

/* Only those who were asked are believed: anything else may be old, or somebody's guess. */
static void receive(struct probe *p, const struct udp *u, bool from_asked_only)
{
	struct udp_local local;
	struct endpoint from;
	ssize_t n;

	while (!p->out->is_live &&
	       (n = udp_receive(u, p->buf, sizeof(p->buf), &from, &local)) != -EAGAIN)
		if (n > 0 && (!from_asked_only || was_asked(p, &from)))
			take(p, (size_t)n, &from);
}

static int64_t next_wake(const struct probe *p, int64_t passed_ms)
{
	int64_t until =
		p->n_rounds < ARRAY_LEN(rounds_ms) ? rounds_ms[p->n_rounds] : p->q->limit_ms;

	if (until > p->q->limit_ms)
		until = p->q->limit_ms;
	return until > passed_ms ? until - passed_ms : 0;
}

static void wait_for_answers(struct probe *p)
{
	int64_t start_ms = clock_now().mono_ms;

	while (!p->out->is_live) {
		struct pollfd fds[] = { { .fd = p->visitor.group.fd, .events = POLLIN },
					{ .fd = p->visitor.direct.fd, .events = POLLIN } };
		int64_t passed_ms = clock_now().mono_ms - start_ms;

		if (passed_ms >= p->q->limit_ms)
			return;
		if (p->n_rounds < ARRAY_LEN(rounds_ms) && passed_ms >= rounds_ms[p->n_rounds]) {
			(void)visitor_hello(&p->visitor, p->q->ask, p->q->n_ask);
			p->n_rounds++;
			continue;
		}
		(void)poll(fds, ARRAY_LEN(fds), (int)next_wake(p, passed_ms));
		if (fds[0].revents)
			receive(p, &p->visitor.group, false);
		if (fds[1].revents)
			receive(p, &p->visitor.direct, true);
	}
}

int livecheck_run(struct livecheck_result *out, const struct livecheck *q, struct err *e)
{
	struct probe *p = calloc(1, sizeof(*p));
	int r;

	*out = (struct livecheck_result) { 0 };
	if (!p)
		return err_set(e, -ENOMEM, "ask the mesh");
	p->q = q;
	p->out = out;
	r = visitor_open(&p->visitor, q->keys, "wgmesh-state-import", 0, e);
	if (r == 0) {
		wait_for_answers(p);
		visitor_close(&p->visitor, q->ask, q->n_ask);
	}
	free(p);
	return r;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/peertest.h"
#include "common/defs.h"
#include "daemon/clock.h"
#include "daemon/discovery/visitor.h"
#include "daemon/envelope.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* When HELLOs go out: below the rate at which nodes drop them, and past a short loss of packets. */
static const int64_t rounds_ms[] = { 0, 400, 1200, 3000, 5000, 8000 };

/* A second refusal is no accident: the port may have been closed for a moment of a restart. */
#define REFUSALS_ENOUGH 2

/**
 * struct test - A test under way
 * @q:		What is asked
 * @out:	What was heard
 * @visitor:	Who asks
 * @sent_us:	When the last HELLO went out
 * @n_errors:	Errors that were reported
 * @buf:	A datagram
 */
struct test {
	const struct peertest *q;
	struct peertest_result *out;
	struct visitor visitor;
	uint64_t sent_us;
	unsigned int n_errors;
	char buf[ENVELOPE_DATAGRAM_MAX];
};

const char *peertest_outcome_name(enum peertest_outcome o)
{
	static const char *const names[] = {
		[PEERTEST_SILENT] = "silent",	  [PEERTEST_ANSWERED] = "answered",
		[PEERTEST_REFUSED] = "refused",	  [PEERTEST_UNREACHABLE] = "unreachable",
		[PEERTEST_NOT_OURS] = "not_ours", [PEERTEST_STALE] = "stale",
		[PEERTEST_INVALID] = "invalid",
	};

	_Static_assert(ARRAY_LEN(names) == PEERTEST_OUTCOMES, "a name for every outcome");
	return names[o];
}

/* --- what comes ---------------------------------------------------------------------------- */

static void note_error(struct test *t, int r)
{
	t->n_errors++;
	t->out->outcome = r == -ECONNREFUSED ? PEERTEST_REFUSED : PEERTEST_UNREACHABLE;
	t->out->error = r;
}

/* What a member says of the time may be anything. */
static int64_t skew_of(const struct envelope *env)
{
	int64_t skew_s;

	if (__builtin_sub_overflow(env->timestamp, clock_now().unix_s, &skew_s))
		return -INT64_MAX;
	return skew_s;
}

/* Whether the node could be opened at all, and what it says of the time. */
static enum peertest_outcome judge(struct test *t, const struct envelope *env,
				   enum envelope_result r)
{
	bool is_dated = r == ENVELOPE_OK || r == ENVELOPE_TOO_OLD || r == ENVELOPE_IN_FUTURE;

	t->out->skew_s = is_dated ? skew_of(env) : 0;
	t->visitor.skew_s = r == ENVELOPE_OK ? t->out->skew_s : 0;
	if (r == ENVELOPE_TOO_OLD || r == ENVELOPE_IN_FUTURE)
		return PEERTEST_STALE;
	if (r == ENVELOPE_BAD_PAYLOAD || r == ENVELOPE_WRONG_PROTOCOL)
		return PEERTEST_INVALID;
	if (r != ENVELOPE_OK)
		return PEERTEST_NOT_OURS;
	return announce_parse(&t->out->answer, env, false) == ANNOUNCE_OK ? PEERTEST_ANSWERED
									  : PEERTEST_INVALID;
}

/* The node greets back whoever greets it, which is no answer. */
static bool is_reply(const struct envelope *env, enum envelope_result r)
{
	return r != ENVELOPE_OK || env->type == MESSAGE_REPLY || env->type == MESSAGE_UNKNOWN;
}

static void take_answer(struct test *t, size_t len, const struct endpoint *from)
{
	bool is_odd = !endpoint_equal(from, &t->q->to);
	uint64_t now_us = clock_monotonic_us();
	enum peertest_outcome outcome;
	enum envelope_result r;
	struct envelope env;

	r = envelope_open(&env, t->buf, len, t->q->keys->gossip_key, clock_now().unix_s);
	/* From elsewhere, only what a member seals can be the answer. */
	if (is_reply(&env, r) && !(is_odd && r != ENVELOPE_OK)) {
		outcome = judge(t, &env, r);
		t->out->outcome = outcome;
		t->out->from = *from;
		t->out->is_odd = is_odd;
		t->out->rtt_us = (int64_t)(now_us - t->sent_us);
	}
	if (r == ENVELOPE_OK)
		envelope_free(&env);
}

static void take_from_lan(struct test *t, size_t len, const struct endpoint *from)
{
	enum envelope_result r;
	struct envelope env;

	if (!ip_equal(&from->ip, &t->q->to.ip))
		return;
	r = envelope_open(&env, t->buf, len, t->q->keys->gossip_key, clock_now().unix_s);
	if (r == ENVELOPE_OK) {
		t->out->lan = PEERTEST_LAN_GOOD;
		envelope_free(&env);
	} else if (r == ENVELOPE_TOO_OLD || r == ENVELOPE_IN_FUTURE) {
		t->out->lan = PEERTEST_LAN_STALE;
		t->out->skew_s = skew_of(&env);
	}
}

static bool is_settled(const struct test *t)
{
	switch (t->out->outcome) {
	case PEERTEST_ANSWERED:
	case PEERTEST_STALE:
	case PEERTEST_INVALID:
		return true;
	case PEERTEST_REFUSED:
	case PEERTEST_UNREACHABLE:
		return t->n_errors >= REFUSALS_ENOUGH;
	case PEERTEST_SILENT:
	case PEERTEST_NOT_OURS:
	case PEERTEST_OUTCOMES:
		break;
	}
	return false;
}

static void receive_direct(struct test *t)
{
	struct udp_local local;
	struct endpoint from;
	ssize_t n;

	while (!is_settled(t) && (n = udp_receive(&t->visitor.direct, t->buf, sizeof(t->buf), &from,
						  &local)) != -EAGAIN) {
		if (n > 0) {
			take_answer(t, (size_t)n, &from);
		} else if (n < 0) {
			/* The queue says the same again, and must not stay full: poll(2) would return. */
			int why = udp_take_error(&t->visitor.direct);

			note_error(t, why ? why : (int)n);
		}
	}
	while (udp_take_error(&t->visitor.direct) != 0)
		;
}

static void receive_lan(struct test *t)
{
	struct udp_local local;
	struct endpoint from;
	ssize_t n;

	while ((n = udp_receive(&t->visitor.group, t->buf, sizeof(t->buf), &from, &local)) !=
	       -EAGAIN)
		if (n > 0)
			take_from_lan(t, (size_t)n, &from);
}

/* --- waiting ------------------------------------------------------------------------------- */

static void say_hello(struct test *t)
{
	int r;

	/* Before it is sent: on one machine the answer can be there when sendmsg(2) returns. */
	t->sent_us = clock_monotonic_us();
	r = visitor_hello(&t->visitor, &t->q->to, 1);
	t->out->n_sent++;
	if (r < 0)
		note_error(t, r);
}

static int64_t next_wake(const struct test *t, int64_t passed_ms)
{
	int64_t until =
		t->out->n_sent < ARRAY_LEN(rounds_ms) ? rounds_ms[t->out->n_sent] : t->q->limit_ms;

	if (until > t->q->limit_ms)
		until = t->q->limit_ms;
	return until > passed_ms ? until - passed_ms : 0;
}

static void wait_for_answer(struct test *t)
{
	int64_t start_ms = clock_now().mono_ms;

	while (!is_settled(t) && !(t->q->is_stopped && *t->q->is_stopped)) {
		struct pollfd fds[] = { { .fd = t->visitor.group.fd, .events = POLLIN },
					{ .fd = t->visitor.direct.fd, .events = POLLIN } };
		int64_t passed_ms = clock_now().mono_ms - start_ms;

		if (t->out->n_sent < ARRAY_LEN(rounds_ms) &&
		    passed_ms >= rounds_ms[t->out->n_sent] && passed_ms <= t->q->limit_ms) {
			say_hello(t);
			continue;
		}
		if (passed_ms >= t->q->limit_ms)
			return;
		if (poll(fds, ARRAY_LEN(fds), (int)next_wake(t, passed_ms)) < 0)
			continue;
		if (fds[0].revents)
			receive_lan(t);
		if (fds[1].revents)
			receive_direct(t);
	}
}

int peertest_run(struct peertest_result *out, const struct peertest *q, struct err *e)
{
	auto_free struct test *t = calloc(1, sizeof(*t));
	struct err why = { 0 };
	int r;

	*out = (struct peertest_result) { 0 };
	if (!t)
		return err_set(e, -ENOMEM, "ask the node");
	t->q = q;
	t->out = out;
	r = visitor_open(&t->visitor, q->keys, "wgmesh-test-peer", q->port, &why);
	if (r < 0)
		return err_set(e, r, "%s", why.msg);
	if (t->visitor.direct.fd < 0) {
		visitor_close(&t->visitor, NULL, 0);
		return err_set(e, why.code, "%s", why.msg);
	}
	out->visitor = t->visitor.self.key;
	(void)udp_report_errors(&t->visitor.direct);
	wait_for_answer(t);
	visitor_close(&t->visitor, &q->to, 1);
	return 0;
}

void peertest_free(struct peertest_result *r)
{
	if (r->outcome == PEERTEST_ANSWERED)
		announce_free(&r->answer);
}

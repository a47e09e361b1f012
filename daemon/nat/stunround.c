/* SPDX-License-Identifier: MIT */
#include "daemon/nat/stunround.h"
#include "common/defs.h"

#include <string.h>

/* Pauses after each send, in milliseconds; the last one is the wait for a late answer. */
static const int pauses_ms[] = { 500, 1000, 2000, 2000, 2500 };

static size_t count_family(const struct stunround *r, uint8_t family)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->server[i].at.ip.family == family ? 1 : 0;
	return n;
}

bool stunround_add(struct stunround *r, const struct endpoint *at, const struct stun_transaction *t,
		   int64_t now_ms)
{
	for (size_t i = 0; i < r->n; i++)
		if (endpoint_equal(&r->server[i].at, at))
			return true;
	if (r->n == STUNROUND_SERVERS_MAX || count_family(r, at->ip.family) == STUNROUND_FAMILY_MAX)
		return false;
	r->server[r->n++] = (struct stunround_server) {
		.at = *at,
		.transaction = *t,
		.state = STUNROUND_ASKING,
		.due_ms = now_ms,
	};
	return true;
}

struct stunround_server *stunround_next(struct stunround *r, int64_t now_ms)
{
	for (size_t i = 0; i < r->n; i++) {
		struct stunround_server *s = &r->server[i];

		if (s->state != STUNROUND_ASKING || s->due_ms > now_ms)
			continue;
		if (s->n_sent == ARRAY_LEN(pauses_ms)) {
			s->state = STUNROUND_SILENT;
			continue;
		}
		s->due_ms = now_ms + pauses_ms[s->n_sent++];
		return s;
	}
	return NULL;
}

int64_t stunround_due_ms(const struct stunround *r)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < r->n; i++)
		if (r->server[i].state == STUNROUND_ASKING && r->server[i].due_ms < due)
			due = r->server[i].due_ms;
	return due;
}

bool stunround_take(struct stunround *r, const void *buf, size_t len, const struct endpoint *from)
{
	for (size_t i = 0; i < r->n; i++) {
		struct stunround_server *s = &r->server[i];
		enum stun_result result;

		if (s->state != STUNROUND_ASKING || s->n_sent == 0 || !endpoint_equal(&s->at, from))
			continue;
		result = stun_parse(&s->mapped, buf, len, &s->transaction);
		if (result == STUN_NOT_OURS)
			return false;
		s->state = result == STUN_OK ? STUNROUND_ANSWERED : STUNROUND_REFUSED;
		return true;
	}
	return false;
}

/* A server of the family that has told where it sees us. */
static bool has_answered(const struct stunround_server *s, uint8_t family)
{
	return s->at.ip.family == family && s->state == STUNROUND_ANSWERED &&
	       s->mapped.ip.family == family;
}

/* How many see this address, and with the same port when @with_port. */
static size_t count_seeing(const struct stunround *r, const struct endpoint *us, bool with_port)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct stunround_server *s = &r->server[i];

		if (has_answered(s, us->ip.family) && ip_equal(&s->mapped.ip, &us->ip))
			n += !with_port || s->mapped.port == us->port ? 1 : 0;
	}
	return n;
}

/* Without any one of them, those who are left would say the same. */
static bool is_believed(size_t agreeing, size_t answered)
{
	return agreeing == answered || (agreeing >= 2 && answered - agreeing == 1);
}

struct stunview stunround_judge(const struct stunround *r, uint8_t family)
{
	struct stunview v = { .n_asked = count_family(r, family) };
	size_t most = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct endpoint *us = &r->server[i].mapped;
		size_t seeing;
		size_t same;

		if (!has_answered(&r->server[i], family))
			continue;
		v.n_answered++;
		seeing = count_seeing(r, us, false);
		same = count_seeing(r, us, true);
		if (seeing > v.n_agreeing || (seeing == v.n_agreeing && same > most))
			v.mapped = *us;
		v.n_agreeing = seeing > v.n_agreeing ? seeing : v.n_agreeing;
		most = same > most ? same : most;
	}
	if (v.n_answered >= 2)
		v.nat = is_believed(most, v.n_answered) ? NAT_CONE : NAT_SYMMETRIC;
	if (!is_believed(v.n_agreeing, v.n_answered))
		v.mapped = (struct endpoint) { .port = 0 };
	return v;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/nat/rendezvous.h"
#include "common/defs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_BASE  UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

#define BACKOFF_FIRST_MS 3000
#define BACKOFF_MAX_MS	 30000

/* The terminating NUL of @text included on request: it is what stands between two keys. */
static uint64_t fnv(uint64_t h, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * FNV_PRIME;
	return h;
}

uint64_t rendezvous_hash(const char *first, const char *second)
{
	return fnv(fnv(FNV_BASE, first, strlen(first) + 1), second, strlen(second));
}

uint64_t rendezvous_pair_seed(const char *a, const char *b)
{
	return strcmp(a, b) < 0 ? rendezvous_hash(a, b) : rendezvous_hash(b, a);
}

char *rendezvous_pair_id(char out[static RENDEZVOUS_PAIR_ID_SIZE], uint64_t seed)
{
	(void)snprintf(out, RENDEZVOUS_PAIR_ID_SIZE, "%016llx", (unsigned long long)seed);
	return out;
}

/* How far into the pair's period a second lies. */
static int64_t phase_of(uint64_t seed, int64_t unix_s, struct rendezvous_window w)
{
	int64_t offset = (int64_t)(seed % (uint64_t)w.period_s);

	return ((unix_s - offset) % w.period_s + w.period_s) % w.period_s;
}

bool rendezvous_is_in_window(uint64_t seed, int64_t unix_s, struct rendezvous_window w)
{
	return phase_of(seed, unix_s, w) < w.length_s;
}

int64_t rendezvous_next_window(uint64_t seed, int64_t unix_s, struct rendezvous_window w)
{
	int64_t phase = phase_of(seed, unix_s, w);

	return phase < w.length_s ? unix_s : unix_s + w.period_s - phase;
}

int64_t rendezvous_backoff_ms(unsigned int failures)
{
	int64_t pause = BACKOFF_FIRST_MS;

	for (unsigned int i = 1; i < failures && pause < BACKOFF_MAX_MS; i++)
		pause *= 2;
	return pause < BACKOFF_MAX_MS ? pause : BACKOFF_MAX_MS;
}

bool rendezvous_is_candidate(const struct endpoint *at)
{
	static const char *const never[] = { "0.0.0.0/8",   "127.0.0.0/8", "169.254.0.0/16",
					     "224.0.0.0/3", "::/127",	   "fe80::/10",
					     "ff00::/8" };

	if (at->ip.family == 0 || at->port < RENDEZVOUS_PORT_MIN)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		struct prefix bad;

		if (prefix_parse(&bad, never[i]) == 0 && prefix_contains(&bad, &at->ip))
			return false;
	}
	return true;
}

void rendezvous_add(struct rendezvous_candidates *list, const struct endpoint *at)
{
	for (size_t i = 0; i < list->n; i++)
		if (endpoint_equal(&list->at[i], at))
			return;
	if (list->n < RENDEZVOUS_CANDIDATES_MAX)
		list->at[list->n++] = *at;
}

void rendezvous_spread(struct rendezvous_candidates *out, const struct rendezvous_candidates *in)
{
	static const int steps[] = { 0, -1, 1, -2, 2 };

	out->n = 0;
	for (size_t i = 0; i < in->n; i++)
		for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
			struct endpoint at = in->at[i];
			int port = at.port + steps[s];

			if (port < 1 || port > UINT16_MAX)
				continue;
			at.port = (uint16_t)port;
			rendezvous_add(out, &at);
		}
}

static int compare(const void *a, const void *b)
{
	const struct rendezvous_introducer *x = a;
	const struct rendezvous_introducer *y = b;

	if (x->is_explicit != y->is_explicit)
		return x->is_explicit ? -1 : 1;
	return strcmp(x->key_text, y->key_text);
}

size_t rendezvous_choose(struct rendezvous_introducer *pool, size_t n, uint64_t seed,
			 struct rendezvous_introducer out[static RENDEZVOUS_INTRODUCERS_MAX])
{
	size_t chosen = n < RENDEZVOUS_INTRODUCERS_MAX ? n : RENDEZVOUS_INTRODUCERS_MAX;

	if (n == 0)
		return 0;
	qsort(pool, n, sizeof(*pool), compare);
	for (size_t i = 0; i < chosen; i++)
		out[i] = pool[(seed % n + i) % n];
	return chosen;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/nat/stunpace.h"

#define STABLE_ROUNDS 3
#define DOUBLINGS_MAX 7
#define JITTER_PART   8 /* an eighth of the pause, either way */

static int64_t with_jitter(int64_t ms, uint16_t random)
{
	int64_t most = ms / JITTER_PART;

	return ms - most + 2 * most * random / UINT16_MAX;
}

static int64_t retry_ms(const struct stunpace *p)
{
	unsigned int doublings = p->n_failed - 1 < DOUBLINGS_MAX ? p->n_failed - 1 : DOUBLINGS_MAX;

	return (int64_t)STUNPACE_RETRY_MS << doublings;
}

/* An address of which nobody spoke this time may be what it was. */
static bool is_same(const struct stunpace *p, const struct stunview v[static 2])
{
	for (int i = 0; i < 2; i++)
		if (v[i].n_answered > 0 && !ip_equal(&v[i].mapped.ip, &p->last[i]))
			return false;
	return true;
}

int64_t stunpace_next_ms(struct stunpace *p, const struct stunview v[static 2], uint16_t random)
{
	bool is_translated = false;
	bool was_same = is_same(p, v);
	int64_t ms;

	if (v[0].n_answered + v[1].n_answered == 0) {
		p->n_failed++;
		return with_jitter(retry_ms(p), random);
	}
	p->n_failed = 0;
	p->n_same = was_same ? p->n_same + 1 : 0;
	for (int i = 0; i < 2; i++) {
		if (v[i].n_answered == 0)
			continue;
		p->last[i] = v[i].mapped.ip;
		is_translated |= v[i].nat != NAT_NONE;
	}
	if (!is_translated)
		ms = STUNPACE_DIRECT_MS;
	else
		ms = p->n_same < STABLE_ROUNDS ? STUNPACE_SOON_MS : STUNPACE_STABLE_MS;
	return with_jitter(ms, random);
}

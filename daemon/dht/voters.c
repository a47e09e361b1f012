/* SPDX-License-Identifier: MIT */
#include "daemon/dht/voters.h"
#include "daemon/dht/nodeid.h"

static bool same_owner(const struct ip *a, const struct ip *b)
{
	return ip_equal(a, b) || nodeid_neighbours(a, b);
}

void voters_take(struct voters *v, const struct ip *voter, const struct ip *seen)
{
	size_t slot = v->next;

	if (voter->family != seen->family || nodeid_scope(seen) == SCOPE_NONE ||
	    nodeid_scope(seen) < nodeid_scope(voter))
		return;
	for (size_t i = 0; i < VOTERS_MAX; i++)
		if (same_owner(&v->vote[i].voter, voter))
			slot = i;
	if (slot == v->next)
		v->next = (v->next + 1) % VOTERS_MAX;
	v->vote[slot].voter = *voter;
	v->vote[slot].seen = *seen;
}

bool voters_verdict(const struct voters *v, struct ip *out)
{
	size_t total = 0;

	*out = (struct ip) { 0 };
	for (size_t i = 0; i < VOTERS_MAX; i++)
		total += v->vote[i].voter.family != 0;
	for (size_t i = 0; i < VOTERS_MAX; i++) {
		size_t agree = 0;

		for (size_t k = 0; k < VOTERS_MAX; k++)
			agree += v->vote[k].voter.family != 0 &&
				 ip_equal(&v->vote[k].seen, &v->vote[i].seen);
		if (agree < VOTERS_NEEDED || 3 * agree < 2 * total)
			continue;
		*out = v->vote[i].seen;
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/peers/rewritten.h"

#include <stdbool.h>

/* It has a tunnel, and its packets come from somewhere else than where it is known. */
static bool is_elsewhere(const struct peer *p, const struct ip *outside, struct now now)
{
	if (outside->family != 0 && ip_equal(outside, &p->endpoint.ip))
		return false;
	return p->tunnel.ip.family != 0 && peer_has_tunnel(p, now) &&
	       !endpoint_equal(&p->tunnel, &p->endpoint);
}

static bool is_one_of(const struct ip *ip, const struct ip *ours, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ip_equal(&ours[i], ip))
			return true;
	return false;
}

struct rewritten rewritten_look(struct peers *peers, const struct ip *ours, size_t n,
				const struct ip *outside, struct now now)
{
	struct rewritten r = { 0 };

	for (const struct peer *p = peers_next(peers, NULL); p; p = peers_next(peers, p)) {
		if (!is_elsewhere(p, outside, now) || !is_one_of(&p->tunnel.ip, ours, n))
			continue;
		if (!r.first)
			r.first = p;
		r.n++;
	}
	return r;
}

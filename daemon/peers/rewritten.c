/* SPDX-License-Identifier: MIT */
#include "daemon/peers/rewritten.h"

#include <stdbool.h>

static bool is_one(const struct peer *p, const struct ip *ours, size_t n, struct now now)
{
	if (p->tunnel.ip.family == 0 || !peer_has_tunnel(p, now) ||
	    endpoint_equal(&p->tunnel, &p->endpoint))
		return false;
	for (size_t i = 0; i < n; i++)
		if (ip_equal(&ours[i], &p->tunnel.ip))
			return true;
	return false;
}

struct rewritten rewritten_look(struct peers *peers, const struct ip *ours, size_t n,
				struct now now)
{
	struct rewritten r = { 0 };

	for (const struct peer *p = peers_next(peers, NULL); p; p = peers_next(peers, p)) {
		if (!is_one(p, ours, n, now))
			continue;
		if (!r.first)
			r.first = p;
		r.n++;
	}
	return r;
}

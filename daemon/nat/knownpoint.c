/* SPDX-License-Identifier: MIT */
#include "daemon/nat/knownpoint.h"
#include "daemon/nat/ownpoint.h"

#include <sys/socket.h>

static bool is_public(const struct endpoint *e)
{
	return e->ip.family == AF_INET6 ? ownpoint_ip6_is_public(&e->ip)
					: ownpoint_ip4_is_public(&e->ip);
}

/* What the peer says of itself, where that is an address others can use. */
static struct endpoint advertised(const struct peer *p)
{
	struct endpoint e;

	for (size_t i = 0; i < p->candidates.n; i++)
		if (p->candidates.list[i].origin == CANDIDATE_OWN &&
		    is_public(&p->candidates.list[i].at))
			return p->candidates.list[i].at;
	if (endpoint_parse(&e, p->info.endpoint) < 0 || !is_public(&e))
		e = (struct endpoint) { .port = 0 };
	return e;
}

struct endpoint knownpoint_choose(const struct peer *p, const struct endpoint *to, struct now now)
{
	bool is_near = to && to->ip.family != 0 && !is_public(to);
	const struct endpoint *used = candidates_current(&p->candidates, &p->endpoint);
	struct endpoint own;

	if (peer_has_tunnel(p, now) && p->tunnel.ip.family != 0)
		used = &p->tunnel;
	if (is_near || is_public(used))
		return *used;
	own = advertised(p);
	return own.ip.family != 0 ? own : *used;
}

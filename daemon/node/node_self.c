/* SPDX-License-Identifier: MIT */
#include "daemon/nat/knownpoint.h"
#include "daemon/node/node_impl.h"

#include <string.h>

/* What a discovery layer announces of others: only whom we heard ourselves (protocol.md B14). */
static size_t select_known(struct node *n, const struct endpoint *to)
{
	struct now now = clock_now();
	size_t total = 0;

	/* Two passes over the table, so that the selection begins behind the last one and wraps. */
	for (int pass = 0; pass < 2; pass++) {
		for (struct peer *p = peers_next(n->peers, NULL); p && total < NODE_KNOWN_MAX;
		     p = peers_next(n->peers, p)) {
			bool is_behind = p->slot >= n->known_cursor;
			struct endpoint at;

			if (is_behind != (pass == 0) || !peer_is_verified(p) ||
			    !peer_is_active(p, now))
				continue;
			n->known[total] = p->info;
			at = knownpoint_choose(p, to, now);
			(void)endpoint_format(n->known[total].endpoint, &at);
			total++;
			if (total == NODE_KNOWN_MAX)
				n->known_cursor = (uint16_t)(p->slot + 1);
		}
	}
	if (total < NODE_KNOWN_MAX)
		n->known_cursor = 0;
	return total;
}

void node_self_describe(struct node *n, struct announcement *out, bool with_known,
			const struct endpoint *to)
{
	const struct config *cfg = n->cfg;

	out->self.key = n->ready.public_key;
	out->self.mesh_ip = n->ready.mesh_ip;
	out->self.mesh_ip6 = n->ready.mesh_ip6;
	out->self.introducer = cfg->introducer;
	memcpy(out->instance, n->instance, sizeof(out->instance));
	memcpy(out->self.hostname, cfg->hostname, sizeof(out->self.hostname));
	node_nat_tell(n, out, to);
	memcpy(out->routes, n->advertised.net, n->advertised.n * sizeof(out->routes[0]));
	out->n_routes = n->advertised.n;
	if (with_known) {
		out->n_known = select_known(n, to);
		out->known = n->known;
	}
}

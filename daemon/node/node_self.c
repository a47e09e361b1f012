/* SPDX-License-Identifier: MIT */
#include "daemon/node/node_impl.h"

#include <string.h>

void node_self_describe(struct node *n, struct announcement *out, bool with_known,
			const struct endpoint *to)
{
	const struct config *cfg = n->cfg;

	out->self.key = n->ready.public_key;
	out->self.mesh_ip = n->ready.mesh_ip;
	out->self.mesh_ip6 = n->ready.mesh_ip6;
	out->self.introducer = node_forward_introduces(n);
	memcpy(out->instance, n->instance, sizeof(out->instance));
	memcpy(out->self.hostname, cfg->hostname, sizeof(out->self.hostname));
	node_nat_tell(n, out, to);
	memcpy(out->routes, n->advertised.net, n->advertised.n * sizeof(out->routes[0]));
	out->n_routes = n->advertised.n;
	if (with_known)
		node_pex_describe(n, out, to);
}

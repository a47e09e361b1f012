/* SPDX-License-Identifier: MIT */
/* What the kernel passes on for peers: asked for when an operator has, and told when it does not. */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <stdio.h>
#include <string.h>

_Static_assert(ANNOUNCE_ROUTES_MAX <= FORWARD_NETS_MAX, "whatever is advertised can be asked for");

void node_forward_ask(struct node *n)
{
	struct netadmin_request req = { .op = NETADMIN_FORWARD };
	struct forward_want *want = &req.forward;

	if (!n->cfg->introducer && !n->cfg->forward)
		return;
	want->mesh = n->cfg->introducer;
	for (size_t i = 0; n->cfg->forward && i < n->advertised.n; i++)
		want->net[want->n++] = n->advertised.net[i];
	adminlink_send(n->admin, &req, -1);
}

static bool is_same(const struct forward_found *a, const struct forward_found *b)
{
	bool same = a->v4 == b->v4 && a->v6 == b->v6 && a->n_notes == b->n_notes;

	for (uint32_t i = 0; same && i < a->n_notes; i++)
		same = strcmp(a->note[i], b->note[i]) == 0;
	return same;
}

void node_forward_found(struct node *n, const struct forward_found *found)
{
	bool was_on = n->forwards.v4;

	if (n->forward_known && is_same(&n->forwards, found))
		return;
	n->forwards = *found;
	n->forward_known = true;
	for (uint32_t i = 0; i < found->n_notes; i++)
		log_event(EVENT_FORWARDING_LIMITED, NULL, "%s", found->note[i]);
	log_event(EVENT_FORWARDING_SET, NULL, "%s for peers: %s",
		  n->cfg->introducer ? "forwarding between and" : "forwarding",
		  found->v4 ? (found->v6 ? "IPv4 and IPv6" : "IPv4 only")
			    : (found->v6 ? "IPv6 only" : "nothing"));
	/* Whether we are an introducer is what others go by. */
	if (n->cfg->introducer && was_on != found->v4) {
		lan_announce(n->lan);
		node_peers_greet(n);
	}
}

bool node_forward_introduces(const struct node *n)
{
	return n->cfg->introducer && n->forwards.v4;
}

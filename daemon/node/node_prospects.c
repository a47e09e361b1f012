/* SPDX-License-Identifier: MIT */
#include "daemon/node/node_impl.h"

void node_prospect(struct node *n, const struct endpoint *at, enum peer_method via)
{
	exchange_hello(n->exchange, at, (unsigned int)via);
}

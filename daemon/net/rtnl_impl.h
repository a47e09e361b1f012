/* SPDX-License-Identifier: MIT */
/* rtnl_impl - what the files of rtnl share, and nobody else */
#ifndef DAEMON_NET_RTNL_IMPL_H
#define DAEMON_NET_RTNL_IMPL_H

#include "daemon/net/nlsock.h"
#include "daemon/net/rtnl_msg.h"

#include <stdbool.h>

struct rtnl {
	struct nlsock *sock;
};

/* Is it under our number, in the main table, and leads it through this interface? */
bool rtnl_route_is_ours(const struct rtnl_route *route, int ifindex);

#endif /* DAEMON_NET_RTNL_IMPL_H */

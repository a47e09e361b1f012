/* SPDX-License-Identifier: MIT */
/* rtnl_impl - what the files of rtnl share, and nobody else */
#ifndef DAEMON_NET_RTNL_IMPL_H
#define DAEMON_NET_RTNL_IMPL_H

#include "daemon/net/nlsock.h"
#include "daemon/net/rtnl_msg.h"

struct rtnl {
	struct nlsock *sock;
};

#endif /* DAEMON_NET_RTNL_IMPL_H */

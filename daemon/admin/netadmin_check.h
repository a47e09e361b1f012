/* SPDX-License-Identifier: MIT */
/* netadmin_check - is a request one that the mesh process may make? pure */
#ifndef DAEMON_ADMIN_NETADMIN_CHECK_H
#define DAEMON_ADMIN_NETADMIN_CHECK_H

#include "common/err.h"
#include "daemon/admin/netadmin.h"
#include "daemon/peers/routelist.h"

/**
 * netadmin_check() - Judge a request before anything is done with it
 * @req:	Request, from a process that may have been taken over
 * @e:		Says what is wrong with it
 *
 * No peer may have a default route, as an allowed prefix or as a route: it would get all of this
 * node's traffic.
 *
 * Return: 0 or -EPROTO
 */
int netadmin_check(const struct netadmin_request *req, struct err *e);

/**
 * netadmin_check_route() - May this network be routed through the interface?
 * @net:	Network, of a request that passed netadmin_check()
 * @allowed:	--allow-routes; NULL for none
 * @e:		Says what is wrong with it
 *
 * What would take all of this machine's traffic may not, unless the operator has said so: two halves of
 * a default route are one. Nor may what no network has: loopback, link-local and multicast addresses.
 *
 * Return: 0 or -EPERM
 */
int netadmin_check_route(const struct prefix *net, const struct routelist *allowed, struct err *e);

/**
 * netadmin_check_peers() - The same for the changes in a batch, all of them
 */
int netadmin_check_peers(const struct netadmin_batch *b, struct err *e);

#endif /* DAEMON_ADMIN_NETADMIN_CHECK_H */

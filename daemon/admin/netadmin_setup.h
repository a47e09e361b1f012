/* SPDX-License-Identifier: MIT */
/* netadmin_setup - load or make the identity, then bring the interface to match it */
#ifndef DAEMON_ADMIN_NETADMIN_SETUP_H
#define DAEMON_ADMIN_NETADMIN_SETUP_H

#include "daemon/admin/netadmin.h"
#include "daemon/net/rtnl.h"
#include "daemon/state/identity.h"
#include "daemon/wg/wg.h"

/**
 * struct netadmin_node - What the netadmin process holds
 * @cfg:	Configuration; borrowed
 * @dirfd:	State directory
 * @lock_fd:	Lock on it, -1 where the file system has none
 * @id:		Identity, with the private key
 * @rtnl:	rtnetlink handle
 * @wg:		WireGuard handle
 * @ifindex:	Interface
 * @has_ip6:	It has the IPv6 mesh address, as far as this process knows
 * @forward:	What is forwarded because of us
 */
struct netadmin_node {
	const struct netadmin_config *cfg;
	int dirfd;
	int lock_fd;
	struct identity id;
	struct rtnl *rtnl;
	struct wg *wg;
	int ifindex;
	bool has_ip6;
	struct forward forward;
};

/**
 * netadmin_setup() - Everything between a fork and NETADMIN_READY
 * @n:		Receives the handles
 * @cfg:	Configuration; borrowed for as long as @n is used
 * @ready:	Receives what the mesh process is told
 * @e:		Receives the reason on failure, with the exit code it asks for
 *
 * An interface of ours is adopted as it is: only what differs is written, so that its traffic goes
 * on undisturbed.
 *
 * Return: 0 or a negative errno value
 */
int netadmin_setup(struct netadmin_node *n, const struct netadmin_config *cfg,
		   struct netadmin_ready *ready, struct err *e);

/**
 * netadmin_restore_addresses() - Add those that the interface had after the set-up, and lost
 *
 * Return: 0 or a negative errno value
 */
int netadmin_restore_addresses(struct netadmin_node *n, struct err *e);

/**
 * netadmin_move() - Take the mesh address of another nonce: on disk first, then on the interface
 * @n:		Handles; its identity has the address that holds afterwards
 * @nonce:	As for derive_mesh_ip()
 * @e:		Receives the reason on failure
 *
 * Return: 0, or a negative errno value: then the old address is in place, if that could be
 */
int netadmin_move(struct netadmin_node *n, unsigned int nonce, struct err *e);

/**
 * netadmin_teardown() - Wipe the key and close the handles; the interface stays
 */
void netadmin_teardown(struct netadmin_node *n);

#endif /* DAEMON_ADMIN_NETADMIN_SETUP_H */

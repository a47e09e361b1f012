/* SPDX-License-Identifier: MIT */
/* netadmin_nodes - the file of DHT nodes: handed over at the start, written on request */
#ifndef DAEMON_ADMIN_NETADMIN_NODES_H
#define DAEMON_ADMIN_NETADMIN_NODES_H

#include "common/err.h"
#include "daemon/admin/netadmin_setup.h"

/**
 * netadmin_nodes_read() - Read the file into one that has no name
 * @n:		Handles
 *
 * The mesh process never waits for a disk.
 *
 * Return: descriptor at its beginning, owned by the caller; -1 when there is no such file, or none that
 *         can be read: the nodes are found anew
 */
int netadmin_nodes_read(const struct netadmin_node *n);

/**
 * netadmin_nodes_save() - Replace the file
 * @n:		Handles
 * @fd:		What to write; borrowed
 * @e:		Receives the reason on failure
 *
 * What is no list of nodes is refused: the mesh process may have been taken over.
 *
 * Return: 0 or a negative errno value
 */
int netadmin_nodes_save(const struct netadmin_node *n, int fd, struct err *e);

#endif /* DAEMON_ADMIN_NETADMIN_NODES_H */

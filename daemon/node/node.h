/* SPDX-License-Identifier: MIT */
/* node - a running mesh node: puts the modules together and runs the event loop */
#ifndef DAEMON_NODE_NODE_H
#define DAEMON_NODE_NODE_H

#include "daemon/config.h"
#include "daemon/node/notify.h"

/**
 * node_run() - Join the mesh and stay until a stop signal
 * @cfg:	Configuration; borrowed
 * @notify:	Connection to the supervisor; borrowed
 *
 * Return: exit code (enum exits)
 */
int node_run(const struct config *cfg, struct notify *notify);

#endif /* DAEMON_NODE_NODE_H */

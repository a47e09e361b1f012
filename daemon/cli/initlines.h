/* SPDX-License-Identifier: MIT */
/* initlines - what the PID 1 of this container says, for when there is no node to ask */
#ifndef DAEMON_CLI_INITLINES_H
#define DAEMON_CLI_INITLINES_H

#include <jansson.h>

/**
 * initlines_ask() - Ask PID 1
 *
 * Waits a second at most.
 *
 * Return: JSON object of its lines, owned by the caller, as the "supervisor" of `wgmesh status --json`
 *         is; NULL when no wgmesh-init runs here or it does not answer
 */
json_t *initlines_ask(void);

#endif /* DAEMON_CLI_INITLINES_H */

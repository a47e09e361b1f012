/* SPDX-License-Identifier: MIT */
/* statustext - what a node says of itself, for people; what is wrong comes first; pure */
#ifndef DAEMON_CLI_STATUSTEXT_H
#define DAEMON_CLI_STATUSTEXT_H

#include "daemon/cli/show.h"

#include <jansson.h>

/**
 * statustext_print() - Print `wgmesh status`
 * @s:		How
 * @status:	Answer of daemon.status, of any version; borrowed
 * @peers:	JSON list of all peers; borrowed; NULL when they could not be had
 */
void statustext_print(const struct show *s, json_t *status, json_t *peers);

/**
 * statustext_supervisor() - Print what PID 1 says when there is no node to ask
 * @s:		How
 * @supervisor:	JSON object of its lines; borrowed
 */
void statustext_supervisor(const struct show *s, json_t *supervisor);

#endif /* DAEMON_CLI_STATUSTEXT_H */

/* SPDX-License-Identifier: MIT */
/* peertesttext - what `wgmesh test-peer` found, for people and as JSON; pure */
#ifndef DAEMON_CLI_PEERTESTTEXT_H
#define DAEMON_CLI_PEERTESTTEXT_H

#include "daemon/cli/show.h"
#include "daemon/discovery/peertest.h"

#include <jansson.h>

/**
 * peertesttext_print() - Say what was learned, or what the cause can be and how to tell
 * @s:		How
 * @q:		What was asked
 * @r:		What was heard
 */
void peertesttext_print(const struct show *s, const struct peertest *q,
			const struct peertest_result *r);

/**
 * peertesttext_json() - The same as JSON
 *
 * Return: object owned by the caller; NULL without memory
 */
json_t *peertesttext_json(const struct peertest *q, const struct peertest_result *r);

#endif /* DAEMON_CLI_PEERTESTTEXT_H */

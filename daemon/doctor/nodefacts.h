/* SPDX-License-Identifier: MIT */
/* nodefacts - what a running node answers over its control socket, and PID 1, as facts; pure */
#ifndef DAEMON_DOCTOR_NODEFACTS_H
#define DAEMON_DOCTOR_NODEFACTS_H

#include "daemon/doctor/facts.h"

#include <jansson.h>

/**
 * nodefacts_take_status() - Read the answer to "daemon.status"
 * @out:	Facts; what the answer does not have stays as it is
 * @status:	Answer, of this release or an older one
 */
void nodefacts_take_status(struct node_facts *out, json_t *status);

/**
 * nodefacts_take_peers() - Read the answer to "peers.list"
 * @out:	Facts; those without a path come first, and what is beyond FACTS_PEERS_MAX is left out
 * @list:	Answer
 */
void nodefacts_take_peers(struct node_facts *out, json_t *list);

/**
 * nodefacts_take_supervisor() - Read the lines of PID 1
 * @out:	Facts
 * @lines:	They, as a JSON object; NULL for none
 */
void nodefacts_take_supervisor(struct supervisor_facts *out, json_t *lines);

#endif /* DAEMON_DOCTOR_NODEFACTS_H */

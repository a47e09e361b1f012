/* SPDX-License-Identifier: MIT */
/* examine - run all probers of `wgmesh doctor`, each in a child, within a few seconds */
#ifndef DAEMON_DOCTOR_EXAMINE_H
#define DAEMON_DOCTOR_EXAMINE_H

#include "daemon/doctor/facts.h"

/**
 * examine() - Look at everything
 * @f:		@wanted is set, the rest zeroed; receives what was found; wipe it with examine_wipe()
 * @is_seen:	A person waits at a terminal: say there what takes long
 *
 * What does not answer in time is marked so; the whole takes less than three seconds, and with --peer at
 * most --timeout more.
 */
void examine(struct facts *f, bool is_seen);

void examine_wipe(struct facts *f);

#endif /* DAEMON_DOCTOR_EXAMINE_H */

/* SPDX-License-Identifier: MIT */
/* runtime - the supervisor's event loop: signals, children, one timer, the status socket */
#ifndef INIT_SUPERVISE_RUNTIME_H
#define INIT_SUPERVISE_RUNTIME_H

#include "init/boot.h"

/**
 * runtime_supervise() - Phase "supervise": run the daemon until the end of the container
 *
 * Return: OUTCOME_OK with @b->exit_code set, or a negative errno value when the loop could not be
 *         set up; once it runs, nothing but the state machine ends it
 */
int runtime_supervise(struct boot *b, struct err *e);

#endif /* INIT_SUPERVISE_RUNTIME_H */

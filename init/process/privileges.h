/* SPDX-License-Identifier: MIT */
/* privileges - runtime directories for the daemon, its capability, and what PID 1 itself keeps */
#ifndef INIT_PROCESS_PRIVILEGES_H
#define INIT_PROCESS_PRIVILEGES_H

#include "init/boot.h"

/**
 * privileges_settle() - Phase "privileges"
 */
int privileges_settle(struct boot *b, struct err *e);

/**
 * privileges_give_up() - Keep nothing but what supervising needs, for good
 * @b:		Boot
 * @e:		Receives the reason on failure, may be NULL
 *
 * After the first start and spawner_detach(). Leaves CAP_KILL where the program has or may take
 * another user, else no capability; an empty bounding set, where CAP_SETPCAP allows; a process that
 * is not dumpable, cannot gain rights and is held to the system calls of filter.h. A kernel without
 * filters is a warning. Whatever has to be opened for writing has to be open by now.
 *
 * Return: 0 or a negative errno value
 */
int privileges_give_up(const struct boot *b, struct err *e);

#endif /* INIT_PROCESS_PRIVILEGES_H */

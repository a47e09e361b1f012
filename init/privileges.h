/* SPDX-License-Identifier: MIT */
/* privileges - runtime directories for the daemon, its capability, and what PID 1 itself keeps */
#ifndef INIT_PRIVILEGES_H
#define INIT_PRIVILEGES_H

#include "init/boot.h"

/**
 * privileges_settle() - Phase "privileges"
 */
int privileges_settle(struct boot *b, struct err *e);

#endif /* INIT_PRIVILEGES_H */

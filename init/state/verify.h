/* SPDX-License-Identifier: MIT */
/* verify - have "wgmesh state verify" look at the key file before the daemon may */
#ifndef INIT_STATE_VERIFY_H
#define INIT_STATE_VERIFY_H

#include "init/boot.h"

/**
 * verify_state() - Phase "verify"
 */
int verify_state(struct boot *b, struct err *e);

#endif /* INIT_STATE_VERIFY_H */

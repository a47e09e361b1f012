/* SPDX-License-Identifier: MIT */
/* verify - what does the volume prove, and is the key good? Before the daemon may touch either */
#ifndef INIT_STATE_VERIFY_H
#define INIT_STATE_VERIFY_H

#include "init/boot.h"

/**
 * verify_state() - Phase "verify": the volume's marker, then "wgmesh state verify"
 *
 * The marker comes first: should the key be refused, it is what tells that there was one.
 */
int verify_state(struct boot *b, struct err *e);

#endif /* INIT_STATE_VERIFY_H */

/* SPDX-License-Identifier: MIT */
/*
 * handover - a secret file that only root may read, opened for a daemon that is not root
 *
 * Compose mounts secrets with the owner and mode they have on the host, which often is root's 0600.
 * PID 1 opens such a file before it gives up its rights, and the daemon inherits the descriptor,
 * whose number is in WGMESH_SECRET_FD. PID 1 never reads it.
 */
#ifndef INIT_SUPERVISE_HANDOVER_H
#define INIT_SUPERVISE_HANDOVER_H

#include "init/boot.h"

/**
 * handover_open() - Open the secret file, if the daemon cannot and we can
 * @b:		Boot; its configuration receives the descriptor and the variable
 */
void handover_open(struct boot *b);

#endif /* INIT_SUPERVISE_HANDOVER_H */

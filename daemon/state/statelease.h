/* SPDX-License-Identifier: MIT */
/*
 * statelease - is there a node on another host that uses this state directory?
 *
 * Where locks reach no further than one host, wgmesh-init keeps a lease: the files .wgmesh.lease.N, of
 * which the highest number counts, and whose holder changes it as a sign of life.
 */
#ifndef DAEMON_STATE_STATELEASE_H
#define DAEMON_STATE_STATELEASE_H

#include "daemon/state/statedir.h"

#include <stdint.h>

enum statelease {
	STATELEASE_NONE,   /* no lease, or one that was given up */
	STATELEASE_SILENT, /* somebody has it, and gave no sign of life for as long as we looked */
	STATELEASE_LIVE,
};

/**
 * statelease_watch() - Look at the lease, and where somebody has it, wait for a sign of life
 * @holder:	Receives who has it
 * @dirfd:	State directory; borrowed
 * @silence_ms:	How long a holder may be silent
 *
 * Return: enum statelease, or a negative errno value
 */
int statelease_watch(char holder[static HOLDER_TEXT_SIZE], int dirfd, uint64_t silence_ms);

#endif /* DAEMON_STATE_STATELEASE_H */

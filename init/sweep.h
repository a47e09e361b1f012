/* SPDX-License-Identifier: MIT */
/* sweep - signal everything that is ours: all of a PID namespace, or all our descendants */
#ifndef INIT_SWEEP_H
#define INIT_SWEEP_H

#include <sys/types.h>

/**
 * sweep_signal() - Signal every process but this one
 * @sig:	Signal
 * @spared:	Process that is left out, 0 for none
 *
 * As PID 1 that is every process of the namespace. Otherwise it is every descendant, sessions of
 * their own included: with hostPID, kill(-1) would end the host's services. With @spared the processes are
 * met one by one, and one that forks at that moment may get away.
 */
void sweep_signal(int sig, pid_t spared);

#endif /* INIT_SWEEP_H */

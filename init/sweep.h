/* SPDX-License-Identifier: MIT */
/* sweep - signal everything that is ours: all of a PID namespace, or all our descendants */
#ifndef INIT_SWEEP_H
#define INIT_SWEEP_H

/**
 * sweep_signal() - Signal every process but this one
 * @sig:	Signal
 *
 * As PID 1 that is every process of the namespace. Otherwise it is every descendant, sessions of
 * their own included: with hostPID, kill(-1) would end the host's services.
 */
void sweep_signal(int sig);

#endif /* INIT_SWEEP_H */

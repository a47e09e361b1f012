/* SPDX-License-Identifier: MIT */
/* sweep - signal everything that is ours: all of a PID namespace, or all our descendants */
#ifndef INIT_SUPERVISE_SWEEP_H
#define INIT_SUPERVISE_SWEEP_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * sweep_signal() - Signal every process but this one
 * @sig:	Signal
 * @group:	Process group to make do with where /proc is masked and we are not PID 1; 0 for none
 *
 * As PID 1 that is every process of the namespace. Otherwise it is every descendant, sessions of
 * their own included: with hostPID, kill(-1) would end the host's services.
 *
 * Return: false when there is nobody to signal
 */
bool sweep_signal(int sig, pid_t group);

#endif /* INIT_SUPERVISE_SWEEP_H */

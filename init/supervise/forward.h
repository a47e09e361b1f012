/* SPDX-License-Identifier: MIT */
/* forward - pass a signal on to the program, or to its process group */
#ifndef INIT_SUPERVISE_FORWARD_H
#define INIT_SUPERVISE_FORWARD_H

#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/**
 * forward_signal() - Pass a signal on
 * @pid:	Program, leader of its process group; 0 when there is none
 * @group:	Signal its whole group
 * @sig:	Signal
 */
void forward_signal(pid_t pid, bool group, int sig);

/**
 * forward_as_sent() - Pass a signal on with what it carries
 * @pid:	Program, leader of its process group; 0 when there is none
 * @group:	Signal its whole group; then the value is lost, since no call sends both
 * @sig:	Signal to pass on
 * @ssi:	Signal as it came; the value of sigqueue(3) and its like is kept, for which the kernel
 *		demands a negative si_code other than SI_TKILL (rt_sigqueueinfo(2))
 */
void forward_as_sent(pid_t pid, bool group, int sig, const struct signalfd_siginfo *ssi);

#endif /* INIT_SUPERVISE_FORWARD_H */

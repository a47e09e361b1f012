/* SPDX-License-Identifier: MIT */
/* sender - the name of the process that sent a signal */
#ifndef INIT_SUPERVISE_SENDER_H
#define INIT_SUPERVISE_SENDER_H

#include <sys/types.h>

#define SENDER_SIZE 32

/**
 * sender_comm() - Name of a process; ask at once, senders tend to be short-lived
 * @pid:	Process, as in ssi_pid
 * @out:	Receives its name, control characters replaced; empty for 0 and when it is unknown
 */
void sender_comm(pid_t pid, char out[static SENDER_SIZE]);

#endif /* INIT_SUPERVISE_SENDER_H */

/* SPDX-License-Identifier: MIT */
/*
 * dispositions - give every signal its default disposition, for PID 1 and all that it starts
 *
 * Ignored signals stay ignored across execve(2): whoever started us may have left some. Ignoring
 * SIGCHLD would have the kernel reap by itself, and the daemon's end never seen; the others would be
 * passed on to the daemon. PID 1 catches none, so what is default once stays so in every child.
 */
#ifndef INIT_PROCESS_DISPOSITIONS_H
#define INIT_PROCESS_DISPOSITIONS_H

#include <stdint.h>

/**
 * dispositions_reset() - Give every signal its default disposition
 *
 * The kernel is asked which are ignored (proc_pid_status(5)), because usually none is; where it
 * does not answer, all 64 are reset one by one.
 */
void dispositions_reset(void);

/**
 * dispositions_find_ignored() - Which signals does a status file call ignored? pure
 * @ignored:	Receives the set, bit n-1 for signal n
 * @status:	Text of proc_pid_status(5)
 *
 * Return: 0, or -EINVAL when it does not tell
 */
int dispositions_find_ignored(uint64_t *ignored, const char *status);

#endif /* INIT_PROCESS_DISPOSITIONS_H */

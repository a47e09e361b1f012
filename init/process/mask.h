/* SPDX-License-Identifier: MIT */
/* mask - block every signal, and look for a stop signal among the pending ones */
#ifndef INIT_PROCESS_MASK_H
#define INIT_PROCESS_MASK_H

/**
 * mask_block_all() - Block every signal there is
 *
 * A raw system call: the C library's sigfillset(3) leaves out the two or three signals that it
 * keeps for itself, and PID 1 would lose those.
 */
void mask_block_all(void);

/**
 * mask_unblock_all() - Empty the signal mask
 *
 * For a child before execve(2), whose dispositions are default ones (dispositions.h).
 */
void mask_unblock_all(void);

/**
 * mask_open_all() - Descriptor that delivers every signal
 *
 * Return: signalfd owned by the caller, or a negative errno value
 */
int mask_open_all(void);

/**
 * mask_open_stop() - Descriptor that becomes readable once a stop signal is pending
 *
 * Nobody reads from it: the signal stays pending, and mask_take_stop() takes it.
 *
 * Return: signalfd owned by the caller, or a negative errno value
 */
int mask_open_stop(void);

/**
 * mask_take_stop() - Take a pending stop signal, if there is one
 *
 * Return: the signal, or 0
 */
int mask_take_stop(void);

#endif /* INIT_PROCESS_MASK_H */

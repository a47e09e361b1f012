/* SPDX-License-Identifier: MIT */
/* regs - change a stopped tracee's system call: its number, an argument, its result */
#ifndef TESTS_FAULT_REGS_H
#define TESTS_FAULT_REGS_H

#include <sys/types.h>

/**
 * regs_skip_call() - At a call's entry: make the kernel do nothing
 * @pid:	Tracee
 *
 * Return: 0 or a negative errno value
 */
int regs_skip_call(pid_t pid);

/**
 * regs_set_argument() - At a call's entry or exit: set an argument; the caller may rely on it later
 * @pid:	Tracee
 * @which:	1 to 5; the first one shares its register with the result on some machines
 * @value:	New value
 *
 * Return: 0 or a negative errno value
 */
int regs_set_argument(pid_t pid, unsigned int which, unsigned long value);

/**
 * regs_set_result() - At a call's exit: set what the program gets
 * @pid:	Tracee
 * @value:	Result, or a negative errno value
 *
 * Return: 0 or a negative errno value
 */
int regs_set_result(pid_t pid, long value);

#endif /* TESTS_FAULT_REGS_H */

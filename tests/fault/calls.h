/* SPDX-License-Identifier: MIT */
/* calls - what a system call of a tracee is about: which file, does it change the disk */
#ifndef TESTS_FAULT_CALLS_H
#define TESTS_FAULT_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CALL_TARGET_SIZE 256

/**
 * struct call - One system call, as it is entered
 * @pid:	Who makes it
 * @nr:		Its number
 * @args:	Its arguments
 */
struct call {
	pid_t pid;
	uint64_t nr;
	uint64_t args[6];
};

/**
 * call_changes_disk() - Would a medium that is full, dying or read-only refuse this call?
 * @c:		Call
 *
 * Those on pipes, sockets, devices and /proc do not count: the log goes there.
 */
bool call_changes_disk(const struct call *c);

/**
 * call_count_argument() - Which argument says how many bytes are to be moved?
 * @c:		Call
 *
 * Return: its index, or -1 when this call cannot come out short
 */
int call_count_argument(const struct call *c);

/**
 * call_is_log() - Does it write to what is no file?
 * @c:		Call
 */
bool call_is_log(const struct call *c);

/**
 * call_target() - Which file it is about: a name as given, or what its descriptor is open on
 * @c:		Call
 * @out:	Receives the text, "-" when there is none
 */
void call_target(const struct call *c, char out[static CALL_TARGET_SIZE]);

#endif /* TESTS_FAULT_CALLS_H */

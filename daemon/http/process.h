/* SPDX-License-Identifier: MIT */
/* process - memory, descriptors and processor time of this process */
#ifndef DAEMON_HTTP_PROCESS_H
#define DAEMON_HTTP_PROCESS_H

#include <stdint.h>

/**
 * struct process_facts - What this process uses; -1 for what the kernel does not tell us
 * @cpu_s:	Processor time in seconds, user and system
 * @resident_bytes: Memory in use
 * @virtual_bytes: Address space
 * @open_fds:	Open descriptors
 * @max_fds:	How many there may be
 * @start_unix_s: Unix time of its start
 */
struct process_facts {
	double cpu_s;
	int64_t resident_bytes;
	int64_t virtual_bytes;
	int64_t open_fds;
	int64_t max_fds;
	double start_unix_s;
};

/**
 * process_open() - Open what process_look() reads, while files can still be opened
 *
 * It stays open for good. Who does not call it has it opened by the first process_look(); a fork must
 * not have happened in between.
 */
void process_open(void);

/**
 * process_look() - Ask the kernel
 * @out:	Receives the facts
 */
void process_look(struct process_facts *out);

/**
 * process_parse_stat() - Read /proc/PID/stat; pure
 * @text:	Its text
 * @start_ticks: Receives the start in clock ticks since boot
 *
 * Return: 0, or -EINVAL where it has another form
 */
int process_parse_stat(const char *text, uint64_t *start_ticks);

#endif /* DAEMON_HTTP_PROCESS_H */

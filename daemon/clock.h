/* SPDX-License-Identifier: MIT */
/* clock - what time it is, as a value that is passed down; pure modules never ask by themselves */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include <stdint.h>

/**
 * struct now - One moment on both clocks
 * @mono_ms:	CLOCK_BOOTTIME in milliseconds: ages and deadlines, untouched by clock changes
 * @unix_s:	Unix time in seconds: what goes on the wire and to disk
 * @part_ms:	Milliseconds of that second that are over: for what two nodes do at one time
 */
struct now {
	int64_t mono_ms;
	int64_t unix_s;
	int64_t part_ms;
};

/**
 * clock_now() - Read both clocks
 */
struct now clock_now(void);

/**
 * clock_monotonic_us() - CLOCK_MONOTONIC in microseconds, for those who compare it with their own
 */
uint64_t clock_monotonic_us(void);

#endif /* DAEMON_CLOCK_H */

/* SPDX-License-Identifier: MIT */
/* clock - the only reader of the clocks in wgmesh-init */
#ifndef INIT_CLOCK_H
#define INIT_CLOCK_H

#include <stdint.h>

/**
 * clock_mono_us() - Microseconds of the monotonic clock
 */
uint64_t clock_mono_us(void);

/**
 * clock_mono_ms() - Milliseconds of the monotonic clock
 */
uint64_t clock_mono_ms(void);

/**
 * clock_utc_s() - Seconds of the wall clock; it may jump
 */
int64_t clock_utc_s(void);

/**
 * clock_utc_text() - The wall clock as "2026-01-01T00:00:00Z"
 * @out:	Receives the text
 */
void clock_utc_text(char out[static 24]);

#endif /* INIT_CLOCK_H */

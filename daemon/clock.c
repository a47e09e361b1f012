/* SPDX-License-Identifier: MIT */
#include "daemon/clock.h"

#include <time.h>

struct now clock_now(void)
{
	struct timespec mono = { 0 };
	struct timespec real = { 0 };

	/* Suspended time counts: a peer that slept through it is as old as the wall clock says. */
	(void)clock_gettime(CLOCK_BOOTTIME, &mono);
	(void)clock_gettime(CLOCK_REALTIME, &real);
	return (struct now) {
		.mono_ms = (int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
		.unix_s = (int64_t)real.tv_sec,
		.part_ms = real.tv_nsec / 1000000,
	};
}

uint64_t clock_monotonic_us(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

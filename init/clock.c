/* SPDX-License-Identifier: MIT */
#include "init/clock.h"

#include <time.h>

uint64_t clock_mono_us(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_utc_s(void)
{
	return (int64_t)time(NULL);
}

void clock_utc_text(char out[static 24])
{
	time_t now = time(NULL);
	struct tm tm = { 0 };

	(void)gmtime_r(&now, &tm);
	(void)strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

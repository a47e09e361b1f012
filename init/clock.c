/* SPDX-License-Identifier: MIT */
#include "init/clock.h"
#include "common/str.h"

#include <stdio.h>
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
	char text[STR_UTC_SIZE];

	str_utc(text, (uint64_t)time(NULL));
	(void)snprintf(out, 24, "%sZ", text);
}

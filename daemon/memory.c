/* SPDX-License-Identifier: MIT */
#include "daemon/memory.h"

#include <malloc.h>

#define LARGE 65536

void memory_settle(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, LARGE);
	(void)mallopt(M_ARENA_MAX, 1);
}

void memory_give_back(void)
{
	(void)malloc_trim(0);
}

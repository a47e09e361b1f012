/* SPDX-License-Identifier: MIT */
#include "init/state/progress.h"
#include "common/log.h"
#include "init/clock.h"

#include <stddef.h>

void progress_begin(struct progress *p, const char *name, uint64_t total)
{
	if (!p)
		return;
	p->name = name;
	p->total = total;
	p->done = 0;
	p->due_ms = clock_mono_ms() + PROGRESS_FIRST_MS;
	progress_step(p, 0);
}

void progress_step(struct progress *p, uint64_t bytes)
{
	uint64_t now_ms;

	if (!p)
		return;
	(void)__atomic_add_fetch(&p->steps, 1, __ATOMIC_RELAXED);
	p->done += bytes;
	now_ms = clock_mono_ms();
	if (bytes == 0 || now_ms < p->due_ms)
		return;
	p->due_ms = now_ms + PROGRESS_NEXT_MS;
	log_event(EVENT_COPY_PROGRESS, NULL, "copying %s: %llu of %llu bytes", p->name,
		  (unsigned long long)p->done, (unsigned long long)p->total);
}

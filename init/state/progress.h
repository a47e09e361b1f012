/* SPDX-License-Identifier: MIT */
/* progress - count the steps of a long work, and say a line now and then while it takes long */
#ifndef INIT_STATE_PROGRESS_H
#define INIT_STATE_PROGRESS_H

#include <stdint.h>

/* What takes less is not worth a line. */
#define PROGRESS_FIRST_MS 2000
#define PROGRESS_NEXT_MS  3000

/**
 * struct progress - How far a work is
 * @steps:	Steps so far, of all files; somebody may watch it (child_run_active())
 * @name:	File, printable; borrowed
 * @total:	Bytes to copy
 * @done:	Bytes copied
 * @due_ms:	Monotonic time of the next line
 */
struct progress {
	uint64_t steps;
	const char *name;
	uint64_t total;
	uint64_t done;
	uint64_t due_ms;
};

/**
 * progress_begin() - The next file
 * @p:		Progress; NULL counts nothing
 * @name:	File name, printable; borrowed until the next call
 * @total:	Bytes in it
 */
void progress_begin(struct progress *p, const char *name, uint64_t total);

/**
 * progress_step() - Something was done
 * @p:		Progress; NULL counts nothing
 * @bytes:	Bytes that were copied; 0 for a step of another kind
 */
void progress_step(struct progress *p, uint64_t bytes);

#endif /* INIT_STATE_PROGRESS_H */

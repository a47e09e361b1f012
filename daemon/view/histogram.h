/* SPDX-License-Identifier: MIT */
/* histogram - how often a duration fell below each of a few bounds; pure */
#ifndef DAEMON_VIEW_HISTOGRAM_H
#define DAEMON_VIEW_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS_MAX 12

/**
 * struct histogram - Observations by size
 * @bounds:	Upper bounds in seconds, ascending; borrowed for good
 * @n_bounds:	Entries in @bounds, at most HISTOGRAM_BOUNDS_MAX
 * @counts:	Observations at most as large as each bound and larger than the one before; the last
 *		entry counts those above all bounds
 * @n:		Observations
 * @sum:	Of all of them, seconds
 */
struct histogram {
	const double *bounds;
	size_t n_bounds;
	uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1];
	uint64_t n;
	double sum;
};

/**
 * histogram_add() - Take one observation
 * @h:		Histogram
 * @seconds:	Duration; a negative one counts as 0
 */
void histogram_add(struct histogram *h, double seconds);

#endif /* DAEMON_VIEW_HISTOGRAM_H */

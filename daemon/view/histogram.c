/* SPDX-License-Identifier: MIT */
#include "daemon/view/histogram.h"

void histogram_add(struct histogram *h, double seconds)
{
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (i < h->n_bounds && seconds > h->bounds[i])
		i++;
	h->counts[i]++;
	h->n++;
	h->sum += seconds;
}

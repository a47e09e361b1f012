/* SPDX-License-Identifier: MIT */
/* measure - from what hosts counted to what is told of them */
#ifndef TESTS_SIM_MEASURE_H
#define TESTS_SIM_MEASURE_H

#include "tests/sim/scenario.h"

/* Counts from now on. */
void measure_begin(void);
/* What was counted since. */
struct traffic measure_end(void);
/* When half, or 99 of 100, of the nodes had everybody; each from its start on, or from @from_us. */
void measure_nodes(struct outcome *out, int64_t from_us);

#endif /* TESTS_SIM_MEASURE_H */

/* SPDX-License-Identifier: MIT */
/* check - has everybody everybody, and is nothing as it must not be? */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include "tests/sim/world.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct goal - What counts as having everybody
 * @tunnels:	Tunnels are up, too, and not only configured
 * @lapse_us:	Or were, until so long ago
 * @explain_us:	Whoever lacks somebody after so long is named; 0 for never
 */
struct goal {
	bool tunnels;
	int64_t lapse_us;
	int64_t explain_us;
};

/* Does the node of @h have each other live node of its side: heard from itself, and configured? */
bool check_has_all(const struct host *h, const struct goal *goal);

/*
 * Lets time pass until every node has all, or @limit_us is over; notes when each of them had, from
 * @from_us on. Returns when the last one had, or -1.
 */
int64_t check_wait(int64_t from_us, int64_t limit_us, const struct goal *goal);

/* Says who lacks whom, to standard error. */
void check_explain(const struct goal *goal);

/* Looks at what must hold at any time; complains to standard error, and returns how many times. */
unsigned int check_invariants(void);

/* How many pairs of live nodes disagree on what lies behind one of them. */
size_t check_routes(void);

#endif /* TESTS_SIM_CHECK_H */

/* SPDX-License-Identifier: MIT */
#include "daemon/nat/stunpace.h"
#include "tests/unit/fixtures.h"

#include <string.h>

#define NO_JITTER 0x7fff /* the middle, as good as */

static void answers(struct stunview v[static 2], const char *v4, enum view_nat nat)
{
	memset(v, 0, 2 * sizeof(v[0]));
	v[0] = (struct stunview) {
		.mapped = endpoint_of(v4), .n_asked = 2, .n_answered = v4 ? 2 : 0, .nat = nat
	};
}

static void silence_is_met_with_growing_pauses(void **state)
{
	struct stunpace p = { .n_failed = 0 };
	struct stunview v[2];
	int64_t last = 0;

	(void)state;
	answers(v, NULL, NAT_UNKNOWN);
	for (int i = 0; i < 8; i++) {
		int64_t ms = stunpace_next_ms(&p, v, NO_JITTER);

		assert_in_range(ms, i == 0 ? 4990 : 2 * last - 20, i == 0 ? 5010 : 2 * last + 20);
		last = ms;
	}
	for (int i = 0; i < 100; i++)
		last = stunpace_next_ms(&p, v, NO_JITTER);
	assert_in_range(last, 630000, 650000);
	/* An answer ends that. */
	answers(v, "203.0.113.9:1", NAT_CONE);
	assert_in_range(stunpace_next_ms(&p, v, NO_JITTER), 59000, 61000);
	answers(v, NULL, NAT_UNKNOWN);
	assert_in_range(stunpace_next_ms(&p, v, NO_JITTER), 4990, 5010);
}

static void a_nat_that_does_not_change_is_asked_rarely(void **state)
{
	struct stunpace p = { .n_failed = 0 };
	struct stunview v[2];

	(void)state;
	answers(v, "203.0.113.9:1000", NAT_CONE);
	for (int i = 0; i < 3; i++)
		assert_in_range(stunpace_next_ms(&p, v, NO_JITTER), 59000, 61000);
	assert_in_range(stunpace_next_ms(&p, v, NO_JITTER), 299000, 301000);
	/* Another port of the same address is no change. */
	answers(v, "203.0.113.9:2000", NAT_SYMMETRIC);
	assert_in_range(stunpace_next_ms(&p, v, NO_JITTER), 299000, 301000);
	answers(v, "203.0.113.10:2000", NAT_CONE);
	assert_in_range(stunpace_next_ms(&p, v, NO_JITTER), 59000, 61000);
}

static void without_a_nat_the_kernel_tells_of_changes(void **state)
{
	struct stunpace p = { .n_failed = 0 };
	struct stunview v[2];

	(void)state;
	answers(v, "198.51.100.5:1000", NAT_NONE);
	assert_in_range(stunpace_next_ms(&p, v, NO_JITTER), 890000, 910000);
	/* One family behind a NAT is enough to be asked for. */
	v[1] = v[0];
	v[1].nat = NAT_CONE;
	assert_in_range(stunpace_next_ms(&p, v, NO_JITTER), 59000, 61000);
}

static void nodes_that_start_together_do_not_ask_together(void **state)
{
	struct stunview v[2];
	int64_t least = INT64_MAX;
	int64_t most = 0;

	(void)state;
	answers(v, NULL, NAT_UNKNOWN);
	for (unsigned int random = 0; random <= UINT16_MAX; random += 0x1111) {
		struct stunpace p = { .n_failed = 0 };
		int64_t ms = stunpace_next_ms(&p, v, (uint16_t)random);

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	assert_in_range(least, 4300, 4500);
	assert_in_range(most, 5500, 5700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_met_with_growing_pauses),
		cmocka_unit_test(a_nat_that_does_not_change_is_asked_rarely),
		cmocka_unit_test(without_a_nat_the_kernel_tells_of_changes),
		cmocka_unit_test(nodes_that_start_together_do_not_ask_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

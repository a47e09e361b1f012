/* SPDX-License-Identifier: MIT */
#include "daemon/discovery/ratelimit.h"
#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 0x1234

static int make_limit(void **state)
{
	struct ratelimit *rl = calloc(1, sizeof(*rl));

	if (rl)
		ratelimit_init(rl, SEED);
	*state = rl;
	return rl ? 0 : -1;
}

static int free_limit(void **state)
{
	free(*state);
	return 0;
}

/* How many of @n datagrams at one moment are looked at. */
static int allowed(struct ratelimit *rl, const char *from, int64_t ms, int n)
{
	struct ip ip = ip_of(from);
	int total = 0;

	for (int i = 0; i < n; i++)
		total += ratelimit_allow(rl, &ip, at(ms).mono_ms) ? 1 : 0;
	return total;
}

static void a_burst_of_twenty_passes_and_no_more(void **state)
{
	assert_int_equal(allowed(*state, "192.0.2.1", 0, 100), RATELIMIT_BURST);
}

static void ten_pass_in_each_second_that_follows(void **state)
{
	(void)allowed(*state, "192.0.2.1", 0, 100);
	assert_int_equal(allowed(*state, "192.0.2.1", 99, 100), 0);
	assert_int_equal(allowed(*state, "192.0.2.1", 100, 100), 1);
	assert_int_equal(allowed(*state, "192.0.2.1", 1100, 100), RATELIMIT_PER_S);
}

static void datagrams_that_were_refused_cost_nothing(void **state)
{
	int total = 0;

	(void)allowed(*state, "192.0.2.1", 0, 100);
	for (int64_t ms = 1; ms <= 1000; ms++)
		total += allowed(*state, "192.0.2.1", ms, 1);
	assert_int_equal(total, RATELIMIT_PER_S);
}

static void a_long_silence_saves_up_one_burst_only(void **state)
{
	(void)allowed(*state, "192.0.2.1", 0, 100);
	assert_int_equal(allowed(*state, "192.0.2.1", 86400000, 100), RATELIMIT_BURST);
}

static void sources_do_not_use_up_each_others_tokens(void **state)
{
	(void)allowed(*state, "192.0.2.1", 0, 100);
	assert_int_equal(allowed(*state, "192.0.2.2", 0, 100), RATELIMIT_BURST);
	assert_int_equal(allowed(*state, "2001:db8::1", 0, 100), RATELIMIT_BURST);
}

static void an_ipv6_source_counts_by_its_network(void **state)
{
	(void)allowed(*state, "2001:db8:0:1::1", 0, 100);
	assert_int_equal(allowed(*state, "2001:db8:0:1:ffff::2", 0, 100), 0);
	assert_int_equal(allowed(*state, "2001:db8:0:2::1", 0, 100), RATELIMIT_BURST);
}

static void a_clock_that_stands_still_or_goes_back_gives_nothing(void **state)
{
	(void)allowed(*state, "192.0.2.1", 1000, 100);
	assert_int_equal(allowed(*state, "192.0.2.1", 1000, 100), 0);
	assert_int_equal(allowed(*state, "192.0.2.1", -1000000, 100), 0);
}

static void which_sources_share_a_bucket_depends_on_the_seed(void **state)
{
	struct ratelimit *rl = *state;
	char sharing[32] = "";
	char other[32];

	/* Of two bytes of addresses some must share a bucket with 192.0.2.1. */
	for (unsigned int i = 0; i < 65536 && !sharing[0]; i++) {
		(void)snprintf(other, sizeof(other), "198.18.%u.%u", i >> 8, i & 255);
		ratelimit_init(rl, SEED);
		(void)allowed(rl, "192.0.2.1", 0, RATELIMIT_BURST);
		if (allowed(rl, other, 0, 1) == 0)
			(void)memcpy(sharing, other, sizeof(sharing));
	}
	assert_true(sharing[0]);
	ratelimit_init(rl, SEED + 1);
	(void)allowed(rl, "192.0.2.1", 0, RATELIMIT_BURST);
	assert_int_equal(allowed(rl, sharing, 0, 1), 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_limit, free_limit)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_burst_of_twenty_passes_and_no_more),
		T(ten_pass_in_each_second_that_follows),
		T(datagrams_that_were_refused_cost_nothing),
		T(a_long_silence_saves_up_one_burst_only),
		T(sources_do_not_use_up_each_others_tokens),
		T(an_ipv6_source_counts_by_its_network),
		T(a_clock_that_stands_still_or_goes_back_gives_nothing),
		T(which_sources_share_a_bucket_depends_on_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/nat/matchmaker.h"
#include "tests/unit/fixtures.h"

#include <stdlib.h>
#include <string.h>

#define BOB   1
#define CAROL 2

static int make_table(void **state)
{
	*state = calloc(1, sizeof(struct matchmaker));
	return *state ? 0 : -1;
}

static int free_table(void **state)
{
	free(*state);
	return 0;
}

static struct rendezvous_candidates places(const char *at)
{
	struct rendezvous_candidates list = { 0 };
	struct endpoint e = endpoint_of(at);

	if (at)
		rendezvous_add(&list, &e);
	return list;
}

static struct offer offer_of(unsigned int from, unsigned int target)
{
	struct offer o = { .from = key_of(from), .target = key_of(target) };
	char a[RENDEZVOUS_KEY_SIZE];
	char b[RENDEZVOUS_KEY_SIZE];

	o.seed = rendezvous_pair_seed(wg_key_format(a, &o.from), wg_key_format(b, &o.target));
	return o;
}

static struct match *ask(struct matchmaker *m, unsigned int from, unsigned int target, int64_t ms)
{
	struct offer o = offer_of(from, target);
	struct rendezvous_candidates here = places("203.0.113.1:52000");
	struct rendezvous_candidates there = places("203.0.113.2:52000");

	return matchmaker_take(m, &o, &here, &there, 1000000 + ms);
}

/* What the node does when it sends the STARTs. */
static void tell(struct match *a, int64_t ms)
{
	a->is_pending = false;
	a->started_ms = 1000000 + ms;
}

static void one_offer_suffices_for_both(void **state)
{
	struct match *a = ask(*state, BOB, CAROL, 0);

	assert_non_null(a);
	assert_true(a->is_pending);
	assert_int_equal(a->end[0].at.n, 1);
	assert_endpoint(&a->end[0].at.at[0], "203.0.113.1:52000");
	assert_endpoint(&a->end[1].at.at[0], "203.0.113.2:52000");
}

static void the_other_end_joins_the_same_introduction(void **state)
{
	struct match *a = ask(*state, BOB, CAROL, 0);

	assert_ptr_equal(ask(*state, CAROL, BOB, 100), a);
	/* It is where its own OFFER came from. */
	assert_endpoint(&a->end[1].at.at[0], "203.0.113.1:52000");
}

static void a_pair_cools_down_between_two_introductions(void **state)
{
	struct match *a = ask(*state, BOB, CAROL, 0);

	tell(a, 10);
	assert_null(ask(*state, BOB, CAROL, 11));
	assert_null(ask(*state, CAROL, BOB, 10 + MATCHMAKER_COOL_MS - 1));
	a = ask(*state, CAROL, BOB, 10 + MATCHMAKER_COOL_MS);
	assert_non_null(a);
	assert_true(a->is_pending);
}

static void only_other_ports_of_where_it_is_are_believed(void **state)
{
	struct offer o = offer_of(BOB, CAROL);
	struct rendezvous_candidates here = places("203.0.113.1:52000");
	struct rendezvous_candidates there = places("203.0.113.2:52000");
	struct endpoint victim = endpoint_of("198.51.100.66:52000");
	struct endpoint other_port = endpoint_of("203.0.113.1:40000");
	const struct match *a;

	rendezvous_add(&o.candidates, &victim);
	rendezvous_add(&o.candidates, &other_port);
	a = matchmaker_take(*state, &o, &here, &there, 1000000);
	assert_int_equal(a->end[0].at.n, 2);
	assert_endpoint(&a->end[0].at.at[1], "203.0.113.1:40000");
}

static void one_node_has_a_bounded_number_under_way(void **state)
{
	unsigned int taken = 0;

	for (unsigned int target = 2; target <= 25; target++) {
		struct match *a = ask(*state, BOB, target, target);

		taken += a ? 1 : 0;
		if (a)
			tell(a, target);
	}
	assert_int_equal(taken, MATCHMAKER_ONE_MAX);
	/* Others are served meanwhile, and it again when the first of its own are over. */
	assert_non_null(ask(*state, CAROL, 3, 30));
	assert_non_null(ask(*state, BOB, 25, 30 + MATCHMAKER_KEEP_MS));
}

static void a_full_table_serves_newcomers_when_pairs_have_cooled(void **state)
{
	size_t taken = 0;
	int64_t ms = 0;

	for (unsigned int from = 1; from <= 12; from++)
		for (unsigned int target = 13; target <= 24; target++) {
			struct match *a = ask(*state, from, target, ms++);

			taken += a ? 1 : 0;
			if (a)
				tell(a, ms);
		}
	assert_int_equal(taken, MATCHMAKER_MAX);
	assert_null(ask(*state, 25, 1, ms));
	assert_non_null(ask(*state, 25, 1, MATCHMAKER_COOL_MS));
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_table, free_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_offer_suffices_for_both),
		T(the_other_end_joins_the_same_introduction),
		T(a_pair_cools_down_between_two_introductions),
		T(only_other_ports_of_where_it_is_are_believed),
		T(one_node_has_a_bounded_number_under_way),
		T(a_full_table_serves_newcomers_when_pairs_have_cooled),
	};

	return cmocka_run_group_tests_name("matchmaker", tests, NULL, NULL);
}

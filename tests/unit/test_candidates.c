/* SPDX-License-Identifier: MIT */
#include "daemon/peers/candidates.h"
#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <string.h>

#define V6    "[2a02::7]:51820"
#define V4    "198.51.100.7:51820"
#define OTHER "203.0.113.9:4000"
#define LAN   "192.168.1.7:51820"

/**
 * struct fixture - A peer, and a clock that goes by itself
 * @no_v6:	This machine has no way to IPv6 addresses
 * @works:	Address that gives a handshake within @takes_ms; NULL for none
 * @takes_ms:	How long that takes
 * @changes:	How often the address in use became another one
 * @looks:	How often WireGuard was asked
 */
struct fixture {
	struct candidates c;
	struct endpoint first;
	struct candidates_facts f;
	bool no_v6;
	const char *works;
	int64_t takes_ms;
	int64_t since_ms;
	char used[ENDPOINT_TEXT_SIZE];
	unsigned int changes;
	unsigned int looks;
};

static bool has_way(const void *arg, const struct endpoint *at)
{
	const struct fixture *f = arg;

	return at->ip.family == AF_INET || !f->no_v6;
}

static void begin(struct fixture *f, const char *first)
{
	memset(f, 0, sizeof(*f));
	f->first = endpoint_of(first);
	f->f = (struct candidates_facts) { .now_ms = 1000, .arg = f, .has_way = has_way };
}

static void add(struct fixture *f, const char *text, enum candidate_origin origin)
{
	struct endpoint e = endpoint_of(text);

	candidates_add(&f->c, &e, origin);
}

static void note_use(struct fixture *f)
{
	char text[ENDPOINT_TEXT_SIZE];

	(void)endpoint_format(text, candidates_current(&f->c, &f->first));
	if (strcmp(text, f->used) == 0)
		return;
	memcpy(f->used, text, sizeof(text));
	f->since_ms = f->f.now_ms;
	f->changes++;
}

static void step(struct fixture *f)
{
	enum candidates_step r = candidates_step(&f->c, &f->first, &f->f);

	if (r == CANDIDATES_LOOK) {
		f->looks++;
		f->f.read_ms = f->f.now_ms;
		f->f.has_tunnel = f->works && strcmp(f->used, f->works) == 0 &&
				  f->f.now_ms - f->since_ms >= f->takes_ms;
		(void)candidates_step(&f->c, &f->first, &f->f);
	}
	note_use(f);
}

/* Lets time go by, with a step each 100 ms and a look at WireGuard where one is wanted. */
static void run(struct fixture *f, int64_t ms)
{
	for (int64_t end = f->f.now_ms + ms; f->f.now_ms < end; f->f.now_ms += 100)
		step(f);
}

static void assert_used(struct fixture *f, const char *want)
{
	step(f);
	assert_string_equal(f->used, want);
}

static void the_first_choice_is_used_while_it_works(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V6);
	add(&f, V4, CANDIDATE_SEEN);
	f.f.has_tunnel = true;
	run(&f, 3600000);
	assert_used(&f, V6);
	assert_int_equal(f.changes, 1);
	assert_int_equal(f.looks, 0);
}

static void the_other_family_has_its_turn_after_five_seconds(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V6);
	add(&f, V4, CANDIDATE_SEEN);
	f.works = V4;
	f.takes_ms = 5400;
	assert_used(&f, V6);
	run(&f, 4900);
	assert_used(&f, V6);
	run(&f, 300);
	assert_used(&f, V4);
	/* It sticks: nothing is tried any more, and it is the first choice from now on. */
	run(&f, 3600000);
	assert_used(&f, V4);
	assert_int_equal(f.changes, 2);
	assert_endpoint(&f.first, V4);
	assert_int_equal(f.looks, 2);
}

static void a_family_without_a_way_is_never_used(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V6);
	f.no_v6 = true;
	add(&f, V4, CANDIDATE_OWN);
	add(&f, "[2a02::8]:51820", CANDIDATE_MET);
	run(&f, 600000);
	assert_used(&f, V4);
	assert_int_equal(f.changes, 1);
	assert_int_equal(f.looks, 0);
	/* As soon as there is a way, the first choice has its turn again. */
	f.no_v6 = false;
	candidates_restart(&f.c);
	assert_used(&f, V6);
}

static void turns_alternate_with_growing_pauses(void **state)
{
	struct fixture f;
	unsigned int early;

	(void)state;
	begin(&f, V6);
	add(&f, V4, CANDIDATE_SEEN);
	run(&f, 60000);
	early = f.changes;
	assert_true(early >= 4);
	run(&f, 3600000);
	/* After an hour a change every five minutes, and no more looks than changes. */
	assert_in_range(f.changes - early, 8, 24);
	assert_in_range(f.looks, f.changes - 1, f.changes);
}

static void better_origins_are_tried_first(void **state)
{
	static const char *const want[] = { V6, LAN, V4, "198.51.100.8:51820", OTHER };
	struct fixture f;

	(void)state;
	begin(&f, V6);
	add(&f, OTHER, CANDIDATE_TOLD);
	add(&f, LAN, CANDIDATE_MET);
	add(&f, "198.51.100.8:51820", CANDIDATE_SEEN);
	add(&f, V4, CANDIDATE_OWN);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_used(&f, want[i]);
		run(&f, i == 0 ? 5100 : 7100);
	}
	assert_used(&f, V6);
}

static void what_another_member_tells_is_used_when_nothing_else_works(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4);
	add(&f, OTHER, CANDIDATE_TOLD);
	f.works = OTHER;
	f.takes_ms = 300;
	run(&f, 30000);
	assert_used(&f, OTHER);
	assert_int_equal(f.changes, 2);
}

static void an_address_that_failed_is_remembered_for_a_while(void **state)
{
	struct endpoint lan = endpoint_of(LAN);
	struct endpoint v4 = endpoint_of(V4);
	struct fixture f;

	(void)state;
	begin(&f, LAN);
	add(&f, V4, CANDIDATE_OWN);
	f.works = V4;
	run(&f, 30000);
	assert_used(&f, V4);
	assert_true(candidates_has_failed(&f.c, &lan, f.f.now_ms));
	assert_false(candidates_has_failed(&f.c, &v4, f.f.now_ms));
	assert_false(candidates_has_failed(&f.c, &lan, f.f.now_ms + CANDIDATES_FAILED_MS));
}

static void a_single_address_is_kept_and_wakes_nobody(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V4);
	add(&f, V4, CANDIDATE_OWN);
	assert_int_equal(candidates_step(&f.c, &f.first, &f.f), CANDIDATES_REST);
	run(&f, 600000);
	assert_int_equal(f.looks, 0);
	assert_int_equal(f.changes, 1);
}

static void without_any_address_there_is_nothing_to_do(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, NULL);
	assert_int_equal(candidates_step(&f.c, &f.first, &f.f), CANDIDATES_REST);
	assert_int_equal(candidates_current(&f.c, &f.first)->ip.family, 0);
	/* The first one that is heard of is used at once. */
	add(&f, OTHER, CANDIDATE_TOLD);
	assert_used(&f, OTHER);
}

static void a_lost_tunnel_begins_with_what_worked_last(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V6);
	add(&f, V4, CANDIDATE_SEEN);
	f.works = V4;
	run(&f, 30000);
	assert_used(&f, V4);
	f.f.has_tunnel = false;
	f.works = NULL;
	assert_used(&f, V4);
	run(&f, 4000);
	assert_used(&f, V4);
	run(&f, 2000);
	assert_string_equal(f.used, V4);
	/* The address that failed is no candidate by itself: who names it makes it one. */
	add(&f, V6, CANDIDATE_OWN);
	run(&f, 6000);
	assert_used(&f, V6);
}

static void an_address_counts_once_and_with_its_best_origin(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, V6);
	add(&f, V4, CANDIDATE_OWN);
	add(&f, V4, CANDIDATE_TOLD);
	assert_int_equal(f.c.n, 1);
	assert_int_equal(f.c.list[0].origin, CANDIDATE_OWN);
	add(&f, V4, CANDIDATE_MET);
	assert_int_equal(f.c.list[0].origin, CANDIDATE_MET);
	candidates_drop(&f.c, CANDIDATE_OWN);
	assert_int_equal(f.c.n, 1);
	candidates_drop(&f.c, CANDIDATE_MET);
	assert_int_equal(f.c.n, 0);
}

static void those_who_tell_much_displace_only_each_other(void **state)
{
	struct endpoint own = endpoint_of(V4);
	struct fixture f;
	char text[32];

	(void)state;
	begin(&f, V6);
	add(&f, V4, CANDIDATE_OWN);
	for (int i = 1; i <= 50; i++) {
		(void)snprintf(text, sizeof(text), "203.0.113.%d:4000", i);
		add(&f, text, CANDIDATE_TOLD);
	}
	assert_int_equal(f.c.n, CANDIDATES_MAX);
	assert_endpoint(&f.c.list[0].at, "203.0.113.50:4000");
	assert_true(endpoint_equal(&f.c.list[CANDIDATES_MAX - 1].at, &own));
	for (int i = 1; i < CANDIDATES_MAX; i++) {
		(void)snprintf(text, sizeof(text), "198.51.100.%d:1", i);
		add(&f, text, CANDIDATE_OWN);
	}
	/* All places are taken by what the peer says itself. */
	add(&f, OTHER, CANDIDATE_TOLD);
	for (size_t i = 0; i < CANDIDATES_MAX; i++)
		assert_int_equal(f.c.list[i].origin, CANDIDATE_OWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_choice_is_used_while_it_works),
		cmocka_unit_test(the_other_family_has_its_turn_after_five_seconds),
		cmocka_unit_test(a_family_without_a_way_is_never_used),
		cmocka_unit_test(turns_alternate_with_growing_pauses),
		cmocka_unit_test(better_origins_are_tried_first),
		cmocka_unit_test(what_another_member_tells_is_used_when_nothing_else_works),
		cmocka_unit_test(an_address_that_failed_is_remembered_for_a_while),
		cmocka_unit_test(a_single_address_is_kept_and_wakes_nobody),
		cmocka_unit_test(without_any_address_there_is_nothing_to_do),
		cmocka_unit_test(a_lost_tunnel_begins_with_what_worked_last),
		cmocka_unit_test(an_address_counts_once_and_with_its_best_origin),
		cmocka_unit_test(those_who_tell_much_displace_only_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

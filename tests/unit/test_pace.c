/* SPDX-License-Identifier: MIT */
#include "daemon/clock.h"
#include "daemon/net/pace.h"
#include "tests/unit/loop.h"

#define MAX   20
#define BATCH 16

/**
 * struct fixture - A server of twenty places that is listening, or pauses
 * @n_evicted:	Connections that it has closed
 */
struct fixture {
	struct event_base *base;
	struct connset set;
	struct pace pace;
	struct conn conns[3 * MAX];
	size_t n;
	bool is_listening;
	size_t n_evicted;
};

static struct fixture fixture;

static void on_evict(void *owner)
{
	((struct fixture *)owner)->n_evicted++;
}

static void set_listening(void *arg, bool on)
{
	((struct fixture *)arg)->is_listening = on;
}

static int set_up(void **state)
{
	struct fixture *f = &fixture;

	*f = (struct fixture) { .is_listening = true };
	f->base = event_base_new();
	assert_non_null(f->base);
	connset_init(&f->set, MAX, on_evict);
	assert_int_equal(pace_open(&f->pace, f->base, &f->set, set_listening, f), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	pace_close(&f->pace);
	pace_close(&f->pace);
	event_base_free(f->base);
	return 0;
}

static void let_in(struct fixture *f)
{
	connset_add(&f->set, &f->conns[f->n++], f, clock_now().mono_ms);
	pace_let_in(&f->pace);
}

static bool listens(void *arg)
{
	return ((struct fixture *)arg)->is_listening;
}

static void after_a_few_the_others_are_heard_first(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i < BATCH; i++)
		let_in(f);
	assert_true(f->is_listening);
	let_in(f);
	assert_false(f->is_listening);
	assert_true(loop_until(f->base, listens, f));
	for (int i = 1; i < 4; i++)
		let_in(f);
	assert_true(f->is_listening);
}

static void nobody_is_driven_out_who_just_came(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_now().mono_ms;

	while (f->set.n < MAX) {
		assert_true(loop_until(f->base, listens, f));
		let_in(f);
	}
	/* The next one would drive out the first, who came less than PACE_GRACE_MS ago. */
	if (clock_now().mono_ms - began < PACE_GRACE_MS)
		assert_false(f->is_listening);
	assert_true(loop_until(f->base, listens, f));
	assert_true(clock_now().mono_ms - began >= PACE_GRACE_MS);
	let_in(f);
	assert_int_equal(f->n_evicted, 1);
}

static void without_a_descriptor_somebody_makes_room(void **state)
{
	struct fixture *f = *state;

	let_in(f);
	pace_starve(&f->pace);
	assert_int_equal(f->n_evicted, 1);
	assert_true(f->is_listening);
}

static void where_nobody_can_make_room_there_is_a_pause(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_now().mono_ms;

	pace_starve(&f->pace);
	assert_false(f->is_listening);
	assert_true(loop_until(f->base, listens, f));
	assert_true(clock_now().mono_ms - began >= 190);
}

#define PACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PACE_TEST(after_a_few_the_others_are_heard_first),
		PACE_TEST(nobody_is_driven_out_who_just_came),
		PACE_TEST(without_a_descriptor_somebody_makes_room),
		PACE_TEST(where_nobody_can_make_room_there_is_a_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/view/gather.h"
#include "tests/unit/loop.h"

#include <stdlib.h>

/**
 * struct fixture - A node that answers when the test says so
 * @asks:	Whom begin() says it has asked
 * @n_begun:	How often it was called
 * @n_filled:	Views made
 */
struct fixture {
	struct event_base *base;
	struct gather gather;
	unsigned int asks;
	int n_begun;
	int n_filled;
};

/**
 * struct asker - Somebody who waits
 * @n:		Views it got
 * @is_fresh:	The last one was
 * @rival:	Is forgotten when the first view comes
 * @again:	Asks once more when the first view comes
 */
struct asker {
	struct fixture *f;
	struct view_waiter w;
	int n;
	bool is_fresh;
	struct asker *rival;
	bool again;
};

static unsigned int begin(void *arg)
{
	struct fixture *f = arg;

	f->n_begun++;
	return f->asks;
}

static void fill(void *arg, struct view *out)
{
	struct fixture *f = arg;

	f->n_filled++;
	out->phase = VIEW_RUNNING;
}

static int make_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct gather_handler h = { f, begin, fill };

	assert_non_null(f);
	f->base = event_base_new();
	f->asks = GATHER_NETADMIN | GATHER_SUPERVISOR;
	assert_int_equal(gather_open(&f->gather, f->base, &h), 0);
	*state = f;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *f = *state;

	gather_close(&f->gather);
	gather_close(&f->gather);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void done(const struct view *v, void *arg)
{
	struct asker *a = arg;

	a->n++;
	a->is_fresh = v->is_fresh;
	if (a->rival)
		gather_cancel(&a->f->gather, &a->rival->w);
	if (a->again && a->n == 1)
		gather_ask(&a->f->gather, &a->w);
}

static void ask(struct fixture *f, struct asker *a)
{
	a->f = f;
	a->w = (struct view_waiter) { .done = done, .arg = a };
	gather_ask(&f->gather, &a->w);
}

static bool was_answered(void *arg)
{
	return ((struct asker *)arg)->n > 0;
}

static void nobody_is_asked_unless_somebody_asks(void **state)
{
	struct fixture *f = *state;

	loop_drain(f->base);
	assert_int_equal(f->n_begun, 0);
	assert_int_equal(f->n_filled, 0);
}

static void all_who_wait_share_one_gathering_and_one_view(void **state)
{
	struct fixture *f = *state;
	struct asker a = { 0 };
	struct asker b = { 0 };

	ask(f, &a);
	gather_came(&f->gather, GATHER_SUPERVISOR);
	ask(f, &b);
	loop_drain(f->base);
	assert_int_equal(a.n + b.n, 0);
	gather_came(&f->gather, GATHER_NETADMIN);
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 1);
	assert_true(a.is_fresh);
	assert_int_equal(f->n_begun, 1);
	assert_int_equal(f->n_filled, 1);
}

static void who_asks_a_moment_later_gets_the_same_from_the_loop(void **state)
{
	struct fixture *f = *state;
	struct asker a = { 0 };
	struct asker b = { 0 };

	ask(f, &a);
	gather_came(&f->gather, GATHER_SUPERVISOR | GATHER_NETADMIN);
	ask(f, &b);
	assert_int_equal(b.n, 0);
	assert_true(loop_until(f->base, was_answered, &b));
	assert_true(b.is_fresh);
	assert_int_equal(f->n_begun, 1);
}

static void what_is_out_of_date_is_gathered_anew(void **state)
{
	struct fixture *f = *state;
	struct asker a = { 0 };
	struct asker b = { 0 };

	ask(f, &a);
	gather_came(&f->gather, GATHER_SUPERVISOR | GATHER_NETADMIN);
	gather_expire(&f->gather, GATHER_RELOAD);
	ask(f, &b);
	assert_int_equal(f->n_begun, 2);
	gather_expire(&f->gather, GATHER_RELOAD);
	gather_came(&f->gather, GATHER_SUPERVISOR);
	gather_came(&f->gather, GATHER_NETADMIN);
	assert_int_equal(b.n, 0);
	gather_came(&f->gather, GATHER_RELOAD);
	assert_int_equal(b.n, 1);
}

static void where_nobody_can_be_asked_the_answer_comes_from_the_loop(void **state)
{
	struct fixture *f = *state;
	struct asker a = { 0 };

	f->asks = 0;
	ask(f, &a);
	assert_int_equal(a.n, 0);
	assert_true(loop_until(f->base, was_answered, &a));
}

static void a_silent_netadmin_costs_the_limit_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct asker a = { 0 };
	int64_t before = clock_now().mono_ms;

	ask(f, &a);
	gather_came(&f->gather, GATHER_SUPERVISOR);
	assert_true(loop_until(f->base, was_answered, &a));
	assert_true(clock_now().mono_ms - before >= VIEW_PATIENCE_MS - 1);
	assert_false(a.is_fresh);
	/* What came too late is not taken for an answer to the next question. */
	gather_came(&f->gather, GATHER_NETADMIN);
	ask(f, &a);
	assert_int_equal(f->n_begun, 2);
	gather_cancel(&f->gather, &a.w);
}

static void who_is_gone_is_not_called(void **state)
{
	struct fixture *f = *state;
	struct asker a = { 0 };
	struct asker b = { 0 };

	ask(f, &a);
	ask(f, &b);
	gather_cancel(&f->gather, &a.w);
	gather_cancel(&f->gather, &a.w);
	gather_came(&f->gather, GATHER_SUPERVISOR | GATHER_NETADMIN);
	assert_int_equal(a.n, 0);
	assert_int_equal(b.n, 1);
}

static void one_may_go_while_another_is_called(void **state)
{
	struct fixture *f = *state;
	struct asker a = { 0 };
	struct asker b = { 0 };

	a.rival = &b;
	ask(f, &a);
	ask(f, &b);
	gather_came(&f->gather, GATHER_SUPERVISOR | GATHER_NETADMIN);
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 0);
}

static void one_may_ask_again_while_it_is_called(void **state)
{
	struct fixture *f = *state;
	struct asker a = { .again = true };

	ask(f, &a);
	gather_came(&f->gather, GATHER_SUPERVISOR | GATHER_NETADMIN);
	assert_int_equal(a.n, 2);
	assert_int_equal(f->n_begun, 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nobody_is_asked_unless_somebody_asks),
		T(all_who_wait_share_one_gathering_and_one_view),
		T(who_asks_a_moment_later_gets_the_same_from_the_loop),
		T(what_is_out_of_date_is_gathered_anew),
		T(where_nobody_can_be_asked_the_answer_comes_from_the_loop),
		T(a_silent_netadmin_costs_the_limit_and_no_more),
		T(who_is_gone_is_not_called),
		T(one_may_go_while_another_is_called),
		T(one_may_ask_again_while_it_is_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

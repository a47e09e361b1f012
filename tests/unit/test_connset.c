/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/net/connset.h"
#include "tests/unit/test.h"

#define MAX 3

/**
 * struct fixture - A set of three, and five connections
 * @closed:	Those that were closed, in that order, as letters
 */
struct fixture {
	struct connset set;
	struct member {
		struct conn conn;
		struct fixture *f;
		char letter;
	} members[5];
	char closed[16];
	size_t n_closed;
};

static void on_evict(void *owner)
{
	struct member *m = owner;

	assert_null(m->conn.set);
	m->f->closed[m->f->n_closed++] = m->letter;
}

static struct fixture fixture;

static int begin(void **state)
{
	struct fixture *f = &fixture;

	*f = (struct fixture) { .n_closed = 0 };
	connset_init(&f->set, MAX, on_evict);
	for (size_t i = 0; i < ARRAY_LEN(f->members); i++) {
		f->members[i].f = f;
		f->members[i].letter = (char)('a' + i);
	}
	*state = f;
	return 0;
}

static void add(struct fixture *f, size_t i, int64_t now_ms)
{
	connset_add(&f->set, &f->members[i].conn, &f->members[i], now_ms);
}

static void the_oldest_makes_room_for_the_newest(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 5; i++)
		add(f, i, 0);
	assert_string_equal(f->closed, "ab");
	assert_int_equal(f->set.n_evicted, 2);
	assert_int_equal(f->set.n, MAX);
}

static void one_that_ended_by_itself_leaves_its_place(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < MAX; i++)
		add(f, i, 0);
	connset_remove(&f->members[1].conn);
	connset_remove(&f->members[1].conn);
	assert_int_equal(f->set.n, 2);
	add(f, 3, 0);
	assert_string_equal(f->closed, "");
	add(f, 4, 0);
	assert_string_equal(f->closed, "a");
	assert_int_equal(f->set.n_evicted, 1);
}

static void the_first_and_the_last_may_leave_too(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < MAX; i++)
		add(f, i, 0);
	connset_remove(&f->members[0].conn);
	connset_remove(&f->members[2].conn);
	assert_ptr_equal(f->set.oldest, &f->members[1].conn);
	assert_ptr_equal(f->set.newest, &f->members[1].conn);
	connset_remove(&f->members[1].conn);
	assert_null(f->set.oldest);
	assert_null(f->set.newest);
	assert_false(connset_evict(&f->set));
	assert_int_equal(f->set.n_evicted, 0);
}

static void one_that_is_being_served_is_evicted_last(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < MAX; i++)
		add(f, i, 0);
	f->members[0].conn.is_served = true;
	assert_true(connset_evict(&f->set));
	assert_true(connset_evict(&f->set));
	assert_true(connset_evict(&f->set));
	assert_string_equal(f->closed, "bca");
}

static void where_all_are_being_served_the_oldest_goes(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < MAX; i++) {
		add(f, i, 0);
		f->members[i].conn.is_served = true;
	}
	add(f, 3, 0);
	assert_string_equal(f->closed, "a");
}

static void nobody_stays_beyond_the_lifetime_served_or_not(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 1000);
	add(f, 1, 1200);
	f->members[0].conn.is_served = true;
	assert_int_equal(connset_expire(&f->set, 5999, 5000), 1);
	assert_string_equal(f->closed, "");
	assert_int_equal(connset_expire(&f->set, 6000, 5000), 200);
	assert_string_equal(f->closed, "a");
	assert_int_equal(connset_expire(&f->set, 60000, 5000), -1);
	assert_string_equal(f->closed, "ab");
	assert_int_equal(f->set.n_evicted, 2);
}

static void who_just_came_is_given_time(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 1000);
	add(f, 1, 1010);
	assert_int_equal(connset_wait(&f->set, 1010, 20), 0);
	add(f, 2, 1015);
	assert_int_equal(connset_wait(&f->set, 1015, 20), 5);
	assert_int_equal(connset_wait(&f->set, 1020, 20), 0);
	f->members[0].conn.is_served = true;
	assert_int_equal(connset_wait(&f->set, 1020, 20), 10);
	connset_remove(&f->members[2].conn);
	assert_int_equal(connset_wait(&f->set, 1020, 20), 0);
}

static void closing_the_server_closes_all_and_counts_none(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < MAX; i++)
		add(f, i, 0);
	connset_clear(&f->set);
	assert_string_equal(f->closed, "abc");
	assert_int_equal(f->set.n, 0);
	assert_int_equal(f->set.n_evicted, 0);
}

static void a_member_may_come_back_after_it_was_closed(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0);
	f->members[0].conn.is_served = true;
	connset_remove(&f->members[0].conn);
	add(f, 0, 7);
	assert_false(f->members[0].conn.is_served);
	assert_int_equal(f->members[0].conn.since_ms, 7);
	assert_int_equal(f->set.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_oldest_makes_room_for_the_newest, begin),
		cmocka_unit_test_setup(one_that_ended_by_itself_leaves_its_place, begin),
		cmocka_unit_test_setup(the_first_and_the_last_may_leave_too, begin),
		cmocka_unit_test_setup(one_that_is_being_served_is_evicted_last, begin),
		cmocka_unit_test_setup(where_all_are_being_served_the_oldest_goes, begin),
		cmocka_unit_test_setup(nobody_stays_beyond_the_lifetime_served_or_not, begin),
		cmocka_unit_test_setup(who_just_came_is_given_time, begin),
		cmocka_unit_test_setup(closing_the_server_closes_all_and_counts_none, begin),
		cmocka_unit_test_setup(a_member_may_come_back_after_it_was_closed, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

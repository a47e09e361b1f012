/* SPDX-License-Identifier: MIT */
#include "daemon/peers/collision.h"
#include "tests/unit/fixtures.h"

#define LOW  "AAAA"
#define MID  "BBBB"
#define HIGH "CCCC"

static void the_higher_key_moves_and_the_lower_one_stays(void **state)
{
	struct collision c = { 0 };

	(void)state;
	assert_int_equal(collision_judge(&c, LOW, HIGH, 1000), COLLISION_KEEP);
	assert_int_equal(collision_judge(&c, HIGH, LOW, 1000), COLLISION_MOVE);
}

static void one_move_at_a_time(void **state)
{
	struct collision c = { 0 };

	(void)state;
	assert_int_equal(collision_judge(&c, HIGH, LOW, 1000), COLLISION_MOVE);
	assert_int_equal(collision_judge(&c, HIGH, MID, 1001), COLLISION_WAIT);
	collision_moved(&c, true, 1010);
	assert_int_equal(collision_judge(&c, HIGH, MID, 1011), COLLISION_MOVE);
}

static void a_move_that_failed_is_tried_again_after_a_pause(void **state)
{
	struct collision c = { 0 };

	(void)state;
	(void)collision_judge(&c, HIGH, LOW, 1000);
	collision_moved(&c, false, 2000);
	assert_int_equal(collision_judge(&c, HIGH, LOW, 1999 + COLLISION_RETRY_MS), COLLISION_WAIT);
	assert_int_equal(collision_judge(&c, HIGH, LOW, 2000 + COLLISION_RETRY_MS), COLLISION_MOVE);
}

/* A member that makes up lower and lower keys. */
static void nobody_makes_us_move_for_ever(void **state)
{
	struct collision c = { 0 };
	unsigned int moves = 0;

	(void)state;
	for (int64_t ms = 1000; ms < 1000 + COLLISION_WINDOW_MS; ms += 1000) {
		if (collision_judge(&c, HIGH, LOW, ms) != COLLISION_MOVE)
			continue;
		moves++;
		collision_moved(&c, true, ms);
	}
	assert_int_equal(moves, COLLISION_MOVES_MAX);
	assert_int_equal(collision_judge(&c, HIGH, LOW, COLLISION_WINDOW_MS), COLLISION_STAY);
	/* One that happens a day later is another story. */
	assert_int_equal(collision_judge(&c, HIGH, LOW, 1000 + COLLISION_WINDOW_MS),
			 COLLISION_MOVE);
}

static void the_alarm_ends_when_nobody_claims_the_address_any_more(void **state)
{
	struct collision c = { .moves = COLLISION_MOVES_MAX, .window_ms = 1000, .is_on = true };

	(void)state;
	assert_int_equal(collision_judge(&c, HIGH, LOW, 5000), COLLISION_STAY);
	assert_false(collision_is_over(&c, 5000 + COLLISION_KEEP_MS));
	assert_true(collision_is_over(&c, 5001 + COLLISION_KEEP_MS));
	assert_false(collision_is_over(&c, 5002 + COLLISION_KEEP_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_higher_key_moves_and_the_lower_one_stays),
		cmocka_unit_test(one_move_at_a_time),
		cmocka_unit_test(a_move_that_failed_is_tried_again_after_a_pause),
		cmocka_unit_test(nobody_makes_us_move_for_ever),
		cmocka_unit_test(the_alarm_ends_when_nobody_claims_the_address_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

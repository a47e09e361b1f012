/* SPDX-License-Identifier: MIT */
#include "daemon/peers/refresh.h"
#include "tests/unit/test.h"

#define NOW_MS INT64_C(5000000000)
#define NOW_S  INT64_C(1790000000)
#define MIDDLE 128 /* of the dice: what it is thrown for comes out as it is */

static const struct now now = { .mono_ms = NOW_MS, .unix_s = NOW_S };

static struct peer peer_with(bool is_ours, bool has_tunnel)
{
	struct peer p = { .is_ours = is_ours };

	p.tunnel_ms = has_tunnel ? NOW_MS - 30000 : 0;
	return p;
}

static int64_t pause_of(struct refresh r, bool is_ours, bool has_tunnel, size_t n_peers)
{
	struct peer p = peer_with(is_ours, has_tunnel);

	r.hello_ms = NOW_MS;
	if (r.dice == 0)
		r.dice = MIDDLE;
	return refresh_due_ms(&r, &p, n_peers, now) - NOW_MS;
}

static void existing_nodes_are_never_left_to_forget_us(void **state)
{
	const struct refresh last = { .dice = 255 };

	(void)state;
	assert_int_equal(pause_of((struct refresh) { 0 }, false, true, 999), REFRESH_MS);
	assert_true(pause_of(last, false, true, 999) < 120000);
	/* That they were heard does not mean that they heard us. */
	assert_int_equal(pause_of((struct refresh) { .met_ms = NOW_MS + 50000 }, false, true, 999),
			 REFRESH_MS);
}

static void the_more_of_ours_there_are_the_rarer_each_is_greeted(void **state)
{
	const struct refresh r = { 0 };

	(void)state;
	assert_int_equal(pause_of(r, true, true, 10), REFRESH_MS);
	assert_int_equal(pause_of(r, true, true, 200), 240000);
	assert_int_equal(pause_of(r, true, true, 999), REFRESH_RARELY_MS);
}

static void without_a_tunnel_one_of_ours_is_greeted_like_any_other(void **state)
{
	(void)state;
	assert_int_equal(pause_of((struct refresh) { 0 }, true, false, 999), REFRESH_MS);
}

static void a_tunnel_that_died_a_while_ago_is_none(void **state)
{
	struct peer p = { .tunnel_ms = NOW_MS - 89000 };

	(void)state;
	assert_true(refresh_is_linked(&p, now));
	p.tunnel_ms = NOW_MS - 91000;
	assert_false(refresh_is_linked(&p, now));
	p.tunnel_ms = 0;
	assert_false(refresh_is_linked(&p, (struct now) { .mono_ms = 1 }));
}

static void its_hello_serves_both(void **state)
{
	(void)state;
	assert_int_equal(pause_of((struct refresh) { .met_ms = NOW_MS + 50000 }, true, true, 10),
			 REFRESH_MS + 50000);
}

static void the_silent_are_tried_after_growing_pauses(void **state)
{
	static const int64_t expected_s[] = { 5, 10, 20, 40, 80, 160, 320, 600, 600 };

	(void)state;
	for (unsigned int i = 0; i < sizeof(expected_s) / sizeof(expected_s[0]); i++)
		assert_int_equal(
			pause_of((struct refresh) { .n_unanswered = i + 1 }, true, true, 999),
			expected_s[i] * 1000);
	assert_int_equal(pause_of((struct refresh) { .n_unanswered = UINT32_MAX }, true, true, 9),
			 600000);
}

static void those_who_were_greeted_together_spread_out(void **state)
{
	(void)state;
	for (unsigned int dice = 1; dice < 256; dice++) {
		int64_t ms = pause_of((struct refresh) { .dice = (uint8_t)dice }, true, true, 999);

		assert_true(ms >= REFRESH_RARELY_MS * 3 / 4 && ms <= REFRESH_RARELY_MS * 5 / 4);
		assert_true(dice == 1 ||
			    ms > pause_of((struct refresh) { .dice = (uint8_t)(dice - 1) }, true,
					  true, 999) ||
			    dice - 1 == 0);
	}
}

static void another_reason_comes_first(void **state)
{
	(void)state;
	assert_int_equal(pause_of((struct refresh) { .greet_ms = NOW_MS + 7, .n_unanswered = 3 },
				  true, true, 999),
			 7);
}

static void only_a_crowd_waits_before_it_greets_a_newcomer(void **state)
{
	(void)state;
	assert_int_equal(refresh_spread_ms(2), 0);
	assert_int_equal(refresh_spread_ms(REFRESH_CROWD - 1), 0);
	assert_int_equal(refresh_spread_ms(500), 500);
	assert_int_equal(refresh_spread_ms(1000), 1000);
	assert_int_equal(refresh_spread_ms(5000), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(existing_nodes_are_never_left_to_forget_us),
		cmocka_unit_test(the_more_of_ours_there_are_the_rarer_each_is_greeted),
		cmocka_unit_test(without_a_tunnel_one_of_ours_is_greeted_like_any_other),
		cmocka_unit_test(a_tunnel_that_died_a_while_ago_is_none),
		cmocka_unit_test(its_hello_serves_both),
		cmocka_unit_test(the_silent_are_tried_after_growing_pauses),
		cmocka_unit_test(those_who_were_greeted_together_spread_out),
		cmocka_unit_test(another_reason_comes_first),
		cmocka_unit_test(only_a_crowd_waits_before_it_greets_a_newcomer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/nat/rendezvous.h"
#include "tests/unit/fixtures.h"

#include <stdio.h>
#include <string.h>

static bool is_candidate(const char *text)
{
	struct endpoint at = endpoint_of(text);

	return rendezvous_is_candidate(&at);
}

static void nobody_makes_us_send_to_what_is_no_unicast_address(void **state)
{
	static const char *const never[] = {
		"0.0.0.0:52000",	 "0.1.2.3:52000",   "127.0.0.1:52000",
		"169.254.169.254:52000", "224.0.0.1:52000", "239.192.1.2:51830",
		"255.255.255.255:52000", "240.0.0.1:52000", "[::]:52000",
		"[::1]:52000",		 "[fe80::1]:52000", "[ff02::1]:52000",
	};
	static const struct endpoint none;

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (is_candidate(never[i]))
			fail_msg("%s was taken", never[i]);
	assert_false(rendezvous_is_candidate(&none));
	assert_true(is_candidate("203.0.113.9:52000"));
	assert_true(is_candidate("192.168.1.2:52000"));
	assert_true(is_candidate("[2001:db8::9]:52000"));
}

static void nobody_makes_us_send_to_the_ports_of_services(void **state)
{
	(void)state;
	assert_false(is_candidate("203.0.113.9:53"));
	assert_false(is_candidate("203.0.113.9:1023"));
	assert_true(is_candidate("203.0.113.9:1024"));
}

static void a_list_of_candidates_has_each_once_and_an_end(void **state)
{
	struct rendezvous_candidates list = { 0 };
	struct rendezvous_candidates out;

	(void)state;
	for (int i = 0; i < 3 * RENDEZVOUS_CANDIDATES_MAX; i++) {
		struct endpoint at = endpoint_of("203.0.113.9:52000");

		at.port = (uint16_t)(at.port + i / 2 * 10);
		rendezvous_add(&list, &at);
	}
	assert_int_equal(list.n, RENDEZVOUS_CANDIDATES_MAX);
	assert_int_equal(list.at[1].port, 52010);
	rendezvous_spread(&out, &list);
	assert_int_equal(out.n, RENDEZVOUS_CANDIDATES_MAX);
	assert_int_equal(out.at[5].port, 52010);
}

static void the_pause_doubles_from_three_to_thirty_seconds(void **state)
{
	static const int64_t want[] = { 3000, 3000, 6000, 12000, 24000, 30000, 30000 };

	(void)state;
	for (unsigned int i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(rendezvous_backoff_ms(i), want[i]);
	assert_int_equal(rendezvous_backoff_ms(UINT32_MAX), 30000);
}

static void a_window_is_found_before_1970_too(void **state)
{
	static const uint64_t seed = UINT64_C(0xfffffffffffffff1);

	(void)state;
	for (int64_t s = -45; s < 45; s++) {
		int64_t next = rendezvous_next_window(seed, s, RENDEZVOUS_WINDOW);

		assert_in_range(next - s, 0, 16);
		assert_true(rendezvous_is_in_window(seed, next, RENDEZVOUS_WINDOW));
		assert_int_equal(next == s, rendezvous_is_in_window(seed, s, RENDEZVOUS_WINDOW));
	}
}

static size_t choose(size_t n, uint64_t seed, struct rendezvous_introducer *out)
{
	struct rendezvous_introducer pool[RENDEZVOUS_POOL_MAX] = { 0 };

	for (size_t i = 0; i < n; i++) {
		/* Handed over in the wrong order. */
		(void)snprintf(pool[i].key_text, sizeof(pool[i].key_text), "%c",
			       (char)('a' + (int)(n - i)));
		pool[i].slot = (uint16_t)i;
	}
	return rendezvous_choose(pool, n, seed, out);
}

static void three_introducers_are_enough(void **state)
{
	struct rendezvous_introducer out[RENDEZVOUS_INTRODUCERS_MAX];

	(void)state;
	assert_int_equal(choose(0, 7, out), 0);
	assert_int_equal(choose(1, 7, out), 1);
	assert_int_equal(choose(2, 7, out), 2);
	assert_string_equal(out[0].key_text, "c");
	assert_string_equal(out[1].key_text, "b");
	assert_int_equal(choose(20, 19, out), RENDEZVOUS_INTRODUCERS_MAX);
	assert_string_equal(out[0].key_text, "u");
	assert_string_equal(out[1].key_text, "b");
	assert_string_equal(out[2].key_text, "c");
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nobody_makes_us_send_to_what_is_no_unicast_address),
		T(nobody_makes_us_send_to_the_ports_of_services),
		T(a_list_of_candidates_has_each_once_and_an_end),
		T(the_pause_doubles_from_three_to_thirty_seconds),
		T(a_window_is_found_before_1970_too),
		T(three_introducers_are_enough),
	};

	return cmocka_run_group_tests_name("rendezvous", tests, NULL, NULL);
}

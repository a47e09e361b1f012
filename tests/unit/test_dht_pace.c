/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/dht/agenda.h"
#include "daemon/dht/allowance.h"
#include "daemon/dht/found.h"
#include "daemon/dht/transact.h"

#include <string.h>

#define MINUTE_MS ((int64_t)60 * 1000)

static struct endpoint at(unsigned int host, uint16_t port)
{
	struct endpoint e = { .ip = { AF_INET, { 8, 9 } }, .port = port };

	e.ip.b[2] = (uint8_t)(host >> 8);
	e.ip.b[3] = (uint8_t)host;
	return e;
}

/* --- allowance --- */

static void an_allowance_is_a_burst_and_then_a_rate(void **state)
{
	struct allowance a;
	unsigned int n = 0;

	(void)state;
	allowance_init(&a, 25, 25000, 1000);
	for (int i = 0; i < 100; i++)
		n += allowance_take(&a, 1000);
	assert_int_equal(n, 25);
	assert_int_equal(allowance_next_ms(&a, 1000), 1040);
	assert_false(allowance_take(&a, 1039));
	assert_true(allowance_take(&a, 1040));
	n = 0;
	for (int64_t ms = 1040; ms < 11040; ms++)
		n += allowance_take(&a, ms);
	assert_in_range(n, 249, 250);
	assert_int_equal(allowance_next_ms(&a, 1000000), 1000000);
}

static void an_allowance_of_a_clock_that_jumps_stays_within_its_burst(void **state)
{
	struct allowance a;
	unsigned int n = 0;

	(void)state;
	allowance_init(&a, 3, 1000, 0);
	(void)allowance_take(&a, INT64_MAX / 2);
	for (int i = 0; i < 10; i++)
		n += allowance_take(&a, INT64_MAX / 2);
	assert_int_equal(n, 2);
	assert_false(allowance_take(&a, 5));
}

/* --- transact --- */

static void an_answer_counts_from_where_the_query_went_with_its_bytes(void **state)
{
	static const uint8_t tid[TRANSACT_TID_LEN] = { 1, 2, 3, 4 };
	static const uint8_t other[TRANSACT_TID_LEN] = { 1, 2, 3, 5 };
	struct transacts t = { 0 };
	struct endpoint to = at(1, 1);
	struct endpoint elsewhere = at(2, 1);
	struct endpoint other_port = at(1, 2);
	struct transact out;

	(void)state;
	assert_true(transact_begin(&t, &to, 7, tid, 1000));
	assert_false(transact_end(&t, &elsewhere, tid, 4, &out));
	assert_false(transact_end(&t, &other_port, tid, 4, &out));
	assert_false(transact_end(&t, &to, other, 4, &out));
	assert_false(transact_end(&t, &to, tid, 2, &out));
	assert_true(transact_end(&t, &to, tid, 4, &out));
	assert_int_equal(out.purpose, 7);
	assert_false(transact_end(&t, &to, tid, 4, &out));
}

static void a_query_expires_after_two_seconds(void **state)
{
	static const uint8_t tid[TRANSACT_TID_LEN] = { 1 };
	struct transacts t = { 0 };
	struct endpoint to = at(1, 1);
	struct transact out;

	(void)state;
	assert_int_equal(transact_next_ms(&t), INT64_MAX);
	assert_true(transact_begin(&t, &to, 7, tid, 1000));
	assert_int_equal(transact_next_ms(&t), 3000);
	assert_false(transact_expire(&t, 2999, &out));
	assert_true(transact_expire(&t, 3000, &out));
	assert_false(transact_expire(&t, 3000, &out));
	assert_int_equal(transact_count(&t), 0);
}

static void only_so_many_queries_are_under_way(void **state)
{
	static const uint8_t tid[TRANSACT_TID_LEN] = { 1 };
	struct transacts t = { 0 };
	struct endpoint to = at(1, 1);
	unsigned int n = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		n += transact_begin(&t, &to, 7, tid, 1000);
	assert_int_equal(n, TRANSACT_MAX);
	assert_int_equal(transact_count(&t), TRANSACT_MAX);
}

/* --- found --- */

static struct found f;

static bool take(struct endpoint e, int64_t now_ms)
{
	return found_take(&f, &e, now_ms);
}

static void an_address_is_tried_again_after_ever_longer_pauses(void **state)
{
	(void)state;
	found_init(&f, 1000);
	assert_true(take(at(1, 1), 1000));
	assert_false(take(at(1, 1), 1000 + MINUTE_MS - 1));
	assert_true(take(at(1, 1), 1000 + MINUTE_MS));
	assert_false(take(at(1, 1), 1000 + 3 * MINUTE_MS - 1));
	assert_true(take(at(1, 1), 1000 + 3 * MINUTE_MS));
	assert_true(take(at(1, 1), 1000 + 7 * MINUTE_MS));
	assert_true(take(at(1, 1), 1000 + 15 * MINUTE_MS));
	assert_false(take(at(1, 1), 1000 + 25 * MINUTE_MS - 1));
	assert_true(take(at(1, 1), 1000 + 25 * MINUTE_MS));
}

static void one_host_has_few_ports_tried(void **state)
{
	unsigned int n = 0;

	(void)state;
	found_init(&f, 1000);
	for (uint16_t port = 1; port < 1000; port++)
		n += take(at(1, port), 1000);
	assert_int_equal(n, FOUND_PER_HOST);
	assert_true(take(at(2, 1), 1000));
}

static void a_flood_of_addresses_is_tried_slowly(void **state)
{
	unsigned int n = 0;

	(void)state;
	found_init(&f, 0);
	for (unsigned int i = 0; i < 60000; i++)
		n += take(at(i, 1), (int64_t)i * 10);
	assert_in_range(n, FOUND_BURST + 148, FOUND_BURST + 151);
}

/* --- agenda --- */

static struct now now_at(int64_t ms)
{
	return (struct now) { .mono_ms = ms, .unix_s = 1790000000 + ms / 1000 };
}

static void it_asks_every_half_minute_and_every_minute_once_it_knows_three(void **state)
{
	struct agenda a = { 0 };

	(void)state;
	assert_true(agenda_query(&a, now_at(1), 0, UINT16_MAX / 2));
	assert_false(agenda_query(&a, now_at(29000), 0, UINT16_MAX / 2));
	assert_true(agenda_query(&a, now_at(30002), 3, UINT16_MAX / 2));
	assert_false(agenda_query(&a, now_at(89000), 3, UINT16_MAX / 2));
	assert_true(agenda_query(&a, now_at(90003), 3, UINT16_MAX / 2));
}

static void a_pause_varies_by_a_quarter(void **state)
{
	(void)state;
	assert_int_equal(agenda_vary(60000, 0), 45000);
	assert_int_equal(agenda_vary(60000, UINT16_MAX), 75000);
}

static void it_announces_at_the_start_every_quarter_and_when_the_hour_changes(void **state)
{
	struct agenda a = { 0 };
	struct now now = { .mono_ms = 1000, .unix_s = 3600 * 500000LL + 1200 };

	(void)state;
	assert_true(agenda_must_announce(&a, now));
	agenda_announced(&a, now);
	assert_false(agenda_must_announce(&a, now));
	now.mono_ms += AGENDA_ANNOUNCE_MS - 1;
	now.unix_s += 899;
	assert_false(agenda_must_announce(&a, now));
	now.mono_ms += 1;
	assert_true(agenda_must_announce(&a, now));
	agenda_announced(&a, now);
	now.unix_s = 3600 * 500001LL - 1;
	assert_false(agenda_must_announce(&a, now));
	now.unix_s = 3600 * 500001LL;
	assert_true(agenda_must_announce(&a, now));
	agenda_announced(&a, now);
	assert_false(agenda_must_announce(&a, now));
}

static void it_looks_for_nodes_with_pauses_of_five_seconds_to_a_minute(void **state)
{
	static const int64_t pauses[] = { 5000, 10000, 20000, 40000, 60000, 60000 };
	struct agenda a = { 0 };
	int64_t ms = 1000;

	(void)state;
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		assert_true(agenda_join(&a, now_at(ms), AGENDA_JOIN_MAX_MS, UINT16_MAX));
		ms += pauses[i] * 5 / 4;
		assert_false(agenda_join(&a, now_at(ms - 1), AGENDA_JOIN_MAX_MS, UINT16_MAX));
	}
	agenda_joined(&a);
	assert_true(agenda_join(&a, now_at(ms), AGENDA_JOIN_MAX_MS, UINT16_MAX));
	assert_true(agenda_join(&a, now_at(ms + 6250), AGENDA_JOIN_MAX_MS, UINT16_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_allowance_is_a_burst_and_then_a_rate),
		cmocka_unit_test(an_allowance_of_a_clock_that_jumps_stays_within_its_burst),
		cmocka_unit_test(an_answer_counts_from_where_the_query_went_with_its_bytes),
		cmocka_unit_test(a_query_expires_after_two_seconds),
		cmocka_unit_test(only_so_many_queries_are_under_way),
		cmocka_unit_test(an_address_is_tried_again_after_ever_longer_pauses),
		cmocka_unit_test(one_host_has_few_ports_tried),
		cmocka_unit_test(a_flood_of_addresses_is_tried_slowly),
		cmocka_unit_test(it_asks_every_half_minute_and_every_minute_once_it_knows_three),
		cmocka_unit_test(a_pause_varies_by_a_quarter),
		cmocka_unit_test(it_announces_at_the_start_every_quarter_and_when_the_hour_changes),
		cmocka_unit_test(it_looks_for_nodes_with_pauses_of_five_seconds_to_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

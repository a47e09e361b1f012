/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "daemon/dht/voters.h"

#include <stdio.h>
#include <string.h>

static struct voters v;

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(&ip, text), 0);
	return ip;
}

static void vote(const char *voter, const char *seen)
{
	struct ip from = ip_of(voter);
	struct ip at = ip_of(seen);

	voters_take(&v, &from, &at);
}

static void assert_verdict(const char *want)
{
	char text[IP_TEXT_SIZE];
	struct ip seen;

	assert_int_equal(voters_verdict(&v, &seen), want[0] != '\0');
	assert_string_equal(ip_format(text, &seen), want);
}

static int begin(void **state)
{
	(void)state;
	memset(&v, 0, sizeof(v));
	return 0;
}

static void four_that_agree_are_believed(void **state)
{
	(void)state;
	assert_verdict("");
	vote("8.1.1.1", "198.51.100.1");
	vote("8.1.2.1", "198.51.100.1");
	vote("8.1.3.1", "198.51.100.1");
	assert_verdict("");
	vote("8.1.4.1", "198.51.100.1");
	assert_verdict("198.51.100.1");
}

static void one_owner_has_one_vote(void **state)
{
	char from[32];

	(void)state;
	for (int i = 1; i < 100; i++) {
		(void)snprintf(from, sizeof(from), "8.1.1.%d", i);
		vote(from, "198.51.100.1");
	}
	assert_verdict("");
	for (int i = 1; i < 100; i++)
		vote("8.1.9.1", "198.51.100.1");
	assert_verdict("");
}

static void a_third_that_lies_keeps_us_from_believing_anything(void **state)
{
	char from[32];

	(void)state;
	for (int i = 1; i <= 8; i++) {
		(void)snprintf(from, sizeof(from), "8.1.%d.1", i);
		vote(from, "198.51.100.1");
	}
	for (int i = 1; i <= 4; i++) {
		(void)snprintf(from, sizeof(from), "9.1.%d.1", i);
		vote(from, "198.51.100.2");
	}
	assert_verdict("198.51.100.1");
	vote("9.1.5.1", "198.51.100.2");
	assert_verdict("");
}

static void nobody_outside_knows_where_we_are_inside(void **state)
{
	char from[32];

	(void)state;
	for (int i = 1; i <= 8; i++) {
		(void)snprintf(from, sizeof(from), "8.1.%d.1", i);
		vote(from, "10.0.0.1");
		vote(from, "0.0.0.0");
		vote(from, "2001:db8::1");
	}
	assert_verdict("");
	for (int i = 1; i <= 4; i++) {
		(void)snprintf(from, sizeof(from), "10.0.0.%d", i + 1);
		vote(from, "10.0.0.1");
	}
	assert_verdict("10.0.0.1");
}

static void old_votes_give_way_to_new_ones(void **state)
{
	char from[32];

	(void)state;
	for (int i = 1; i <= 100; i++) {
		(void)snprintf(from, sizeof(from), "8.1.%d.1", i);
		vote(from, "198.51.100.1");
	}
	for (int i = 1; i <= VOTERS_MAX; i++) {
		(void)snprintf(from, sizeof(from), "9.1.%d.1", i);
		vote(from, "198.51.100.2");
	}
	assert_verdict("198.51.100.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(four_that_agree_are_believed, begin),
		cmocka_unit_test_setup(one_owner_has_one_vote, begin),
		cmocka_unit_test_setup(a_third_that_lies_keeps_us_from_believing_anything, begin),
		cmocka_unit_test_setup(nobody_outside_knows_where_we_are_inside, begin),
		cmocka_unit_test_setup(old_votes_give_way_to_new_ones, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

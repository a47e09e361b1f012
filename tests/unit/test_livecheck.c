/* SPDX-License-Identifier: MIT */
#include "daemon/state/livecheck.h"
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

static const struct wg_key wanted = { { 1 } };
static const struct wg_key other = { { 2 } };

static struct endpoint somewhere(void)
{
	struct endpoint at;

	assert_int_equal(endpoint_parse(&at, "10.0.0.5:52000"), 0);
	return at;
}

static struct livecheck_result judge(const struct announcement *a)
{
	const struct endpoint from = somewhere();
	struct livecheck_result out = { 0 };

	livecheck_judge(&out, &wanted, a, &from);
	assert_int_equal(out.n_heard, 1);
	return out;
}

static void a_node_that_announces_the_key_is_live(void **state)
{
	struct announcement a = { .self = { .key = wanted, .hostname = "node-1" } };
	struct livecheck_result r = judge(&a);

	(void)state;
	assert_true(r.is_live);
	assert_string_equal(r.where, "node-1 announces it from 10.0.0.5");
}

static void a_node_that_knows_the_key_as_active_is_believed(void **state)
{
	struct known_peer known[2] = { { .key = other },
				       { .key = wanted, .endpoint = "192.0.2.1:51820" } };
	struct announcement a = { .self = { .key = other }, .known = known, .n_known = 2 };
	struct livecheck_result r = judge(&a);

	(void)state;
	assert_true(r.is_live);
	assert_string_equal(r.where, "a node (10.0.0.5:52000) has heard of it within minutes, at "
				     "192.0.2.1:51820");
}

static void those_who_do_not_know_the_key_are_only_counted(void **state)
{
	struct known_peer known[1] = { { .key = other } };
	struct announcement a = { .self = { .key = other }, .known = known, .n_known = 1 };
	struct livecheck_result r = judge(&a);

	(void)state;
	assert_false(r.is_live);
	assert_string_equal(r.where, "");
}

static void names_of_any_length_fit_into_the_sentence(void **state)
{
	struct announcement a = { .self = { .key = wanted } };

	(void)state;
	memset(a.self.hostname, 'x', ANNOUNCE_HOSTNAME_MAX);
	assert_true(judge(&a).is_live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_that_announces_the_key_is_live),
		cmocka_unit_test(a_node_that_knows_the_key_as_active_is_believed),
		cmocka_unit_test(those_who_do_not_know_the_key_are_only_counted),
		cmocka_unit_test(names_of_any_length_fit_into_the_sentence),
	};

	return crypto_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

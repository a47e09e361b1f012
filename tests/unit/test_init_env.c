/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* String literals are not const in C, which is all that environ needs. */
#pragma GCC diagnostic ignored "-Wwrite-strings"
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"

static char *given[] = { "PATH=/bin", "A=1", "AB=2", NULL };

static void without_a_change_it_is_the_one_that_came_in(void **state)
{
	struct env env;

	(void)state;
	env_init(&env, given);
	assert_int_equal(env_set(&env, "NONE", NULL), 0);
	assert_ptr_equal(env.list, given);
	assert_string_equal(env_get(&env, "A"), "1");
	assert_null(env_get(&env, "B"));
	env_fini(&env);
}

static void variables_are_added_replaced_and_taken_away(void **state)
{
	struct env env;

	(void)state;
	env_init(&env, given);
	assert_int_equal(env_set(&env, "NEW", "x=y"), 0);
	assert_int_equal(env_set(&env, "A", "2"), 0);
	assert_int_equal(env_set(&env, "PATH", NULL), 0);
	assert_string_equal(env.list[0], "A=2");
	assert_string_equal(env.list[1], "AB=2");
	assert_string_equal(env.list[2], "NEW=x=y");
	assert_null(env.list[3]);
	assert_string_equal(given[1], "A=1");
	assert_string_equal(env_get(&env, "A"), "1");
	env_fini(&env);
	assert_ptr_equal(env.list, given);
}

static void too_much_leaves_it_as_it_was(void **state)
{
	static char large[70000];
	struct env env;
	char name[16];
	int n = 0;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	env_init(&env, given);
	assert_int_equal(env_set(&env, "LARGE", large), -ENOMEM);
	assert_string_equal(env.list[0], "PATH=/bin");
	assert_null(env.list[3]);
	do
		(void)snprintf(name, sizeof(name), "V%d", n++);
	while (env_set(&env, name, "1") == 0);
	assert_true(n > 8 && n < 100);
	assert_int_equal(env_set(&env, "A", "3"), 0);
	env_fini(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_change_it_is_the_one_that_came_in),
		cmocka_unit_test(variables_are_added_replaced_and_taken_away),
		cmocka_unit_test(too_much_leaves_it_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/process/netright.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char said[400];

#define EXPLAIN(...) netright_explain(&(struct netright) { __VA_ARGS__ }, said, sizeof(said))

static void says(const char *text)
{
	if (!strstr(said, text))
		fail_msg("\"%s\" is not in \"%s\"", text, said);
	/* The last word is there: nothing was cut. */
	assert_true(strlen(said) < sizeof(said) - 1);
}

static void is_silent_where_nothing_is_missing(void **state)
{
	(void)state;
	assert_true(EXPLAIN(.has = true, .is_bound = true, .program_file = true));
	assert_string_equal(said, "");
}

static void names_the_option_when_it_was_never_given(void **state)
{
	(void)state;
	assert_false(EXPLAIN(.euid = 0));
	says("even from the bounding set");
	says("--cap-add NET_ADMIN");
	assert_false(EXPLAIN(.euid = 1000, .init_file = true));
	says("--cap-add NET_ADMIN");
}

static void tells_a_user_that_engines_give_capabilities_to_root_only(void **state)
{
	(void)state;
	assert_false(EXPLAIN(.is_bound = true, .euid = 65532));
	says("starts as uid 65532");
	says("runAsUser");
}

static void tells_root_that_it_was_taken_away(void **state)
{
	(void)state;
	assert_false(EXPLAIN(.is_bound = true, .euid = 0));
	says("although this is root");
}

static void tells_a_file_capability_from_what_disables_it(void **state)
{
	(void)state;
	assert_false(
		EXPLAIN(.is_bound = true, .euid = 65532, .init_file = true, .no_new_privs = true));
	says("allowPrivilegeEscalation: false");
	assert_false(EXPLAIN(.is_bound = true, .euid = 65532, .init_file = true));
	says("nosuid");
	assert_false(EXPLAIN(.is_bound = true, .euid = 65532, .program_file = true));
	says("give it to wgmesh-init instead");
}

static void tells_when_the_network_is_somebody_elses(void **state)
{
	(void)state;
	assert_false(EXPLAIN(.has = true, .is_bound = true, .is_foreign = true));
	says("host network");
	says("--userns=host");
}

static void looks_at_this_process_without_harm(void **state)
{
	struct netright n;

	(void)state;
	memset(&n, 0xff, sizeof(n));
	netright_read(&n, "/nonexistent");
	assert_false(n.program_file);
	assert_false(n.is_foreign);
	assert_int_equal(n.euid, geteuid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_silent_where_nothing_is_missing),
		cmocka_unit_test(names_the_option_when_it_was_never_given),
		cmocka_unit_test(tells_a_user_that_engines_give_capabilities_to_root_only),
		cmocka_unit_test(tells_root_that_it_was_taken_away),
		cmocka_unit_test(tells_a_file_capability_from_what_disables_it),
		cmocka_unit_test(tells_when_the_network_is_somebody_elses),
		cmocka_unit_test(looks_at_this_process_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

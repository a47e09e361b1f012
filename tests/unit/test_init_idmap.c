/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/state/idmap.h"

#include <stdio.h>
#include <string.h>

#define EVERYBODY "         0          0 4294967295\n"
#define ONE	  "         0       1000          1\n"
#define ROOTLESS  "         0       1000          1\n         1     100000      65536\n"

static void every_number_exists_outside_of_a_user_namespace(void **state)
{
	(void)state;
	assert_true(idmap_has(EVERYBODY, 0));
	assert_true(idmap_has(EVERYBODY, 65532));
	assert_true(idmap_has(EVERYBODY, UINT32_MAX - 1));
	assert_false(idmap_has(EVERYBODY, UINT32_MAX));
}

static void a_range_ends_where_its_count_does(void **state)
{
	(void)state;
	assert_true(idmap_has(ONE, 0));
	assert_false(idmap_has(ONE, 1));
	assert_false(idmap_has(ONE, 1000));
	assert_true(idmap_has(ROOTLESS, 65532));
	assert_true(idmap_has(ROOTLESS, 65536));
	assert_false(idmap_has(ROOTLESS, 65537));
}

static void an_empty_map_has_nobody(void **state)
{
	(void)state;
	assert_false(idmap_has("", 0));
	assert_false(idmap_has("5 5 0\n", 5));
}

static void a_line_that_is_no_range_is_skipped(void **state)
{
	static const char *const bad[] = {
		"0 0\n", "0 0 x\n", "-1 0 5\n", "99999999999999999999 0 5\n", "\n", "   \n", "0"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s\n7 7 1", bad[i]);
		assert_false(idmap_has(text, 0));
		assert_true(idmap_has(text, 7));
	}
}

/* A line cut at any byte never maps more than the whole one does. */
static void a_cut_map_has_no_number_that_the_whole_one_lacks(void **state)
{
	char text[sizeof(ROOTLESS)];

	(void)state;
	for (size_t len = 0; len < sizeof(ROOTLESS); len++) {
		memcpy(text, ROOTLESS, len);
		text[len < sizeof(text) ? len : 0] = '\0';
		assert_false(idmap_has(text, 65537));
	}
}

static void a_map_is_described_in_words(void **state)
{
	char text[40];

	(void)state;
	idmap_describe(ONE, text, sizeof(text));
	assert_string_equal(text, "0");
	idmap_describe(ROOTLESS, text, sizeof(text));
	assert_string_equal(text, "0, 1 to 65536");
	idmap_describe("", text, sizeof(text));
	assert_string_equal(text, "none");
}

static void a_long_description_is_cut_and_never_overruns(void **state)
{
	char text[12] = "";

	(void)state;
	for (size_t size = 1; size <= 8; size++) {
		memset(text, 'x', sizeof(text));
		idmap_describe(ROOTLESS ROOTLESS ROOTLESS, text, size);
		assert_true(strlen(text) < size);
		assert_int_equal(text[size], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_exists_outside_of_a_user_namespace),
		cmocka_unit_test(a_range_ends_where_its_count_does),
		cmocka_unit_test(an_empty_map_has_nobody),
		cmocka_unit_test(a_line_that_is_no_range_is_skipped),
		cmocka_unit_test(a_cut_map_has_no_number_that_the_whole_one_lacks),
		cmocka_unit_test(a_map_is_described_in_words),
		cmocka_unit_test(a_long_description_is_cut_and_never_overruns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

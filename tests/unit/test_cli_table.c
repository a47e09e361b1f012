/* SPDX-License-Identifier: MIT */
#include "daemon/cli/table.h"
#include "daemon/cli/text.h"
#include "tests/unit/shown.h"

#include <string.h>

static const struct table_column columns[] = {
	{ "NAME", 9, 5, false },
	{ "ADDRESS", 5, 0, false },
	{ "AGE", 7, 0, true },
	{ "VIA", 1, 0, false },
};

static struct table *two_rows(void)
{
	static const char *const cells[] = { "node-number-one", "10.0.0.1", "3m", "lan,dht", "two",
					     "10.0.0.22",	NULL,	    "" };
	struct table *t = table_new(columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		table_cell(t, cells[i]);
		if (i == 3)
			table_note(t, "why not: nobody knows");
	}
	return t;
}

static void assert_table(size_t width, const char *want)
{
	struct table *t = two_rows();
	struct shown s;

	table_print(shown_begin(&s), t, width);
	assert_shown(&s, want);
	table_free(t);
}

static void columns_are_as_wide_as_what_is_in_them(void **state)
{
	(void)state;
	assert_table(TEXT_NO_LIMIT, "NAME             ADDRESS    AGE  VIA\n"
				    "node-number-one  10.0.0.1    3m  lan,dht\n"
				    "    why not: nobody knows\n"
				    "two              10.0.0.22    -  -\n");
}

static void names_are_cut_before_a_column_goes(void **state)
{
	(void)state;
	assert_table(34, "NAME       ADDRESS    AGE  VIA\n"
			 "node-num…  10.0.0.1    3m  lan,dht\n"
			 "    why not: nobody knows\n"
			 "two        10.0.0.22    -  -\n");
}

static void the_least_important_columns_go_first(void **state)
{
	(void)state;
	assert_table(29, "NAME           ADDRESS    AGE\n"
			 "node-number-…  10.0.0.1    3m\n"
			 "    why not: nobody knows\n"
			 "two            10.0.0.22    -\n");
	assert_table(16, "NAME         AGE\n"
			 "node-numbe…   3m\n"
			 "    why not:\n    nobody knows\n"
			 "two            -\n");
	/* The last one stays, and is cut no further than what tells rows apart. */
	assert_table(1, "NAME\n"
			"node…\n"
			"    why not: nobody knows\n"
			"two\n");
}

static void no_line_is_wider_than_the_terminal_as_long_as_one_column_fits(void **state)
{
	(void)state;
	for (size_t width = 5; width < 60; width++) {
		struct table *t = two_rows();
		struct shown s;
		char *text;

		table_print(shown_begin(&s), t, width);
		text = shown_end(&s);
		for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1) {
			*end = '\0';
			if (strncmp(p, "    why", 7) != 0)
				assert_in_range(text_width(p), 0, width);
		}
		free(text);
		table_free(t);
	}
}

static void cells_of_strangers_cannot_break_out_of_their_row(void **state)
{
	static const struct table_column one[] = { { "HOST", 1, 4, false }, { "X", 1, 0, false } };
	struct table *t = table_new(one, 2);
	struct shown s;

	(void)state;
	table_cell(t, "\346\227\245\346\234\254\033[31m\n");
	table_cell(t, "x");
	table_note(t, "\033]0;title\007");
	table_print(shown_begin(&s), t, TEXT_NO_LIMIT);
	assert_shown(&s, "HOST        X\n"
			 "\346\227\245\346\234\254?[31m?  x\n"
			 "    ?]0;title?\n");
	/* A character of two columns that does not fit leaves one of them empty. */
	table_print(shown_begin(&s), t, 7);
	assert_shown(&s, "HOST  X\n"
			 "\346\227\245…   x\n"
			 "    ?]0;title?\n");
	table_free(t);
}

static void without_memory_for_the_table_nothing_is_printed(void **state)
{
	struct shown s;

	(void)state;
	table_cell(NULL, "x");
	table_note(NULL, "x");
	table_print(shown_begin(&s), NULL, 80);
	assert_shown(&s, "");
	table_free(NULL);
	assert_null(table_new(columns, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_what_is_in_them),
		cmocka_unit_test(names_are_cut_before_a_column_goes),
		cmocka_unit_test(the_least_important_columns_go_first),
		cmocka_unit_test(no_line_is_wider_than_the_terminal_as_long_as_one_column_fits),
		cmocka_unit_test(cells_of_strangers_cannot_break_out_of_their_row),
		cmocka_unit_test(without_memory_for_the_table_nothing_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/cli/watch.h"
#include "tests/unit/shown.h"

#include <string.h>

#define HOME  "\033[H"
#define CLEAR "\033[K"
#define BELOW "\033[J"

static void assert_frame(const char *text, size_t rows, size_t columns, const char *want)
{
	struct shown s;

	watch_frame(shown_begin(&s), text, rows, columns);
	assert_shown(&s, want);
}

static void a_frame_begins_at_the_top_and_clears_behind_each_line(void **state)
{
	(void)state;
	assert_frame("one\ntwo\n", 24, 80, HOME "one" CLEAR "\r\ntwo" CLEAR BELOW);
	assert_frame("one\n\ntwo", 24, 80, HOME "one" CLEAR "\r\n" CLEAR "\r\ntwo" CLEAR BELOW);
	assert_frame("", 24, 80, BELOW);
}

static void nothing_scrolls_what_does_not_fit_is_counted_in_the_last_row(void **state)
{
	(void)state;
	assert_frame("1\n2\n3\n", 3, 80, HOME "1" CLEAR "\r\n2" CLEAR "\r\n3" CLEAR BELOW);
	assert_frame("1\n2\n3\n4\n", 3, 80,
		     HOME "1" CLEAR "\r\n2" CLEAR "\r\n… 2 more lines" CLEAR BELOW);
	assert_frame("1\n2\n", 1, 80, HOME "… 2 more lines" CLEAR BELOW);
}

static void a_line_wider_than_the_terminal_takes_several_rows(void **state)
{
	(void)state;
	assert_frame("abcdefgh\n2\n3\n", 4, 4,
		     HOME "abcdefgh" CLEAR "\r\n2" CLEAR "\r\n3" CLEAR BELOW);
	/* The row that counts the rest is cut, or it would scroll the others. */
	assert_frame("abcdefghi\n2\n3\n", 4, 4, HOME "abcdefghi" CLEAR "\r\n… 2 " CLEAR BELOW);
	assert_frame("1\n2\n", 1, 1, HOME "…" CLEAR BELOW);
	/* Bold takes no columns. */
	assert_frame("\033[1mabcd\033[0m\n2\n", 2, 4,
		     HOME "\033[1mabcd\033[0m" CLEAR "\r\n2" CLEAR BELOW);
	assert_frame("\303\274\303\274\303\274\303\274\n2\n", 2, 4,
		     HOME "\303\274\303\274\303\274\303\274" CLEAR "\r\n2" CLEAR BELOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_begins_at_the_top_and_clears_behind_each_line),
		cmocka_unit_test(nothing_scrolls_what_does_not_fit_is_counted_in_the_last_row),
		cmocka_unit_test(a_line_wider_than_the_terminal_takes_several_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

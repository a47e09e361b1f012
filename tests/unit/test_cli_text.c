/* SPDX-License-Identifier: MIT */
#include "daemon/cli/text.h"
#include "tests/unit/shown.h"

#include <errno.h>
#include <string.h>

static void assert_clean(const char *given, const char *want)
{
	char *clean = text_clean(given);

	assert_string_equal(clean, want);
	free(clean);
}

static void what_would_move_the_cursor_or_turn_the_writing_around_becomes_a_question_mark(
	void **state)
{
	/* As numbers: compilers take the text itself for an attempt to mislead. */
	static const char right_to_left[] = { 'x', (char)0xe2, (char)0x80, (char)0xae, 'y', '\0' };

	(void)state;
	assert_clean(NULL, "");
	assert_clean("node-1", "node-1");
	assert_clean("a\033[2Jb", "a?[2Jb");
	assert_clean("a\nb\tc\rd\177e", "a?b?c?d?e");
	assert_clean("\302\233"
		     "31m",
		     "?31m");			      /* U+009B: CSI in one character */
	assert_clean(right_to_left, "x?y");	      /* U+202E */
	assert_clean("x\342\200\213y", "x?y");	      /* U+200B: no width at all */
	assert_clean("x\357\273\277y", "x?y");	      /* U+FEFF */
	assert_clean("gr\303\274n", "gr\303\274n");   /* a letter is a letter */
	assert_clean("\346\227\245", "\346\227\245"); /* of any script */
}

static void bytes_that_are_no_utf8_become_question_marks_one_by_one(void **state)
{
	(void)state;
	assert_clean("\377", "?");
	assert_clean("a\303", "a?"); /* cut in the middle */
	assert_clean("\303(", "?(");
	assert_clean("\300\200", "??");		  /* overlong NUL */
	assert_clean("\340\200\200", "???");	  /* overlong */
	assert_clean("\355\240\200", "?");	  /* half of a pair */
	assert_clean("\364\220\200\200", "????"); /* beyond the last */
	assert_clean("\360\237\230\200", "\360\237\230\200");
}

static void every_byte_and_every_cut_of_a_text_gives_a_clean_text(void **state)
{
	static const char sample[] = "a\303\274\346\227\245\360\237\230\200z";

	(void)state;
	for (size_t i = 0; i < sizeof(sample); i++) {
		for (unsigned int b = 1; b < 256; b++) {
			char text[sizeof(sample)];
			char *clean;

			memcpy(text, sample, sizeof(text));
			text[i] = (char)b;
			text[sizeof(text) - 1] = '\0';
			clean = text_clean(text);
			assert_non_null(clean);
			assert_null(strpbrk(clean, "\033\n\r\t\b"));
			assert_clean(clean, clean);
			free(clean);
		}
	}
}

static void a_text_is_as_wide_as_a_terminal_shows_it(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("gr\303\274n"), 4);
	assert_int_equal(text_width("\346\227\245\346\234\254"), 4);
	assert_int_equal(text_width("u\314\210"), 1); /* u and a diaeresis on it */
}

static void a_cut_never_splits_a_character(void **state)
{
	size_t taken;

	(void)state;
	assert_int_equal(text_cut("gr\303\274n", 3, &taken), 4);
	assert_int_equal(taken, 3);
	assert_int_equal(text_cut("\346\227\245\346\234\254", 3, &taken), 3);
	assert_int_equal(taken, 2);
	assert_int_equal(text_cut("u\314\210x", 1, &taken), 3);
	assert_int_equal(text_cut("abc", 0, &taken), 0);
}

static void lines_end_between_words_and_go_on_below_the_first_word(void **state)
{
	struct shown s;

	(void)state;
	text_wrap(shown_begin(&s), "one two three four", 4, 14);
	assert_shown(&s, "one two\n    three four\n");
	text_wrap(shown_begin(&s), "one two three four", 4, TEXT_NO_LIMIT);
	assert_shown(&s, "one two three four\n");
	text_wrap(shown_begin(&s), "abcdefghijklmnop", 2, 14);
	assert_shown(&s, "abcdefghijkl\n  mnop\n");
	text_wrap(shown_begin(&s), "one\ntwo", 0, 40);
	assert_shown(&s, "one?two\n");
	text_wrap(shown_begin(&s), "", 4, 40);
	assert_shown(&s, "\n");
	/* With no room worth the name, the text is worth more than its form. */
	text_wrap(shown_begin(&s), "one two", 12, 13);
	assert_shown(&s, "one two\n");
}

static void bytes_come_in_units_of_1024(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 10 * 1024 - 1, "10 KiB" },
		{ 999 * 1024, "999 KiB" },
		{ 1024 * 1024 - 1, "1.0 MiB" },
		{ UINT64_C(5) << 30, "5.0 GiB" },
		{ UINT64_C(123) << 40, "123 TiB" },
		{ UINT64_MAX, "16 EiB" },
	};
	char out[TEXT_NUMBER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_bytes(out, cases[i].n), cases[i].text);
}

static void ages_have_one_unit_and_durations_two(void **state)
{
	char out[TEXT_NUMBER_SIZE];

	(void)state;
	assert_string_equal(text_age(out, -5), "0s");
	assert_string_equal(text_age(out, 59), "59s");
	assert_string_equal(text_age(out, 60), "1m");
	assert_string_equal(text_age(out, 3599), "59m");
	assert_string_equal(text_age(out, 3600), "1h");
	assert_string_equal(text_age(out, 86400 * 400), "400d");
	assert_string_equal(text_span(out, -1), "0s");
	assert_string_equal(text_span(out, 59), "59s");
	assert_string_equal(text_span(out, 61), "1m 1s");
	assert_string_equal(text_span(out, 7500), "2h 5m");
	assert_string_equal(text_span(out, 86400 * 12 + 3 * 3600), "12d 3h");
}

static void latencies_keep_two_digits_that_count(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} cases[] = {
		{ 4, "0.00 ms" },     { 350, "0.35 ms" },  { 994, "0.99 ms" },	 { 995, "1.0 ms" },
		{ 1249, "1.2 ms" },   { 9949, "9.9 ms" },  { 9950, "10 ms" },	 { 34400, "34 ms" },
		{ 999499, "999 ms" }, { 999500, "1.0 s" }, { 1240000, "1.2 s" },
	};
	char out[TEXT_NUMBER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_latency(out, cases[i].us), cases[i].text);
}

static void times_of_any_zone_are_read(void **state)
{
	static const char *const bad[] = { "",
					   "never",
					   "2026-01-01",
					   "2026-01-01T00:00:00",
					   "2026-01-01T00:00:00+2:00",
					   "2026-01-01T00:00:00+aa:00",
					   "2026-01-01T00:00:00Zx" };
	int64_t t = 0;

	(void)state;
	assert_int_equal(text_parse_time(&t, "2026-01-01T00:00:00Z"), 0);
	assert_int_equal(t, 1767225600);
	assert_int_equal(text_parse_time(&t, "2026-01-01T02:30:00.123456789+02:30"), 0);
	assert_int_equal(t, 1767225600);
	assert_int_equal(text_parse_time(&t, "2025-12-31T19:00:00-05:00"), 0);
	assert_int_equal(t, 1767225600);
	assert_int_equal(text_parse_time(&t, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_parse_time(&t, bad[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_would_move_the_cursor_or_turn_the_writing_around_becomes_a_question_mark),
		cmocka_unit_test(bytes_that_are_no_utf8_become_question_marks_one_by_one),
		cmocka_unit_test(every_byte_and_every_cut_of_a_text_gives_a_clean_text),
		cmocka_unit_test(a_text_is_as_wide_as_a_terminal_shows_it),
		cmocka_unit_test(a_cut_never_splits_a_character),
		cmocka_unit_test(lines_end_between_words_and_go_on_below_the_first_word),
		cmocka_unit_test(bytes_come_in_units_of_1024),
		cmocka_unit_test(ages_have_one_unit_and_durations_two),
		cmocka_unit_test(latencies_keep_two_digits_that_count),
		cmocka_unit_test(times_of_any_zone_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

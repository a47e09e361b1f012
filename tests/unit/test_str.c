/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/str.h"

#include <time.h>

#include <errno.h>
#include <string.h>

static void copies_whole_or_not_at_all(void **state)
{
	char buf[4] = "xyz";

	(void)state;
	assert_int_equal(str_copy(buf, sizeof(buf), "abc"), 0);
	assert_string_equal(buf, "abc");
	assert_int_equal(str_copy(buf, sizeof(buf), "abcd"), -ENAMETOOLONG);
	assert_string_equal(buf, "");
	assert_int_equal(str_copy(buf, 1, ""), 0);
}

static void cuts_what_does_not_fit_and_terminates(void **state)
{
	char buf[4];

	(void)state;
	str_cut(buf, sizeof(buf), "abcdef", 6);
	assert_string_equal(buf, "abc");
	str_cut(buf, sizeof(buf), "abcdef", 2);
	assert_string_equal(buf, "ab");
	str_cut(buf, 1, "a", 1);
	assert_string_equal(buf, "");
}

static void takes_numbers_and_nothing_else(void **state)
{
	static const char *const wrong[] = { "",    " 1", "1 ", "+1", "-1", "0x1",
					     "1.0", "a",  "1a", "١",  "1\n" };
	uint64_t n = 7;

	(void)state;
	assert_int_equal(str_parse_u64(&n, "0018", 0, 100), 0);
	assert_int_equal(n, 18);
	assert_int_equal(str_parse_u64(&n, "18446744073709551615", 0, UINT64_MAX), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(str_parse_u64(&n, "18446744073709551616", 0, UINT64_MAX), -ERANGE);
	assert_int_equal(str_parse_u64(&n, "99999999999999999999999", 0, UINT64_MAX), -ERANGE);
	assert_int_equal(str_parse_u64(&n, "4", 5, 9), -ERANGE);
	assert_int_equal(str_parse_u64(&n, "10", 5, 9), -ERANGE);
	n = 7;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(str_parse_u64(&n, wrong[i], 0, 100), -EINVAL);
	assert_int_equal(n, 7);
}

static void takes_durations_with_and_without_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = { { "8", 8000 },    { "8s", 8000 },	  { "500ms", 500 },
		     { "2m", 120000 }, { "1h", 3600000 }, { "0", 0 } };
	static const char *const wrong[] = { "", "s", "1 s", "1S", "1.5s", "-1s", "1d", "1m30s" };
	uint64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(str_parse_duration_ms(&ms, good[i].text, 3600000), 0);
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(str_parse_duration_ms(&ms, wrong[i], 3600000), -EINVAL);
	assert_int_equal(str_parse_duration_ms(&ms, "61m", 3600000), -ERANGE);
	assert_int_equal(str_parse_duration_ms(&ms, "18446744073709551615h", UINT64_MAX), -ERANGE);
}

static void takes_booleans_as_go_does(void **state)
{
	static const char *const wrong[] = { "", "tRUE", "2", "yess", "nope", " 1" };
	bool b = false;

	(void)state;
	assert_int_equal(str_parse_bool(&b, "True"), 0);
	assert_true(b);
	assert_int_equal(str_parse_bool(&b, "0"), 0);
	assert_false(b);
	assert_int_equal(str_parse_bool(&b, "on"), 0);
	assert_true(b);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(str_parse_bool(&b, wrong[i]), -EINVAL);
}

static void counts_edits(void **state)
{
	char long_name[200];

	(void)state;
	assert_int_equal(str_distance("", ""), 0);
	assert_int_equal(str_distance("abc", ""), 3);
	assert_int_equal(str_distance("", "abc"), 3);
	assert_int_equal(str_distance("kitten", "sitting"), 3);
	assert_int_equal(str_distance("state-dir", "statedir"), 1);
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(str_distance(long_name, ""), 63);
}

static void knows_interface_names(void **state)
{
	static const char *const good[] = { "wg0", "a", "mesh-1_x", "ABCDEFGHIJKLMNO" };
	static const char *const wrong[] = { "",     "0wg",  "wg.0",
					     "wg/0", "wg 0", "-wg",
					     "_wg",  "..",   "ABCDEFGHIJKLMNOP" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(str_is_interface_name(good[i]));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(str_is_interface_name(wrong[i]));
}

static void characters_are_escaped_as_json_wants_them(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *escaped;
	} known[] = {
		{ "ab", 1, "a" },
		{ "\"", 1, "\\\"" },
		{ "\\", 1, "\\\\" },
		{ "\n", 1, "\\u000a" },
		{ "\x7f", 1, "\\u007f" },
		{ "\xc3\xa4.", 2, "\xc3\xa4" },
		{ "\xe2\x82\xac.", 3, "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80.", 4, "\xf0\x9f\x98\x80" },
		/* What a terminal acts upon, and what turns a line around. */
		{ "\xc2\x9b.", 2, "\\u009b" },
		{ "\xe2\x80\xa8.", 3, "\\u2028" },
		/* Cut, overlong, a surrogate, too large, out of place. */
		{ "\xc3", 1, "\\ufffd" },
		{ "\xe2\x82.", 1, "\\ufffd" },
		{ "\xc0\x80.", 1, "\\ufffd" },
		{ "\xe0\x80\x80.", 1, "\\ufffd" },
		{ "\xed\xa0\x80.", 1, "\\ufffd" },
		{ "\xf4\x90\x80\x80.", 1, "\\ufffd" },
		{ "\xf5\x80\x80\x80.", 1, "\\ufffd" },
		{ "\x80.", 1, "\\ufffd" },
	};
	char out[STR_JSON_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(str_json_escape(out, known[i].text), known[i].len);
		assert_string_equal(out, known[i].escaped);
	}
}

static void makes_any_name_visible(void **state)
{
	char out[16];

	(void)state;
	assert_string_equal(str_visible(out, sizeof(out), "wg0.json"), "wg0.json");
	assert_string_equal(str_visible(out, sizeof(out), "a\nb\x1b[0m"), "a\\x0ab\\x1b[0m");
	assert_string_equal(str_visible(out, sizeof(out), "\xc3\xa4\\"), "\\xc3\\xa4\\x5c");
	/* An escape that does not fit whole is left out. */
	assert_string_equal(str_visible(out, 8, "12345\n6"), "12345");
	assert_string_equal(str_visible(out, 1, "x"), "");
}

static void tells_utc(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} known[] = {
		{ 0, "1970-01-01T00:00:00" },
		{ 86399, "1970-01-01T23:59:59" },
		{ 951782400, "2000-02-29T00:00:00" },
		{ 1077926399, "2004-02-27T23:59:59" },
		{ 1772323199, "2026-02-28T23:59:59" },
		{ 1772323200, "2026-03-01T00:00:00" },
		{ 1798761599, "2026-12-31T23:59:59" },
		{ 4107542400, "2100-03-01T00:00:00" },
		{ 253402300799, "9999-12-31T23:59:59" },
		{ UINT64_MAX, "9999-12-31T23:59:59" },
	};
	char out[STR_UTC_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		str_utc(out, known[i].seconds);
		assert_string_equal(out, known[i].text);
	}
}

static void tells_utc_as_the_c_library_does(void **state)
{
	char out[STR_UTC_SIZE];
	char theirs[STR_UTC_SIZE];

	(void)state;
	/* An odd step, so that every second of a minute and day of a month comes up. */
	for (time_t t = 0; t < 4200000000; t += 76543) {
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
		str_utc(out, (uint64_t)t);
		assert_string_equal(out, theirs);
	}
}

static void what_does_not_fit_a_growing_text_is_left_out_whole(void **state)
{
	char out[8];
	struct str_out t = { .out = out, .size = sizeof(out) };

	(void)state;
	str_add(&t, "%s=%d", "abc", 1);
	assert_string_equal(out, "abc=1");
	str_add(&t, "%s", "def");
	assert_string_equal(out, "abc=1");
	str_add(&t, "%s", "de");
	assert_string_equal(out, "abc=1de");
	assert_int_equal(t.len, 7);
	str_add(&t, "%s", "f");
	assert_string_equal(out, "abc=1de");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_a_growing_text_is_left_out_whole),
		cmocka_unit_test(copies_whole_or_not_at_all),
		cmocka_unit_test(cuts_what_does_not_fit_and_terminates),
		cmocka_unit_test(takes_numbers_and_nothing_else),
		cmocka_unit_test(takes_durations_with_and_without_unit),
		cmocka_unit_test(takes_booleans_as_go_does),
		cmocka_unit_test(counts_edits),
		cmocka_unit_test(knows_interface_names),
		cmocka_unit_test(characters_are_escaped_as_json_wants_them),
		cmocka_unit_test(makes_any_name_visible),
		cmocka_unit_test(tells_utc),
		cmocka_unit_test(tells_utc_as_the_c_library_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

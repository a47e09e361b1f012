/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "init/supervise/lastline.h"

#include <stdbool.h>
#include <string.h>

struct stream {
	const char *text;
	const char *last;
};

static const struct stream streams[] = {
	{ "", "" },
	{ "\n\n \t\r\n", "" },
	{ "one", "one" },
	{ "one\n", "one" },
	{ "one\ntwo\nthree\n", "three" },
	{ "one\ntwo", "two" },
	{ "one\n\n  \n\r\n", "one" },
	{ "one\n  ", "one" },
	{ "windows\r\n", "windows" },
	{ "  indented  \n", "  indented" },
	{ "a\tb\n", "a b" },
	{ "bell\a and escape\033]\n", "bell? and escape?]" },
	{ "\033[1;31merror:\033[0m no\n", "error: no" },
	{ "cut \033[1;3", "cut ?[1;3" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb3\n",
	  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb3" },
	{ "bad \xff\xc0\xaf\xed\xa0\x80 end\n", "bad ?????? end" },
	{ "c1 \xc2\x9b del \x7f\n", "c1 ?? del ?" },
	{ "half \xe2\x82", "half ??" },
};

static void expect(const struct lastline *l, const struct stream *s, const char *how)
{
	char out[LASTLINE_SIZE];

	lastline_get(l, out);
	if (strcmp(out, s->last) != 0)
		fail_msg("\"%s\" %s gives \"%s\"", s->text, how, out);
}

static void finds_the_last_line_that_is_not_blank(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct lastline l = { .line_len = 0 };

		lastline_feed(&l, streams[i].text, strlen(streams[i].text));
		expect(&l, &streams[i], "at once");
	}
}

static void it_does_not_matter_where_the_stream_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		size_t len = strlen(streams[i].text);
		struct lastline bytes = { .line_len = 0 };

		for (size_t at = 0; at <= len; at++) {
			struct lastline l = { .line_len = 0 };

			lastline_feed(&l, streams[i].text, at);
			lastline_feed(&l, streams[i].text + at, len - at);
			expect(&l, &streams[i], "in two");
		}
		for (size_t at = 0; at < len; at++)
			lastline_feed(&bytes, streams[i].text + at, 1);
		expect(&bytes, &streams[i], "byte by byte");
	}
}

static void a_nul_is_a_control_character_like_any_other(void **state)
{
	struct lastline l = { .line_len = 0 };
	char out[LASTLINE_SIZE];

	(void)state;
	lastline_feed(&l, "a\0b\n", 4);
	lastline_get(&l, out);
	assert_string_equal(out, "a?b");
}

static void of_a_long_line_the_beginning_is_kept(void **state)
{
	static char text[5000];
	struct lastline l = { .line_len = 0 };
	char out[LASTLINE_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "head ", 5);
	for (int i = 0; i < 100; i++)
		lastline_feed(&l, text, sizeof(text));
	lastline_get(&l, out);
	assert_int_equal(strlen(out), 300);
	assert_memory_equal(out, "head xxx", 8);
	lastline_feed(&l, "\n", 1);
	lastline_get(&l, out);
	assert_int_equal(strlen(out), 300);
	lastline_feed(&l, "short\n", 6);
	lastline_get(&l, out);
	assert_string_equal(out, "short");
}

static void any_bytes_give_text_without_control_characters(void **state)
{
	struct lastline l = { .line_len = 0 };
	char out[LASTLINE_SIZE];
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char c;

		seed = seed * 1664525 + 1013904223;
		c = (char)(seed >> 24);
		lastline_feed(&l, &c, 1);
		if (i % 97 != 0)
			continue;
		lastline_get(&l, out);
		for (const char *p = out; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_last_line_that_is_not_blank),
		cmocka_unit_test(it_does_not_matter_where_the_stream_is_cut),
		cmocka_unit_test(a_nul_is_a_control_character_like_any_other),
		cmocka_unit_test(of_a_long_line_the_beginning_is_kept),
		cmocka_unit_test(any_bytes_give_text_without_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The JSON form under values that somebody made up to break it; jansson is the judge. */
#include "tests/unit/captured.h"

#include "common/log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 3000

static const char *values[3];

static void write_values(void)
{
	log_event(EVENT_PHASE_WARNING, LOG_FIELDS({ "one", values[0] }, { "two", values[1] }), "%s",
		  values[2]);
}

/* A fixed sequence: a failure can be looked into again. */
static unsigned int roll(unsigned int sides)
{
	static uint32_t seed = 20260101;

	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

/* Bytes that matter to UTF-8, JSON and terminals far more often than chance would have it. */
static char any_byte(void)
{
	static const char loaded[] =
		"\"\\\n\r\t\x1b\x7f\x01\xc2\x9b\xe2\x80\xa8\xf0\x9f\x98\x80\xed\xa0\xc0"
		"\xff\xf4\x90{}[],:u0";

	if (roll(2) == 0)
		return loaded[roll(sizeof(loaded) - 1)];
	return (char)(1 + roll(255));
}

static void fill(char *buf, size_t size)
{
	size_t len = roll(8) == 0 ? roll((unsigned int)size) : roll(40);

	for (size_t i = 0; i < len; i++)
		buf[i] = any_byte();
	buf[len] = '\0';
}

static void assert_is_one_object(const char *out)
{
	size_t len = strlen(out);
	json_error_t error;
	json_t *line;

	assert_true(len > 0 && len <= 4096);
	assert_ptr_equal(strchr(out, '\n'), out + len - 1);
	line = json_loadb(out, len, JSON_REJECT_DUPLICATES, &error);
	if (!line)
		fail_msg("%s at %d: %s", error.text, error.position, out);
	assert_string_equal(json_string_value(json_object_get(line, "event")), "phase_warning");
	assert_non_null(json_object_get(line, "msg"));
	json_decref(line);
}

static void any_value_gives_one_line_that_is_json(void **state)
{
	static char text[3][6000];

	(void)state;
	assert_int_equal(log_init("prog", LOG_FORMAT_JSON, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		for (size_t k = 0; k < 3; k++) {
			fill(text[k], sizeof(text[k]));
			values[k] = text[k];
		}
		assert_is_one_object(captured(write_values));
	}
}

/* Every length around those where a line is cut. */
static void a_line_that_is_cut_anywhere_is_json(void **state)
{
	static const char *const unit[] = { "x",   "\"", "\x01", "\xc3\xa4", "\xf0\x9f\x98\x80",
					    "\xff" };
	static char text[4200];

	(void)state;
	assert_int_equal(log_init("prog", LOG_FORMAT_JSON, NULL), 0);
	for (size_t u = 0; u < sizeof(unit) / sizeof(unit[0]); u++) {
		size_t step = strlen(unit[u]);

		text[0] = '\0';
		for (size_t len = 0; len + step < sizeof(text); len += step) {
			memcpy(text + len, unit[u], step + 1);
			/* An escape makes six bytes of one: short texts are cut as well. */
			if (len % 7 > step && len < 3700)
				continue;
			values[0] = text;
			values[1] = "end";
			values[2] = text;
			assert_is_one_object(captured(write_values));
		}
	}
}

static void no_value_writes_a_control_character_to_a_terminal(void **state)
{
	static char text[3][200];

	(void)state;
	assert_int_equal(log_init("prog", LOG_FORMAT_TEXT, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		const char *out;
		size_t len;

		for (size_t k = 0; k < 3; k++) {
			fill(text[k], sizeof(text[k]));
			values[k] = text[k];
		}
		out = captured(write_values);
		len = strlen(out);
		assert_true(len > 0 && len <= 4096);
		for (size_t at = 0; at + 1 < len; at++) {
			assert_true((unsigned char)out[at] >= 0x20 && out[at] != 0x7f);
			assert_false(out[at] == '\xc2' && (unsigned char)out[at + 1] < 0xa0);
		}
		assert_int_equal(out[len - 1], '\n');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_value_gives_one_line_that_is_json),
		cmocka_unit_test(a_line_that_is_cut_anywhere_is_json),
		cmocka_unit_test(no_value_writes_a_control_character_to_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

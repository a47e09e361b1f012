/* SPDX-License-Identifier: MIT */
#include "daemon/cli/qrtext.h"
#include "tests/unit/shown.h"

#include <string.h>

#define LIGHT9 "█████████"

/* Draws a code of @width modules; returns the text, to be freed. */
static char *draw(const uint8_t *modules, size_t width, bool is_coloured)
{
	struct str_out t = { .size = qrtext_size(width) };

	t.out = malloc(t.size);
	assert_non_null(t.out);
	qrtext_put(&t, modules, width, is_coloured);
	assert_true(t.len < t.size);
	return t.out;
}

static void two_rows_are_one_line_within_a_light_margin(void **state)
{
	static const uint8_t one[] = { 1 };
	char *text = draw(one, 1, false);

	(void)state;
	assert_string_equal(text, LIGHT9 "\n" LIGHT9 "\n"
					 "████▄████\n" LIGHT9 "\n" LIGHT9 "\n");
	assert_int_equal(qrtext_columns(1), 9);
	free(text);
}

static void every_pair_of_modules_has_its_block(void **state)
{
	/* Only the lowest bit is the colour: the others say what the module is for. */
	static const uint8_t four[] = { 0x81, 0x80, 0x03, 0x02, /* dark light dark light */
					0x01, 0x01, 0x00, 0x00, /* dark dark light light */
					0,    0,    0,	  0,	0, 0, 0, 0 };
	char *text = draw(four, 4, false);

	(void)state;
	assert_non_null(strstr(text, "\n████ ▀▄█████\n"));
	free(text);
}

static void colours_begin_and_end_on_each_line(void **state)
{
	static const uint8_t one[] = { 1 };
	char *text = draw(one, 1, true);
	size_t n = 0;

	(void)state;
	for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1) {
		*end = '\0';
		assert_int_equal(strncmp(p, "\033[38;5;231;48;5;16m", 18), 0);
		assert_string_equal(end - 4, "\033[0m");
		n++;
	}
	assert_int_equal(n, 5);
	free(text);
}

static void the_largest_code_fits_what_is_said_to_hold_it(void **state)
{
	static uint8_t modules[177 * 177];
	size_t lines = 0;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(modules); i++)
		modules[i] = (uint8_t)(i % 3);
	text = draw(modules, 177, true);
	for (const char *p = strchr(text, '\n'); p; p = strchr(p + 1, '\n'))
		lines++;
	assert_int_equal(lines, (177 + 8 + 1) / 2);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_rows_are_one_line_within_a_light_margin),
		cmocka_unit_test(every_pair_of_modules_has_its_block),
		cmocka_unit_test(colours_begin_and_end_on_each_line),
		cmocka_unit_test(the_largest_code_fits_what_is_said_to_hold_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "common/events.h"

#include <ctype.h>
#include <string.h>

/* The table as it is written, beside what event_info() makes of it. */
static const struct {
	const char *id;
	const char *name;
	const char *component;
	enum log_level level;
	bool is_limited;
	const char *meaning;
} rows[] = {
#define EVENT(id, name, component, level, meaning) \
	{ #id, name, component, LOG_LEVEL_##level, true, meaning },
#define EVENT_EACH(id, name, component, level, meaning) \
	{ #id, name, component, LOG_LEVEL_##level, false, meaning },
#include "common/events.def"
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) == EVENT_COUNT, "one row an event");

static void every_event_is_found_as_it_was_written(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < EVENT_COUNT; i++) {
		struct event_info info = event_info((enum log_event_id)i);

		assert_string_equal(info.name, rows[i].name);
		assert_string_equal(info.component, rows[i].component);
		assert_int_equal(info.level, rows[i].level);
		assert_int_equal(info.is_limited, rows[i].is_limited);
	}
}

static void a_name_is_the_lower_case_of_its_identifier(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < EVENT_COUNT; i++) {
		const char *id = rows[i].id;
		const char *name = rows[i].name;

		assert_int_equal(strlen(id), strlen(name));
		for (; *id; id++, name++)
			assert_int_equal(tolower((unsigned char)*id), *name);
	}
}

static void no_name_is_given_twice(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < EVENT_COUNT; i++)
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(rows[i].name, rows[k].name);
}

static void components_are_one_lower_case_word(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < EVENT_COUNT; i++) {
		size_t len = strspn(rows[i].component, "abcdefghijklmnopqrstuvwxyz");

		assert_true(len > 0 && rows[i].component[len] == '\0');
	}
}

static void every_meaning_is_a_sentence(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < EVENT_COUNT; i++) {
		const char *meaning = rows[i].meaning;

		assert_true(strlen(meaning) > 10);
		assert_int_equal(meaning[strlen(meaning) - 1], '.');
		assert_null(strstr(meaning, "  "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_found_as_it_was_written),
		cmocka_unit_test(a_name_is_the_lower_case_of_its_identifier),
		cmocka_unit_test(no_name_is_given_twice),
		cmocka_unit_test(components_are_one_lower_case_word),
		cmocka_unit_test(every_meaning_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

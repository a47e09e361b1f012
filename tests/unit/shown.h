/* SPDX-License-Identifier: MIT */
/* shown - what a renderer printed, compared with what it should have */
#ifndef TESTS_UNIT_SHOWN_H
#define TESTS_UNIT_SHOWN_H

#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

/**
 * struct shown - A stream into memory
 */
struct shown {
	FILE *out;
	char *text;
	size_t len;
};

static inline FILE *shown_begin(struct shown *s)
{
	s->text = NULL;
	s->out = open_memstream(&s->text, &s->len);
	assert_non_null(s->out);
	return s->out;
}

/* The text, to be freed. */
static inline char *shown_end(struct shown *s)
{
	assert_int_equal(fclose(s->out), 0);
	return s->text;
}

static inline void assert_shown(struct shown *s, const char *want)
{
	char *text = shown_end(s);

	assert_string_equal(text, want);
	free(text);
}

#endif /* TESTS_UNIT_SHOWN_H */

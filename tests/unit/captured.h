/* SPDX-License-Identifier: MIT */
/* captured - what a function writes to standard error */
#ifndef TESTS_UNIT_CAPTURED_H
#define TESTS_UNIT_CAPTURED_H

#include "tests/unit/test.h"

#include <stdio.h>
#include <unistd.h>

/* Runs something with standard error in a file; the text is in a buffer that the next call reuses. */
static inline const char *captured(void (*run)(void))
{
	static char text[256 * 1024];
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_non_null(f);
	assert_int_equal(dup2(fileno(f), STDERR_FILENO), STDERR_FILENO);
	run();
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	n = pread(fileno(f), text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	(void)close(saved);
	(void)fclose(f);
	return text;
}

#endif /* TESTS_UNIT_CAPTURED_H */

/* SPDX-License-Identifier: MIT */
/*
 * fuzz - what the fuzz targets share
 *
 * A target gets bytes as anybody may send them, hands them to parsers in a block of exactly their
 * size, so that a byte too far is seen, and checks what must hold of whatever comes out.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's entry points. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(const int *argc, char ***argv);

/* Something that must hold does not: the input is kept as a crash. */
#define FUZZ_CHECK(what) ((what) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #what))

_Noreturn static inline void fuzz_broken(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* A copy with a NUL at its end; owned by the caller. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Is what a parser says it wrote a string that ends within its room? */
static inline int fuzz_is_text(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

#endif /* TESTS_FUZZ_FUZZ_H */

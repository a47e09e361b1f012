/* SPDX-License-Identifier: MIT */
/* vectors - read tests/data/vectors.json, or $WGMESH_TEST_DATA/vectors.json, in tests */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include "tests/unit/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One section of the vectors; the root is kept until the process ends. */
static inline json_t *vectors_section(const char *name)
{
	static json_t *root;
	const char *dir = getenv("WGMESH_TEST_DATA");
	char path[4096];
	json_error_t error;
	json_t *section;

	if (!root) {
		(void)snprintf(path, sizeof(path), "%s/vectors.json", dir ? dir : "tests/data");
		root = json_load_file(path, 0, &error);
		if (!root)
			fail_msg("%s: %s", path, error.text);
	}
	section = json_object_get(root, name);
	assert_non_null(section);
	return section;
}

/* A string member that must be there. */
static inline const char *vector_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (!text)
		fail_msg("no text \"%s\" in this vector", name);
	return text ? text : "";
}

static inline long long vector_int(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static inline json_t *vector_list(const json_t *object, const char *name)
{
	json_t *list = json_object_get(object, name);

	assert_true(json_array_size(list) > 0);
	return list;
}

static inline size_t from_hex(uint8_t *out, size_t size, const char *hex)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= size);
	for (size_t i = 0; i < n; i++) {
		const char byte[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

static inline void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
	uint8_t want[256];

	assert_int_equal(from_hex(want, sizeof(want), hex), len);
	assert_memory_equal(bytes, want, len);
}

#endif /* TESTS_UNIT_VECTORS_H */

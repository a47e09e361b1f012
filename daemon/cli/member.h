/* SPDX-License-Identifier: MIT */
/*
 * member - read members of an answer that may lack any of them; pure
 *
 * The node that answers may be an older one, or one of the existing nodes, which know fewer.
 */
#ifndef DAEMON_CLI_MEMBER_H
#define DAEMON_CLI_MEMBER_H

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text of a member; "" when it is absent or no text. */
static inline const char *member_text(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* The number of a member; @fallback when it is absent, or no number that fits. */
static inline int64_t member_int(json_t *object, const char *name, int64_t fallback)
{
	json_t *value = json_object_get(object, name);

	if (json_is_real(value))
		return fabs(json_real_value(value)) < 0x1p63 ? (int64_t)json_real_value(value)
							     : fallback;
	return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

/**
 * member_join() - Write the texts of a list as "a,b"
 * @out:	Receives the text; what does not fit is left out
 * @size:	Room in @out
 * @list:	JSON list, may be NULL
 * @between:	What stands between them
 *
 * Return: @out
 */
const char *member_join(char *out, size_t size, json_t *list, const char *between);

#endif /* DAEMON_CLI_MEMBER_H */

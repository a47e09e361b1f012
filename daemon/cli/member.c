/* SPDX-License-Identifier: MIT */
#include "daemon/cli/member.h"
#include "common/str.h"

const char *member_join(char *out, size_t size, json_t *list, const char *between)
{
	struct str_out t = { .out = out, .size = size };
	json_t *item;
	size_t i;

	out[0] = '\0';
	json_array_foreach (list, i, item) {
		const char *text = json_string_value(item);

		if (text)
			str_add(&t, "%s%s", t.len ? between : "", text);
	}
	return out;
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/defs.h"

static const struct exits_row table[] = {
#define EXIT(name, number, meaning, details) { number, meaning },
#include "common/exits.def"
#undef EXIT
};

const struct exits_row *exits_table(size_t *n)
{
	*n = ARRAY_LEN(table);
	return table;
}

const char *exits_meaning(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].code == code)
			return table[i].meaning;
	return NULL;
}

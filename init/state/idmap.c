/* SPDX-License-Identifier: MIT */
#include "init/state/idmap.h"
#include "common/str.h"

#include <stdio.h>
#include <string.h>

struct range {
	uint64_t first;
	uint64_t count;
};

/* A number that ends at a blank or at the end of its line. */
static bool take_number(const char **p, uint64_t *out)
{
	char text[16];
	size_t len;

	*p += strspn(*p, " \t");
	len = strcspn(*p, " \t\n");
	if (len == 0 || len >= sizeof(text))
		return false;
	str_cut(text, sizeof(text), *p, len);
	*p += len;
	return str_parse_u64(out, text, 0, UINT32_MAX) == 0;
}

/* Take the next line that is one. Return: false at the end */
static bool next_range(const char **map, struct range *out)
{
	while (**map) {
		const char *p = *map;
		uint64_t outside;
		bool is_good = take_number(&p, &out->first) && take_number(&p, &outside) &&
			       take_number(&p, &out->count);

		*map += strcspn(*map, "\n");
		*map += **map == '\n' ? 1 : 0;
		if (is_good && out->count > 0)
			return true;
	}
	return false;
}

bool idmap_has(const char *map, uint32_t id)
{
	struct range r;

	while (next_range(&map, &r))
		if (id >= r.first && id - r.first < r.count)
			return true;
	return false;
}

void idmap_describe(const char *map, char *out, size_t size)
{
	struct range r;
	size_t used = 0;

	(void)snprintf(out, size, "none");
	while (used < size && next_range(&map, &r)) {
		const char *comma = used > 0 ? ", " : "";
		unsigned long long first = r.first;
		unsigned long long last = r.first + r.count - 1;
		char text[64];

		if (r.count == 1)
			(void)snprintf(text, sizeof(text), "%s%llu", comma, first);
		else
			(void)snprintf(text, sizeof(text), "%s%llu to %llu", comma, first, last);
		(void)str_copy(out + used, size - used, text);
		used += strlen(text);
	}
}

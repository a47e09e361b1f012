/* SPDX-License-Identifier: MIT */
#include "init/json.h"
#include "common/str.h"

void json_put_string(FILE *out, const char *s)
{
	char escaped[STR_JSON_SIZE];

	(void)fputc('"', out);
	while (*s) {
		s += str_json_escape(escaped, s);
		(void)fputs(escaped, out);
	}
	(void)fputc('"', out);
}

/* SPDX-License-Identifier: MIT */
#include "common/settings.h"

#include <string.h>

#define INDENT	  30 /* where what is said of an option begins */
#define WIDTH	  79
#define LEFT_SIZE 64
#define TEXT_SIZE 400

/* Writes words, the first at column @at, and breaks the lines between them. */
static void put_words(FILE *out, size_t at, const char *text)
{
	bool is_first = true;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (!is_first && at + 1 + len > WIDTH) {
			(void)fprintf(out, "\n%*s", INDENT, "");
			at = INDENT;
		} else if (!is_first) {
			(void)fputc(' ', out);
			at++;
		}
		(void)fprintf(out, "%.*s", (int)len, text);
		at += len;
		text += len + strspn(text + len, " ");
		is_first = false;
	}
}

static void put_row(FILE *out, const struct setting *row)
{
	char left[LEFT_SIZE];
	char text[TEXT_SIZE];
	bool has_default = row->fallback && row->type != SETTING_FLAG;

	(void)snprintf(left, sizeof(left), "%s%s%s%s", row->name ? "--" : "",
		       row->name ? row->name : row->env, row->metavar ? " " : "",
		       row->metavar ? row->metavar : "");
	(void)snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", row->help, row->choices ? " (" : "",
		       row->choices ? row->choices : "", row->choices ? ")" : "",
		       has_default ? " [" : "", has_default ? row->fallback : "",
		       has_default ? "]" : "");
	put_words(out, (size_t)fprintf(out, "  %-*s ", INDENT - 3, left), text);
	if (row->name && row->env)
		(void)fprintf(out, "\n%*s%s", INDENT, "", row->env);
	(void)fputc('\n', out);
}

void settings_help(FILE *out, unsigned int scope)
{
	const struct setting *table = settings_table();
	bool has_idle = false;

	for (size_t id = 0; id < SETTING_COUNT; id++) {
		bool is_idle = (table[id].scope & SCOPE_NO_EFFECT) != 0;

		if ((table[id].scope & scope) && !is_idle)
			put_row(out, &table[id]);
		has_idle = has_idle || ((table[id].scope & scope) && is_idle);
	}
	if (has_idle)
		(void)fputs("\nFor command lines of existing nodes:\n", out);
	for (size_t id = 0; id < SETTING_COUNT; id++)
		if ((table[id].scope & scope) && (table[id].scope & SCOPE_NO_EFFECT))
			put_row(out, &table[id]);
}

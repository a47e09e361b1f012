/* SPDX-License-Identifier: MIT */
#include "daemon/doctor/report.h"
#include "common/defs.h"
#include "common/exits.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#define NAME_WIDTH   12
#define INDENT	     (6 + NAME_WIDTH + 1)
#define NARROWEST    24 /* columns that a text needs at least, or it is not broken */
#define ARROW	     " -> "
#define WHOLE_LENGTH ((2 * REPORT_TEXT_SIZE) + sizeof(ARROW))

static const char *const names[] = {
	[REPORT_PASS] = "pass",
	[REPORT_SKIP] = "skip",
	[REPORT_WARN] = "warn",
	[REPORT_FAIL] = "fail",
};

const char *report_result_name(enum report_result result)
{
	return names[result];
}

/* Host names, file names and answers of others are in it: none of them may command a terminal. */
static void keep_printable(char *text)
{
	for (char *p = text; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
}

static struct report_line *add(struct report *r, enum report_result result, const char *name)
{
	struct report_line *line = &r->lines[r->n];

	if (r->n == REPORT_MAX)
		return NULL;
	r->n++;
	*line = (struct report_line) { .name = name, .result = result };
	return line;
}

void report_say(struct report *r, enum report_result result, const char *name, const char *fmt, ...)
{
	struct report_line *line = add(r, result, name);
	va_list ap;

	if (!line)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line->text, sizeof(line->text), fmt, ap);
	va_end(ap);
	keep_printable(line->text);
}

void report_fail(struct report *r, int exit_code, const char *name, const char *fmt, ...)
{
	struct report_line *line = add(r, REPORT_FAIL, name);
	va_list ap;

	if (!line)
		return;
	line->exit_code = exit_code;
	va_start(ap, fmt);
	(void)vsnprintf(line->text, sizeof(line->text), fmt, ap);
	va_end(ap);
	keep_printable(line->text);
}

void report_cure(struct report *r, const char *fmt, ...)
{
	struct report_line *line = &r->lines[r->n > 0 ? r->n - 1 : 0];
	va_list ap;

	/* The line that this belongs to may have found no room. */
	if (r->n == 0 || line->cure[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line->cure, sizeof(line->cure), fmt, ap);
	va_end(ap);
	keep_printable(line->cure);
}

enum report_result report_worst(const struct report *r)
{
	enum report_result worst = REPORT_PASS;

	for (size_t i = 0; i < r->n; i++)
		if (r->lines[i].result > worst && r->lines[i].result != REPORT_SKIP)
			worst = r->lines[i].result;
	return worst;
}

int report_exit_code(const struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->lines[i].result == REPORT_FAIL && r->lines[i].exit_code != EXITS_FAILURE)
			return r->lines[i].exit_code;
	return report_worst(r) == REPORT_FAIL ? EXITS_FAILURE : EXITS_OK;
}

/* Breaks between words; a word that is longer than a line has one to itself. */
static void print_broken(FILE *out, const char *text, size_t room)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > room) {
			(void)fprintf(out, "\n%*s", INDENT, "");
			column = 0;
		}
		(void)fprintf(out, "%s%.*s", column > 0 ? " " : "", (int)len, text);
		column += len + (column > 0 ? 1 : 0);
		text += len + strspn(text + len, " ");
	}
	(void)fputc('\n', out);
}

void report_print(FILE *out, const struct report *r, size_t width)
{
	int code = report_exit_code(r);
	char whole[WHOLE_LENGTH];

	for (size_t i = 0; i < r->n; i++) {
		const struct report_line *line = &r->lines[i];

		(void)snprintf(whole, sizeof(whole), "%s%s%s", line->text,
			       line->cure[0] ? ARROW : "", line->cure);
		(void)fprintf(out, "%-4s  %-*s ", names[line->result], NAME_WIDTH, line->name);
		if (width < INDENT + NARROWEST)
			(void)fprintf(out, "%s\n", whole);
		else
			print_broken(out, whole, width - INDENT);
	}
	(void)fprintf(out, "\nworst: %s", names[report_worst(r)]);
	if (code != EXITS_OK)
		(void)fprintf(out, ", exit code %d", code);
	(void)fputc('\n', out);
}

void report_print_json(FILE *out, const struct report *r)
{
	json_t *obj = json_object();
	json_t *checks = json_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct report_line *line = &r->lines[i];
		json_t *one = json_object();

		(void)json_object_set_new(one, "name", json_string(line->name));
		(void)json_object_set_new(one, "result", json_string(names[line->result]));
		(void)json_object_set_new(one, "text", json_string(line->text));
		(void)json_object_set_new(one, "cure", json_string(line->cure));
		(void)json_array_append_new(checks, one);
	}
	(void)json_object_set_new(obj, "checks", checks);
	(void)json_object_set_new(obj, "worst", json_string(names[report_worst(r)]));
	(void)json_object_set_new(obj, "exit_code", json_integer(report_exit_code(r)));
	(void)json_dumpf(obj, out, JSON_INDENT(2));
	(void)fputc('\n', out);
	json_decref(obj);
}

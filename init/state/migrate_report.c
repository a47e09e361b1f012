/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "init/json.h"
#include "init/state/migrate.h"

#include <stdlib.h>
#include <string.h>

const char *migrate_action_name(enum migrate_action action)
{
	static const char *const names[] = {
		[MIGRATE_COPIED] = "copied",
		[MIGRATE_WOULD_COPY] = "would-copy",
		[MIGRATE_PRESENT] = "present",
		[MIGRATE_KEPT_ASIDE] = "kept-aside",
		[MIGRATE_WOULD_KEEP_ASIDE] = "would-keep-aside",
		[MIGRATE_REFUSED] = "refused",
		[MIGRATE_UNKNOWN] = "unknown",
	};

	_Static_assert(ARRAY_LEN(names) == MIGRATE_ACTION_COUNT, "a word for every action");
	return names[action];
}

static int compare_names(const void *a, const void *b)
{
	const struct migrate_file *x = a;
	const struct migrate_file *y = b;

	return strcmp(x->name, y->name);
}

void migrate_sort(struct migrate_report *report)
{
	qsort(report->files, report->n, sizeof(report->files[0]), compare_names);
}

static unsigned int count_all(const struct migrate_report *report)
{
	unsigned int n = 0;

	for (size_t i = 0; i < MIGRATE_ACTION_COUNT; i++)
		n += report->totals[i];
	return n;
}

void migrate_put_text(FILE *out, const struct migrate_report *report)
{
	unsigned int all = count_all(report);

	for (size_t i = 0; i < report->n; i++) {
		const struct migrate_file *f = &report->files[i];

		(void)fprintf(out, "%-16s %s, %llu bytes%s%s\n", migrate_action_name(f->action),
			      f->name, (unsigned long long)f->bytes, f->note[0] ? ": " : "",
			      f->note);
	}
	if (all > report->n)
		(void)fprintf(out, "and %zu more\n", all - report->n);
}

static void put_file(FILE *out, const struct migrate_file *f)
{
	(void)fputs("{\"name\":", out);
	json_put_string(out, f->name);
	(void)fprintf(out,
		      ",\"action\":\"%s\",\"bytes\":%llu,\"note\":", migrate_action_name(f->action),
		      (unsigned long long)f->bytes);
	json_put_string(out, f->note);
	(void)fputc('}', out);
}

void migrate_put_json(FILE *out, const struct migrate_report *report)
{
	(void)fputs("\"files\":[", out);
	for (size_t i = 0; i < report->n; i++) {
		if (i > 0)
			(void)fputc(',', out);
		put_file(out, &report->files[i]);
	}
	(void)fputs("],\"totals\":{", out);
	for (size_t i = 0; i < MIGRATE_ACTION_COUNT; i++)
		(void)fprintf(out, "\"%s\":%u,", migrate_action_name((enum migrate_action)i),
			      report->totals[i]);
	(void)fprintf(out, "\"bytes\":%llu,\"omitted\":%zu}", (unsigned long long)report->bytes,
		      count_all(report) - report->n);
}

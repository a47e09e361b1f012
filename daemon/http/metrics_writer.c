/* SPDX-License-Identifier: MIT */
#include "daemon/http/metrics_writer.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define NUMBER_SIZE 32

void metrics_begin(struct metrics_writer *w, FILE *out, enum metrics_form form)
{
	*w = (struct metrics_writer) { .out = out, .form = form, .last = METRIC_COUNT };
}

/* OpenMetrics names the family, without what its type adds to the name of its samples. */
static int family_length(const struct metrics_writer *w, const struct metric_family *f)
{
	static const char *const endings[] = { [METRIC_COUNTER] = "_total",
					       [METRIC_INFO] = "_info",
					       [METRIC_GAUGE] = "",
					       [METRIC_HISTOGRAM] = "" };
	size_t len = strlen(f->name);

	return (int)(w->form == METRICS_OPENMETRICS ? len - strlen(endings[f->type]) : len);
}

static void put_head(struct metrics_writer *w, enum metric_id id)
{
	const struct metric_family *f = &metrics_table()[id];
	bool is_open = w->form == METRICS_OPENMETRICS;
	int len = family_length(w, f);

	if (w->last == id)
		return;
	w->last = id;
	(void)fprintf(w->out, "# HELP %.*s ", len, f->name);
	for (const char *c = f->help; *c; c++)
		(void)fprintf(w->out, "%s%c", is_open && *c == '"' ? "\\" : "", *c);
	(void)fprintf(
		w->out, "\n# TYPE %.*s %s\n", len, f->name,
		metric_type_name(!is_open && f->type == METRIC_INFO ? METRIC_GAUGE : f->type));
	if (is_open && f->unit[0])
		(void)fprintf(w->out, "# UNIT %.*s %s\n", len, f->name, f->unit);
}

/* Not everything that somebody calls himself is UTF-8, and one byte that is not spoils a scrape. */
static void put_label_value(FILE *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		unsigned char u = (unsigned char)*c;

		if (*c == '\\' || *c == '"')
			(void)fprintf(out, "\\%c", *c);
		else if (*c == '\n')
			(void)fputs("\\n", out);
		else
			(void)fputc(u < 0x20 || u > 0x7e ? '?' : *c, out);
	}
}

static void put_labels(FILE *out, const struct metric_label *labels)
{
	const char *before = "{";

	for (const struct metric_label *l = labels; l && l->name; l++) {
		if (!l->value || !l->value[0])
			continue;
		(void)fprintf(out, "%s%s=\"", before, l->name);
		put_label_value(out, l->value);
		(void)fputc('"', out);
		before = ",";
	}
	if (before[0] == ',')
		(void)fputc('}', out);
}

/* A bound of one second is "1.0" in both forms, or they were two series. */
static void format_number(char out[static NUMBER_SIZE], double value)
{
	(void)snprintf(out, NUMBER_SIZE, "%.15g", value);
	if (!strpbrk(out, ".einf"))
		(void)snprintf(out, NUMBER_SIZE, "%.15g.0", value);
}

void metrics_count(struct metrics_writer *w, enum metric_id id, const struct metric_label *labels,
		   uint64_t n)
{
	put_head(w, id);
	(void)fputs(metrics_table()[id].name, w->out);
	put_labels(w->out, labels);
	(void)fprintf(w->out, " %" PRIu64 "\n", n);
}

void metrics_value(struct metrics_writer *w, enum metric_id id, const struct metric_label *labels,
		   double value)
{
	char text[NUMBER_SIZE];

	put_head(w, id);
	(void)fputs(metrics_table()[id].name, w->out);
	put_labels(w->out, labels);
	format_number(text, value);
	(void)fprintf(w->out, " %s\n", text);
}

void metrics_histogram(struct metrics_writer *w, enum metric_id id, const struct histogram *h)
{
	const char *name = metrics_table()[id].name;
	char text[NUMBER_SIZE];
	uint64_t n = 0;

	put_head(w, id);
	for (size_t i = 0; i < h->n_bounds; i++) {
		n += h->counts[i];
		format_number(text, h->bounds[i]);
		(void)fprintf(w->out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, text, n);
	}
	(void)fprintf(w->out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, h->n);
	format_number(text, h->sum);
	(void)fprintf(w->out, "%s_sum %s\n%s_count %" PRIu64 "\n", name, text, name, h->n);
}

void metrics_end(struct metrics_writer *w)
{
	if (w->form == METRICS_OPENMETRICS)
		(void)fputs("# EOF\n", w->out);
}

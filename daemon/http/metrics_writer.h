/* SPDX-License-Identifier: MIT */
/* metrics_writer - samples as text, in the form that a client wants; pure */
#ifndef DAEMON_HTTP_METRICS_WRITER_H
#define DAEMON_HTTP_METRICS_WRITER_H

#include "daemon/http/metrics.h"
#include "daemon/http/metrics_table.h"
#include "daemon/view/histogram.h"

#include <stdint.h>
#include <stdio.h>

/**
 * struct metric_label - One label of a sample
 * @name:	Name; NULL ends a list
 * @value:	Text of anybody's; borrowed; NULL or empty leaves the label out
 */
struct metric_label {
	const char *name;
	const char *value;
};

/* METRIC_LABELS({ "fate", name }, ...): the labels of one sample. */
/* clang-format off */
#define METRIC_LABELS(...) (const struct metric_label[]){ __VA_ARGS__, { NULL, NULL } }
/* clang-format on */

/**
 * struct metrics_writer - Metrics being written
 * @out:	Stream
 * @form:	Form
 * @last:	Family that is being written; METRIC_COUNT before the first
 */
struct metrics_writer {
	FILE *out;
	enum metrics_form form;
	enum metric_id last;
};

void metrics_begin(struct metrics_writer *w, FILE *out, enum metrics_form form);

/**
 * metrics_count() - Write a sample that is a whole number
 * @w:		Writer
 * @id:		Family; all samples of one follow each other, and its head comes before the first
 * @labels:	METRIC_LABELS(...), or NULL
 * @n:		Value
 */
void metrics_count(struct metrics_writer *w, enum metric_id id, const struct metric_label *labels,
		   uint64_t n);

/**
 * metrics_value() - Write a sample that may be a fraction
 * @w:		Writer
 * @id:		Family
 * @labels:	METRIC_LABELS(...), or NULL
 * @value:	Value
 */
void metrics_value(struct metrics_writer *w, enum metric_id id, const struct metric_label *labels,
		   double value);

/**
 * metrics_histogram() - Write a histogram: its buckets, their sum and count
 * @w:		Writer
 * @id:		Family
 * @h:		Histogram
 */
void metrics_histogram(struct metrics_writer *w, enum metric_id id, const struct histogram *h);

/**
 * metrics_end() - Write what the form ends with
 */
void metrics_end(struct metrics_writer *w);

#endif /* DAEMON_HTTP_METRICS_WRITER_H */

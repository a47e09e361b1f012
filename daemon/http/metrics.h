/* SPDX-License-Identifier: MIT */
/* metrics - a view of the node as Prometheus reads it; pure */
#ifndef DAEMON_HTTP_METRICS_H
#define DAEMON_HTTP_METRICS_H

#include "daemon/http/process.h"
#include "daemon/view/view.h"

#include <stdio.h>

enum metrics_form {
	METRICS_PROMETHEUS,  /* text format 0.0.4 */
	METRICS_OPENMETRICS, /* OpenMetrics 1.0.0 */
};

/**
 * metrics_choose_form() - The form that a client wants
 * @accept:	Its Accept header; NULL when it has none
 */
enum metrics_form metrics_choose_form(const char *accept);

/* The Content-Type of a form. */
const char *metrics_content_type(enum metrics_form form);

/**
 * struct metrics_source - What is to be told
 * @view:	The node
 * @process:	This process
 * @n_peers:	How many peers get series of their own; the others are summed up as "other"
 */
struct metrics_source {
	const struct view *view;
	const struct process_facts *process;
	size_t n_peers;
};

/**
 * metrics_render() - Write all families that have a value
 * @out:	Stream; its error flag tells whether all of it was written
 * @from:	What is to be told
 * @form:	Form
 *
 * Peers with series of their own are those that came first, so that a series stays with its peer.
 * Their label is the first 8 characters of the key, or as many as it takes to be unique.
 */
void metrics_render(FILE *out, const struct metrics_source *from, enum metrics_form form);

#endif /* DAEMON_HTTP_METRICS_H */

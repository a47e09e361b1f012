/* SPDX-License-Identifier: MIT */
/* sections - the parts of the manual that are made from the tables in the source */
#ifndef DOCS_GEN_SECTIONS_H
#define DOCS_GEN_SECTIONS_H

#include "docs/gen/text.h"

/* Writes one section. */
typedef void section_fn(const struct doc *d);

section_fn section_init_commands;
section_fn section_init_options;
section_fn section_commands;
section_fn section_options;
section_fn section_variables;
section_fn section_exit_codes;
section_fn section_status_keys;
section_fn section_events;
section_fn section_metrics;
section_fn section_endpoints;
section_fn section_methods;

/**
 * section_find() - The section of a name that stands in a page, or NULL
 */
section_fn *section_find(const char *name);

#endif /* DOCS_GEN_SECTIONS_H */

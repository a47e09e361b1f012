/* SPDX-License-Identifier: MIT */
/* voltext - say what a storage verdict means and what to change, one sentence a line; pure */
#ifndef INIT_VOLTEXT_H
#define INIT_VOLTEXT_H

#include "init/volume.h"

#include <stddef.h>

#define VOLTEXT_LINES 8

/**
 * struct voltext - Lines for an operator
 * @n:		Lines used
 * @line:	Each a sentence without a full stop
 */
struct voltext {
	size_t n;
	char line[VOLTEXT_LINES][400];
};

/**
 * voltext_explain() - Explain a verdict other than "persistent"
 * @v:		Verdict
 * @dir:	State directory, as configured
 * @other:	Persistent mount that may have been meant, or ""
 * @out:	Receives the lines: what it is, what will happen, what to change
 */
void voltext_explain(const struct volume *v, const char *dir, const char *other,
		     struct voltext *out);

#endif /* INIT_VOLTEXT_H */

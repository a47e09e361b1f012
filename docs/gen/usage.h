/* SPDX-License-Identifier: MIT */
/* usage - what a command of wgmesh prints when it is asked for help, without its options */
#ifndef DOCS_GEN_USAGE_H
#define DOCS_GEN_USAGE_H

#include "daemon/cli/cli.h"

#include <stddef.h>

/**
 * struct usage - A command's own explanation
 * @line:	"wgmesh join [OPTIONS]"
 * @about:	The lines below: paragraphs, and examples, which are indented
 */
struct usage {
	char line[256];
	char about[8192];
};

/**
 * usage_read() - Ask a command
 * @out:	Receives its explanation
 * @run:	Command
 * @verb:	Verb, or NULL
 *
 * Return: 0, or a negative errno value; -ENODATA for a command that explains nothing
 */
int usage_read(struct usage *out, cli_fn *run, const char *verb);

#endif /* DOCS_GEN_USAGE_H */

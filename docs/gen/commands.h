/* SPDX-License-Identifier: MIT */
/* commands - the commands of both programs, by whose options they take */
#ifndef DOCS_GEN_COMMANDS_H
#define DOCS_GEN_COMMANDS_H

#include <stddef.h>

/**
 * struct scoped - A command, or a verb of one
 * @name:	"state verify"
 * @scope:	Whose options it takes (settings.h)
 */
struct scoped {
	char name[48];
	unsigned int scope;
};

#define SCOPED_MAX 48

/**
 * commands_of_init() - What wgmesh-init can be told to do; the first one is to start a program
 * @out:	Receives the commands that take options
 *
 * Return: how many there are
 */
size_t commands_of_init(struct scoped out[static SCOPED_MAX]);

/**
 * commands_of_wgmesh() - The same of wgmesh
 */
size_t commands_of_wgmesh(struct scoped out[static SCOPED_MAX]);

#endif /* DOCS_GEN_COMMANDS_H */

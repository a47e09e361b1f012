/* SPDX-License-Identifier: MIT */
/* commands - every command of wgmesh in one table, for main(), for the shells and for the manual */
#ifndef DAEMON_CLI_COMMANDS_H
#define DAEMON_CLI_COMMANDS_H

#include "daemon/cli/cli.h"

/* What stands behind the flags. */
enum cli_operand {
	OPERAND_NONE,
	OPERAND_FILE,
	OPERAND_PEER,	  /* a public key, the beginning of one, or a host name */
	OPERAND_LEVELS,	  /* "info,exchange=debug" */
	OPERAND_SNAPSHOT, /* a name, a number or "latest" */
};

/**
 * struct cli_verb - What a command can be told to do
 * @name:	Word behind the command; NULL ends a list
 * @about:	One line
 * @scope:	Whose options it takes
 * @operand:	What stands behind them
 */
struct cli_verb {
	const char *name;
	const char *about;
	unsigned int scope;
	enum cli_operand operand;
};

/**
 * struct cli_command - One command
 * @name:	First word behind wgmesh; NULL ends the list
 * @run:	Runs it
 * @about:	One line
 * @scope:	Whose options it takes; 0 for one that takes none, or whose verbs do
 * @operand:	What stands behind them
 * @verbs:	Its verbs; NULL without any
 */
struct cli_command {
	const char *name;
	cli_fn *run;
	const char *about;
	unsigned int scope;
	enum cli_operand operand;
	const struct cli_verb *verbs;
};

/**
 * cli_commands() - The table, in the order of the help
 */
const struct cli_command *cli_commands(void);

/**
 * cli_find() - A command by its name, or NULL
 */
const struct cli_command *cli_find(const char *name);

#endif /* DAEMON_CLI_COMMANDS_H */

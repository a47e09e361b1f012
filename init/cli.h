/* SPDX-License-Identifier: MIT */
/* cli - the subcommands of wgmesh-init, and its help */
#ifndef INIT_CLI_H
#define INIT_CLI_H

#include <stdbool.h>
#include <stdio.h>

/**
 * cli_run() - Run a subcommand, if there is one
 * @argv:	Arguments of the program, NULL at the end
 * @envp:	Environment
 * @exit_code:	Receives the exit code
 *
 * Return: false when the first argument is no subcommand: then it is a PROGRAM or an option
 */
bool cli_run(char **argv, char **envp, int *exit_code);

/**
 * cli_help() - Print the help
 * @out:	Stream
 * @scope:	The command's scope (settings.h)
 */
void cli_help(FILE *out, unsigned int scope);

#endif /* INIT_CLI_H */

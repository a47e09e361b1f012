/* SPDX-License-Identifier: MIT */
/* cli - the subcommands of wgmesh-init, and its help */
#ifndef INIT_CLI_H
#define INIT_CLI_H

#include <stdbool.h>

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
 * cli_help() - Print the help of the program as a whole
 */
void cli_help(void);

#endif /* INIT_CLI_H */

/* SPDX-License-Identifier: MIT */
/* commands - what the subcommands do; each takes the arguments after its name */
#ifndef INIT_COMMANDS_H
#define INIT_COMMANDS_H

/**
 * commands_check() - Run every start-up check, change nothing, print a report
 *
 * Return: exit code: 0, or that of the first check that would refuse a start
 */
int commands_check(char **argv, char **envp);

/**
 * commands_migrate() - The migration alone
 *
 * Return: exit code
 */
int commands_migrate(char **argv, char **envp);

/**
 * commands_fix_permissions() - Owner and mode of the state directory alone
 *
 * Return: exit code
 */
int commands_fix_permissions(char **argv, char **envp);

/**
 * commands_healthcheck() - Ask PID 1 whether all is well
 *
 * Return: 0 healthy, 1 not; nothing else, because engines reserve 2
 */
int commands_healthcheck(char **argv, char **envp);

/**
 * commands_status() - Print what PID 1 knows
 *
 * Return: exit code
 */
int commands_status(char **argv, char **envp);

#endif /* INIT_COMMANDS_H */

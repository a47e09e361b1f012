/* SPDX-License-Identifier: MIT */
/* cli - the subcommands of wgmesh; each takes its own arguments and returns an exit code */
#ifndef DAEMON_CLI_CLI_H
#define DAEMON_CLI_CLI_H

#include "common/err.h"
#include "common/settings.h"

#include <stdbool.h>

#define CLI_SENTENCE_SIZE 512

/* argv[0] is the first argument after the command's name. */
typedef int cli_fn(int argc, char **argv);

cli_fn cli_completion;
cli_fn cli_decode;
cli_fn cli_doctor;
cli_fn cli_down;
cli_fn cli_init;
cli_fn cli_join;
cli_fn cli_log_level;
cli_fn cli_peers;
cli_fn cli_qr;
cli_fn cli_reload;
cli_fn cli_state;
cli_fn cli_status;
cli_fn cli_test_peer;
cli_fn cli_version;

/**
 * struct cli_usage - How a command is explained
 * @name:	"wgmesh join"
 * @synopsis:	What follows the name
 * @about:	What it does, and an example; whole lines
 * @scope:	Whose options are listed
 */
struct cli_usage {
	const char *name;
	const char *synopsis;
	const char *about;
	unsigned int scope;
};

/**
 * cli_parse() - Read environment and flags of a command
 * @s:		Receives the settings
 * @u:		The command
 * @argc:	Entries in @argv
 * @argv:	Arguments
 * @exit_code:	Receives the exit code when the command is not to run: help, or wrong usage
 *
 * Return: index of the first argument that is no flag, or -1
 */
int cli_parse(struct settings *s, const struct cli_usage *u, int argc, char **argv, int *exit_code);

/**
 * cli_parse_alone() - The same for a command that takes no argument; one is refused
 *
 * Return: 0 or -1
 */
int cli_parse_alone(struct settings *s, const struct cli_usage *u, int argc, char **argv,
		    int *exit_code);

/**
 * cli_parse_more() - Read flags that stand behind a verb; those before it keep their effect
 *
 * Return: like cli_parse()
 */
int cli_parse_more(struct settings *s, const struct cli_usage *u, int argc, char **argv,
		   int *exit_code);

/**
 * cli_sentence() - What went wrong, for people
 * @out:	Receives the reason, and the system's word for it where that helps
 * @e:		Reason; borrowed
 *
 * Return: @out
 */
const char *cli_sentence(char out[static CLI_SENTENCE_SIZE], const struct err *e);

/**
 * cli_fail() - Say on standard error what went wrong
 *
 * Return: exit code that @e asks for, or @fallback
 */
int cli_fail(const struct err *e, int fallback);

/**
 * cli_usage_error() - Say what is wrong with the command line
 *
 * Return: EXITS_USAGE
 */
__attribute__((format(printf, 1, 2))) int cli_usage_error(const char *fmt, ...);

/**
 * cli_log_init() - Set up logging as the settings say; an unknown level is said and ignored
 */
void cli_log_init(const struct settings *s);

/**
 * cli_call() - Ask the running node over its control socket
 * @out:	Receives the result, a json_t owned by the caller
 * @path:	Control socket
 * @method:	Method
 * @pubkey:	Parameter "pubkey", or NULL
 * @e:		Receives the reason on failure
 *
 * Return: 0, -ENOENT when the node answers with an error, or another negative errno value
 */
int cli_call(void **out, const char *path, const char *method, const char *pubkey, struct err *e);

#endif /* DAEMON_CLI_CLI_H */

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/commands.h"
#include "daemon/wire/crypto.h"
#include "daemon/wire/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void print_help(FILE *out)
{
	(void)fputs("Usage: wgmesh COMMAND [OPTIONS]\n\n"
		    "A WireGuard mesh from one shared secret.\n\n",
		    out);
	for (const struct cli_command *c = cli_commands(); c->name; c++)
		(void)fprintf(out, "  %-10s %s\n", c->name, c->about);
	(void)fputs("\nBegin with `wgmesh init --secret`; `wgmesh help COMMAND` explains each.\n",
		    out);
}

/* Existing nodes take these anywhere on the command line (protocol.md section 16). */
static bool wants_version(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-v") == 0)
			return true;
	return false;
}

static bool wants_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0 || strcmp(arg, "-help") == 0 ||
	       strcmp(arg, "help") == 0;
}

/*
 * Most commands hold a secret, a passphrase or a private key: neither a core dump nor another process
 * of this user may see it. A pipe as core_pattern ignores the limit, and no limit stops ptrace(2).
 */
static void protect_process(void)
{
	static const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A table that was cut short, or an undo line that nobody got, is no success. */
static int finish(int code)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	(void)fprintf(stderr, "wgmesh: standard output cannot be written%s%s\n", errno ? ": " : "",
		      errno ? strerror(errno) : "");
	return code == EXITS_OK ? EXITS_IO : code;
}

static int refuse_command(const char *name)
{
	return cli_usage_error("there is no command \"%.40s\"; `wgmesh --help` lists them", name);
}

/* "help state verify" is "state verify --help". */
static int explain(int argc, char **argv)
{
	static char help[] = "--help";
	const struct cli_command *command = argc > 0 ? cli_find(argv[0]) : NULL;
	char *words[] = { argc > 1 ? argv[1] : help, help, NULL };

	if (command)
		return command->run(argc > 1 ? 2 : 1, words);
	if (argc > 0 && !wants_help(argv[0]))
		return refuse_command(argv[0]);
	print_help(stdout);
	return EXITS_OK;
}

int main(int argc, char **argv)
{
	const struct cli_command *command;

	protect_process();
	if (wants_version(argc, argv))
		return cli_version(0, NULL);
	if (argc < 2) {
		print_help(stderr);
		return EXITS_USAGE;
	}
	if (wants_help(argv[1]))
		return finish(explain(argc - 2, argv + 2));
	if (crypto_init() < 0) {
		(void)fputs("wgmesh: the system gives no random numbers\n", stderr);
		return EXITS_SYSTEM;
	}
	json_init();
	command = cli_find(argv[1]);
	if (command)
		return finish(command->run(argc - 2, argv + 2));
	return refuse_command(argv[1]);
}

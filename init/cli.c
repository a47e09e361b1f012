/* SPDX-License-Identifier: MIT */
#include "init/cli.h"
#include "common/defs.h"
#include "common/exits.h"
#include "common/settings.h"
#include "init/commands.h"

#include <errno.h>
#include <string.h>

struct command {
	const char *name;
	int (*run)(char **argv, char **envp);
	unsigned int scope;
	const char *about;
};

static int run_version(char **argv, char **envp)
{
	(void)argv;
	(void)envp;
	(void)puts("wgmesh-init version " WGMESH_VERSION);
	return EXITS_OK;
}

static int run_help(char **argv, char **envp);

static const struct command commands[] = {
#define COMMAND(name, run, scope, about, details) { name, run, scope, about },
#include "init/commands.def"
#undef COMMAND
};

static const struct command aliases[] = {
	{ "--version", run_version, 0, NULL },
	{ "-v", run_version, 0, NULL },
};

static const struct command *find(const struct command *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

static void help_command(const struct command *c)
{
	(void)printf("Usage: wgmesh-init %s%s\n\n  %s\n", c->name, c->scope ? " [OPTIONS]" : "",
		     c->about);
	if (!c->scope)
		return;
	(void)puts("\nOptions (the flag wins over the variable):");
	settings_help(stdout, c->scope);
}

static int run_help(char **argv, char **envp)
{
	const struct command *c = argv[0] ? find(commands, ARRAY_LEN(commands), argv[0]) : NULL;

	(void)envp;
	if (c)
		help_command(c);
	else
		cli_help();
	return EXITS_OK;
}

static bool wants_help(char **argv)
{
	for (; *argv; argv++)
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-help") == 0 ||
		    strcmp(*argv, "-h") == 0)
			return true;
	return false;
}

bool cli_run(char **argv, char **envp, int *exit_code)
{
	const struct command *c = NULL;

	if (argv[0] && argv[1])
		c = find(commands, ARRAY_LEN(commands), argv[1]);
	if (c && wants_help(argv + 2)) {
		help_command(c);
		*exit_code = EXITS_OK;
		return true;
	}
	if (!c && argv[0] && argv[1])
		c = find(aliases, ARRAY_LEN(aliases), argv[1]);
	if (!c)
		return false;
	*exit_code = c->run(argv + 2, envp);
	return true;
}

void cli_help(void)
{
	const struct exits_row *codes;
	size_t n = 0;

	(void)puts(
		"wgmesh-init runs as PID 1 of a container: it makes sure that the node's\n"
		"WireGuard identity lasts, then starts, watches, restarts and stops a program.\n\n"
		"  wgmesh-init [OPTIONS] [--] PROGRAM [ARG...]\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)printf("  wgmesh-init %-16s %s\n", commands[i].name, commands[i].about);
	(void)puts(
		"\nExamples\n"
		"  wgmesh-init wgmesh join --secret-file /run/secrets/mesh_secret\n"
		"  wgmesh-init --persistence=require wgmesh join     only on storage that lasts\n"
		"  wgmesh-init --state-dir=none -- sh -c 'sleep 10'  any program, supervised\n"
		"  wgmesh-init --state-dir=none --restart=never sh   nothing but a wrapper\n"
		"  wgmesh-init check                                 will the key last here?\n\n"
		"TERM, INT and QUIT stop the program, a second one kills it; other signals are\n"
		"passed on. Keep --stop-timeout below the engine's own: Docker kills after 10 s,\n"
		"Kubernetes after 30.\n\n"
		"Options; each has a variable too, and the option wins. TIME: 500ms, 8s, 2m, 1h");
	settings_help(stdout, SCOPE_INIT);
	(void)puts("\nExit codes: the program's own; 128+n where signal n ended it; and");
	codes = exits_table(&n);
	for (size_t i = 0; i < n; i++)
		if (codes[i].code > EXITS_FAILURE)
			(void)printf("  %3d  %s\n", codes[i].code, codes[i].meaning);
}

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
	const char *help;
};

static int run_version(char **argv, char **envp)
{
	(void)argv;
	(void)envp;
	(void)puts("wgmesh-init version " WGMESH_VERSION);
	return EXITS_OK;
}

static int run_help(char **argv, char **envp)
{
	(void)argv;
	(void)envp;
	cli_help(stdout, SCOPE_INIT);
	return EXITS_OK;
}

/* clang-format off */
static const struct command commands[] = {
	{ "check", commands_check, "run every start-up check, change nothing, print a report" },
	{ "migrate", commands_migrate, "the migration alone (--dry-run changes nothing, --json reports)" },
	{ "fix-permissions", commands_fix_permissions, "owner and mode of the state alone, for an init container" },
	{ "healthcheck", commands_healthcheck, "exit 0 when the program is up and ready, 1 when not" },
	{ "status", commands_status, "storage, program, restarts, why it last ended (--json)" },
	{ "version", run_version, "print the version" },
};

static const struct command aliases[] = {
	{ "--version", run_version, NULL },
	{ "-v", run_version, NULL },
	{ "help", run_help, NULL },
};
/* clang-format on */

static const struct command *find(const struct command *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

bool cli_run(char **argv, char **envp, int *exit_code)
{
	const struct command *c = NULL;

	if (argv[0] && argv[1])
		c = find(commands, ARRAY_LEN(commands), argv[1]);
	if (!c && argv[0] && argv[1])
		c = find(aliases, ARRAY_LEN(aliases), argv[1]);
	if (!c)
		return false;
	*exit_code = c->run(argv + 2, envp);
	return true;
}

static void help_overview(FILE *out)
{
	(void)fputs("wgmesh-init runs as PID 1 of a container: it makes sure that the node's "
		    "WireGuard identity\nlasts, then starts, watches, restarts and stops the "
		    "program.\n\n"
		    "  wgmesh-init [OPTIONS] [--] PROGRAM [ARG...]\n\n",
		    out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(out, "  wgmesh-init %-16s %s\n", commands[i].name, commands[i].help);
	(void)fputs(
		"\nExamples\n"
		"  wgmesh-init wgmesh join --secret-file /run/secrets/mesh_secret\n"
		"  wgmesh-init --persistence=require wgmesh join      refuse storage that will "
		"not last\n"
		"  wgmesh-init --state-dir=none -- sh -c 'sleep 10'   any program, nothing but "
		"a supervisor\n"
		"  wgmesh-init --state-dir=none --restart=never -- sh nothing but a wrapper\n"
		"  wgmesh-init check                                  will this container keep "
		"its key?\n\n"
		"Signals: TERM, INT and QUIT stop the program, a second one kills it; others are passed on. Keep\n"
		"--stop-timeout below the engine's own: docker kills after 10 s, Kubernetes after 30.\n\n"
		"Options; each has an environment variable too, and the option wins. TIME is as "
		"in 500ms, 8s, 2m\n",
		out);
}

void cli_help(FILE *out, unsigned int scope)
{
	if (scope == SCOPE_INIT)
		help_overview(out);
	else
		(void)fputs("Options\n", out);
	settings_help(out, scope);
	if (scope == SCOPE_INIT)
		(void)fputs(
			"\nExit codes: the program's own, 128+n for signal n; 64 usage, 65 state "
			"damaged, 71 the system\nrefuses, 73 state cannot be created, 74 I/O "
			"error, 75 locked by another node, 77 no permission,\n78 refused by "
			"policy, 126/127 PROGRAM cannot be executed / found.\n",
			out);
}

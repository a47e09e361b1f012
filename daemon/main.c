/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/cli.h"
#include "daemon/crypto.h"
#include "daemon/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const struct {
	const char *name;
	cli_fn *run;
	const char *about;
} commands[] = {
	{ "join", cli_join, "join the mesh and stay" },
	{ "status", cli_status, "what follows from a secret, or what the running node says" },
	{ "peers", cli_peers, "list, count or get the other nodes" },
	{ "init", cli_init, "make a mesh secret" },
	{ "state", cli_state, "look after the key: verify, snapshot, restore, export, import" },
	{ "doctor", cli_doctor, "find what keeps a node from working, and its cure" },
	{ "down", cli_down, "delete the interface of a node that no longer can" },
	{ "decode", cli_decode, "open a captured datagram" },
	{ "version", cli_version, "print the version" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

int cli_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)puts("wgmesh version " WGMESH_VERSION);
	return EXITS_OK;
}

static void print_help(FILE *out)
{
	(void)fputs("Usage: wgmesh COMMAND [OPTIONS]\n\n"
		    "A WireGuard mesh from one shared secret.\n\n",
		    out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		(void)fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].about);
	(void)fputs("\nBegin with `wgmesh init --secret`; `wgmesh COMMAND --help` explains each.\n",
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

int main(int argc, char **argv)
{
	protect_process();
	if (wants_version(argc, argv))
		return cli_version(0, NULL);
	if (argc < 2) {
		print_help(stderr);
		return EXITS_USAGE;
	}
	if (wants_help(argv[1])) {
		print_help(stdout);
		return EXITS_OK;
	}
	if (crypto_init() < 0) {
		(void)fputs("wgmesh: the system gives no random numbers\n", stderr);
		return EXITS_SYSTEM;
	}
	json_init();
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return finish(commands[i].run(argc - 2, argv + 2));
	return cli_usage_error("there is no command \"%.40s\"; `wgmesh --help` lists them",
			       argv[1]);
}

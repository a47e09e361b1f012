/* SPDX-License-Identifier: MIT */
#include "daemon/cli/state.h"
#include "common/exits.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	cli_fn *run;
	const char *about;
} verbs[] = {
	{ "verify", state_verify,
	  "explain every file of the state directory; restore a damaged key" },
	{ "show", state_show, "the public key of any key file" },
	{ "list", state_list, "the copies that are kept of the key" },
	{ "snapshot", state_snapshot, "make one more copy now" },
	{ "restore", state_restore, "put one of them in the key's place" },
	{ "export", state_export, "write the whole node into one sealed file" },
	{ "import", state_import, "make this directory the node that such a file holds" },
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(void)
{
	(void)puts("Usage: wgmesh state VERB [OPTIONS]\n\n"
		   "A node is its private key. These keep it, bring it back, and move it.\n");
	for (size_t i = 0; i < N_VERBS; i++)
		(void)printf("  %-9s %s\n", verbs[i].name, verbs[i].about);
	(void)puts("\n`wgmesh state VERB --help` explains each, with examples.");
}

int cli_state(int argc, char **argv)
{
	if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
			 strcmp(argv[0], "help") == 0)) {
		print_help();
		return EXITS_OK;
	}
	for (size_t i = 0; argc > 0 && i < N_VERBS; i++)
		if (strcmp(argv[0], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	if (argc > 0)
		return cli_usage_error("there is no `wgmesh state %.40s`; `wgmesh state --help` "
				       "lists the verbs",
				       argv[0]);
	return cli_usage_error("say `wgmesh state verify`; `wgmesh state --help` lists the verbs");
}

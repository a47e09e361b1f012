/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/cli.h"
#include "daemon/config.h"
#include "daemon/wg/wg.h"

static const struct cli_usage usage = {
	.name = "wgmesh down",
	.synopsis = "[--interface NAME]",
	.about =
		"Deletes the interface that a node of this project made, with its addresses and routes,\n"
		"when the node itself no longer could. wgmesh-init runs it as the last act of a stop.\n"
		"Interfaces of others are left alone.\n\n"
		"  wgmesh down --interface wg1\n\n"
		"Exit code: 0 when it is gone, also when it was before; 78 for an interface of\n"
		"others, 71 when it cannot be deleted.\n",
	.scope = SCOPE_DOWN,
};

int cli_down(int argc, char **argv)
{
	const char *ifname = NULL;
	struct settings s;
	struct err e = { 0 };
	int code = EXITS_OK;

	if (cli_parse(&s, &usage, argc, argv, &code) < 0)
		return code;
	if (config_interface(&ifname, &s, &e) < 0 || wg_delete(ifname, &e) < 0)
		return cli_fail(&e, EXITS_SYSTEM);
	return EXITS_OK;
}

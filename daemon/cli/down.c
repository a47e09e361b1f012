/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/cli.h"
#include "daemon/config.h"
#include "daemon/net/rtnl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct cli_usage usage = {
	.name = "wgmesh down",
	.synopsis = "[--interface NAME]",
	.about =
		"Deletes the interface that a node of this project made, with its addresses and routes,\n"
		"when the node itself no longer could. wgmesh-init runs it as the last act of a stop.\n"
		"Interfaces of others are left alone.\n",
	.scope = SCOPE_DOWN,
};

static int take_down(const char *ifname, struct err *e)
{
	struct rtnl_link link = { 0 };
	struct rtnl *rtnl = NULL;
	int r = rtnl_open(&rtnl, e);

	if (r < 0)
		return r;
	r = rtnl_link_get(rtnl, ifname, &link, e);
	if (r == -ENODEV)
		r = 0;
	else if (r == 0 && strcmp(link.alias, "wgmesh") != 0)
		r = err_exit(e, EXITS_POLICY, -EPERM, "%s was not made by wgmesh and is left alone",
			     ifname);
	else if (r == 0)
		r = rtnl_link_delete(rtnl, ifname, e);
	if (r == -EPERM && e->exit_code == 0)
		e->exit_code = EXITS_NO_PERMISSION;
	rtnl_close(rtnl);
	return r;
}

int cli_down(int argc, char **argv)
{
	const char *ifname = NULL;
	struct settings s;
	struct err e = { 0 };
	int code = EXITS_OK;

	if (cli_parse(&s, &usage, argc, argv, &code) < 0)
		return code;
	if (config_interface(&ifname, &s, &e) < 0 || take_down(ifname, &e) < 0)
		return cli_fail(&e, EXITS_SYSTEM);
	return EXITS_OK;
}

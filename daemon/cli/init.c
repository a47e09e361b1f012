/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/cli.h"
#include "daemon/wire/crypto.h"
#include "daemon/wire/derive.h"

#include <stdio.h>
#include <unistd.h>

static const struct cli_usage usage = {
	.name = "wgmesh init",
	.synopsis = "--secret",
	.about =
		"Makes the secret that all nodes of one mesh share. Keep it like a password: whoever\n"
		"has it is a member.\n\n"
		"  wgmesh init --secret\n"
		"  wgmesh init --secret > mesh_secret   a file gets the secret alone\n",
	.scope = SCOPE_NEW_SECRET,
};

int cli_init(int argc, char **argv)
{
	char uri[SECRET_URI_SIZE];
	struct settings s;
	int code = EXITS_OK;

	if (cli_parse(&s, &usage, argc, argv, &code) < 0)
		return code;
	if (!settings_flag(&s, SETTING_GENERATE_SECRET))
		return cli_usage_error("init makes nothing by itself; say `wgmesh init --secret`");
	secret_generate(uri);
	if (isatty(STDOUT_FILENO))
		(void)printf("Generated mesh secret:\n\n%s\n\n"
			     "Put it into a file and give every node that file:\n"
			     "  wgmesh join --secret-file /run/secrets/mesh_secret\n",
			     uri);
	else
		(void)puts(uri);
	crypto_wipe(uri, sizeof(uri));
	return EXITS_OK;
}

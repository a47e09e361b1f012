/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "common/exits.h"
#include "daemon/admin/forward.h"
#include "daemon/cli/cli.h"
#include "daemon/config.h"
#include "daemon/wg/wg.h"

#include <fcntl.h>
#include <unistd.h>

static const struct cli_usage usage = {
	.name = "wgmesh down",
	.synopsis = "[--interface NAME] [--state-dir DIR]",
	.about =
		"Deletes the interface that a node of this project made, with its addresses and routes,\n"
		"when the node itself no longer could, and switches back what it has switched on to\n"
		"forward. wgmesh-init runs it as the last act of a stop. Interfaces of others are left\n"
		"alone.\n\n"
		"  wgmesh down --interface wg1\n\n"
		"Exit code: 0 when it is gone, also when it was before; 78 for an interface of\n"
		"others, 71 when it cannot be deleted.\n",
	.scope = SCOPE_DOWN,
};

/* After the interface: the state directory may be on a disk that hangs. */
static void undo_forwarding(const char *ifname, const char *state_dir)
{
	auto_close int dirfd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct forward f = { .dirfd = dirfd, .ifname = ifname };

	if (dirfd < 0 || rtnl_open(&f.rtnl, NULL) < 0)
		return;
	forward_begin(&f, true);
	forward_undo(&f);
	rtnl_close(f.rtnl);
}

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
	undo_forwarding(ifname, settings_text(&s, SETTING_STATE_DIR));
	return EXITS_OK;
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/log.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/terminal.h"
#include "daemon/cli/text.h"
#include "daemon/config.h"
#include "daemon/doctor/examine.h"
#include "daemon/doctor/judge.h"
#include "daemon/doctor/report.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const struct cli_usage usage = {
	.name = "wgmesh doctor",
	.synopsis = "[OPTIONS]",
	.about =
		"Looks for whatever keeps a node from joining the mesh, or from being heard there, and\n"
		"says what to do about it. Changes nothing, needs no running node, and takes the options\n"
		"and variables of `wgmesh join`. Lines stand in the order in which join would meet them.\n"
		"Exit code: 0 when nothing failed, warnings or not; else the one that join would end with,\n"
		"or 1 when it would survive all that failed.\n\n"
		"  docker exec CONTAINER wgmesh doctor\n"
		"  docker run --rm --cap-add NET_ADMIN -v NAME:/var/lib/wgmesh IMAGE doctor\n"
		"  wgmesh doctor --json --secret-file secret --peer 192.0.2.1:52101\n",
	.scope = SCOPE_DOCTOR,
};

static int load_addresses(struct wanted *w, const struct settings *s, struct err *e)
{
	int subnet = config_mesh_subnet(&w->custom_subnet, s, e);
	int peer = subnet < 0 ? subnet : config_peer(&w->peer, s, e);

	w->has_custom_subnet = subnet > 0;
	w->has_peer = peer > 0;
	return peer < 0 ? peer : http_addresses_load(&w->http, s, e);
}

static int load(struct wanted *w, char socket_path[static CONFIG_SOCKET_SIZE],
		const struct settings *s, struct err *e)
{
	int r = config_interface(&w->ifname, s, e);

	w->settings = s;
	w->state_dir = settings_text(s, SETTING_STATE_DIR);
	w->backend = (enum wg_backend)settings_number(s, SETTING_BACKEND);
	w->wireguard_go = settings_text(s, SETTING_WIREGUARD_GO);
	w->listen_port = (uint16_t)settings_number(s, SETTING_LISTEN_PORT);
	w->mtu = (uint32_t)settings_number(s, SETTING_MTU);
	w->advertises = settings_text(s, SETTING_ADVERTISE_ROUTES) != NULL;
	w->forwards = settings_flag(s, SETTING_FORWARD);
	w->no_lan = settings_flag(s, SETTING_NO_LAN_DISCOVERY) || settings_flag(s, SETTING_NO_LAN);
	w->timeout_ms = (int64_t)settings_number(s, SETTING_TIMEOUT);
	w->socket_path = socket_path;
	if (r == 0)
		r = config_socket_path(socket_path, s, w->ifname, e);
	return r == 0 ? load_addresses(w, s, e) : r;
}

static void print(const struct report *r)
{
	struct terminal t;

	terminal_look(&t);
	report_print(stdout, r, t.columns == TEXT_NO_LIMIT ? 0 : t.columns);
}

int cli_doctor(int argc, char **argv)
{
	static struct report report;
	static struct facts facts;
	static char socket_path[CONFIG_SOCKET_SIZE];
	static struct settings s;
	struct err e = { 0 };
	int code = EXITS_OK;

	if (cli_parse_alone(&s, &usage, argc, argv, &code) < 0)
		return code;
	if (load(&facts.wanted, socket_path, &s, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	/* What the parts of the node would log is in the report, in the doctor's words. */
	(void)log_init("wgmesh", LOG_FORMAT_AUTO, "error");
	examine(&facts, isatty(STDERR_FILENO) != 0);
	judge_all(&report, &facts);
	examine_wipe(&facts);
	if (settings_flag(&s, SETTING_JSON))
		report_print_json(stdout, &report);
	else
		print(&report);
	return report_exit_code(&report);
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/ask.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/member.h"
#include "daemon/config.h"

#include <stdio.h>

static const struct cli_usage level_usage = {
	.name = "wgmesh log-level",
	.synopsis = "LEVELS",
	.about =
		"Changes the log levels of the node that runs here, until it is started again: error,\n"
		"warn, info or debug, then levels of single components, as --log-level of `join`.\n\n"
		"  wgmesh log-level debug\n"
		"  wgmesh log-level info,exchange=debug\n\n"
		"Prints the levels that hold now. Exit code: 0, or 1 when no node answers or it refuses.\n",
	.scope = SCOPE_CONTROL,
};

static const struct cli_usage reload_usage = {
	.name = "wgmesh reload",
	.synopsis = "[OPTIONS]",
	.about =
		"Has the node that runs here read INTERFACE.reload in its state directory, as SIGHUP\n"
		"does. The file has lines `advertise-routes=CIDR,...` and `log-level=LEVELS`; what it\n"
		"does not name stays, and one bad line refuses all. No tunnel breaks.\n\n"
		"  echo log-level=debug >/var/lib/wgmesh/wg0.reload; wgmesh reload\n\n"
		"Exit code: 0, or 1 when no node answers or it refuses.\n",
	.scope = SCOPE_CONTROL,
};

/* @params is taken over. */
static int control(json_t **out, const struct settings *s, const char *method, json_t *params)
{
	char path[CONFIG_SOCKET_SIZE];
	const struct cli_question q = { .path = path, .method = method, .params = params };
	const char *ifname = NULL;
	struct err e = { 0 };
	int code = EXITS_OK;

	if (config_interface(&ifname, s, &e) < 0 || config_socket_path(path, s, ifname, &e) < 0)
		code = cli_fail(&e, EXITS_USAGE);
	else if (cli_ask(out, &q, &e) < 0)
		code = cli_fail(&e, EXITS_FAILURE);
	json_decref(params);
	return code;
}

int cli_log_level(int argc, char **argv)
{
	json_t *answer = NULL;
	struct settings s;
	int code = EXITS_OK;
	int first = cli_parse(&s, &level_usage, argc, argv, &code);
	json_t *params;

	if (first < 0)
		return code;
	if (argc - first != 1)
		return cli_usage_error("say `wgmesh log-level LEVELS`, as in "
				       "`wgmesh log-level info,exchange=debug`");
	params = json_pack("{s:s}", "levels", argv[first]);
	if (!params)
		return cli_usage_error("the levels are no text");
	code = control(&answer, &s, "log.set", params);
	if (code == EXITS_OK)
		(void)puts(member_text(answer, "levels"));
	json_decref(answer);
	return code;
}

int cli_reload(int argc, char **argv)
{
	json_t *answer = NULL;
	struct settings s;
	int code = EXITS_OK;

	if (cli_parse_alone(&s, &reload_usage, argc, argv, &code) < 0)
		return code;
	code = control(&answer, &s, "daemon.reload", NULL);
	json_decref(answer);
	return code;
}

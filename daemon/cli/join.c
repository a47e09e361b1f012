/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/log.h"
#include "common/statusline.h"
#include "daemon/cli/cli.h"
#include "daemon/config.h"
#include "daemon/node/node.h"
#include "daemon/node/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_usage usage = {
	.name = "wgmesh join",
	.synopsis = "[OPTIONS]",
	.about =
		"Joins the mesh that a secret makes, and stays until SIGTERM: finds the other nodes,\n"
		"keeps WireGuard configured, says goodbye and deletes the interface at the end.\n\n"
		"  WGMESH_SECRET_FILE=/run/secrets/mesh_secret wgmesh join\n"
		"  wgmesh join --secret-file secret --interface wg1 --listen-port 51810\n",
	.scope = SCOPE_JOIN,
};

static void warn_no_effect(const struct settings *s)
{
	const struct setting *table = settings_table();

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if ((table[i].scope & SCOPE_NO_EFFECT) && settings_is_given(s, (enum setting_id)i))
			log_event(EVENT_SETTING_WITHOUT_EFFECT, NULL, "%s is %s",
				  settings_origin(s, (enum setting_id)i), table[i].help);
}

/* Under wgmesh-init it has been said: that knows the same variables, and looks before any phase. */
static bool is_under_init(void)
{
	const char *notify = getenv("NOTIFY_SOCKET");

	return notify && strncmp(notify, STATUSLINE_NAME_HEAD, strlen(STATUSLINE_NAME_HEAD)) == 0;
}

static void warn_unknown_env(void)
{
	const char *nearest = NULL;
	char name[64];
	size_t pos = 0;

	if (is_under_init())
		return;
	while (settings_unknown_env(environ, &pos, name, &nearest))
		log_event(EVENT_VARIABLE_UNKNOWN, NULL, "the variable %s is not known%s%s%s", name,
			  nearest ? "; did you mean " : "", nearest ? nearest : "",
			  nearest ? "?" : "");
}

int cli_join(int argc, char **argv)
{
	static struct config config;
	struct notify notify;
	struct settings s;
	struct err e = { 0 };
	int code = EXITS_OK;
	int r;

	if (cli_parse_alone(&s, &usage, argc, argv, &code) < 0)
		return code;
	cli_log_init(&s);
	warn_unknown_env();
	warn_no_effect(&s);
	notify_open(&notify);
	r = config_load(&config, &s, &e);
	if (r < 0) {
		notify_send(&notify, &(struct notify_say) { .error_number = -r, .status = e.msg });
		log_event(EVENT_SETTINGS_REFUSED, NULL, "%s%s%s", e.msg, r == -EINVAL ? "" : ": ",
			  r == -EINVAL ? "" : strerror(-r));
		code = e.exit_code ? e.exit_code : EXITS_USAGE;
	} else {
		code = node_run(&config, &notify);
	}
	notify_close(&notify);
	config_wipe(&config);
	return code;
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/ask.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/derived.h"
#include "daemon/cli/initlines.h"
#include "daemon/cli/peertext.h"
#include "daemon/cli/statustext.h"
#include "daemon/cli/watch.h"
#include "daemon/config.h"

#include <errno.h>
#include <stdio.h>

static const struct cli_usage usage = {
	.name = "wgmesh status",
	.synopsis = "[--watch] [--full] [--json]",
	.about =
		"What the node that runs here says of itself and of each peer; no secret is needed. What\n"
		"is wrong comes first: ALARM lines, then what keeps the node from being ready. Peers\n"
		"without a tunnel have a line that says why not.\n\n"
		"  wgmesh status\n"
		"  wgmesh status --watch --interval 1s  stay, and redraw it until ^C\n"
		"  wgmesh status --json | jq '.peers_detail[] | select(.path != \"direct\")'\n"
		"  wgmesh status --secret-file FILE     what follows from it; asks no node\n\n"
		"Lines fit the terminal, the least important columns go first; --full shows whole keys.\n"
		"Exit code: 0, or 1 when no node answers; `wgmesh doctor` looks for the cause then.\n",
	.scope = SCOPE_STATUS,
};

/* What a frame is made from. */
struct source {
	const struct settings *settings;
	const char *path;
};

/* All peers, silent ones too: whoever asks wants to know of those. NULL when there is no answer. */
static json_t *ask_peers(const char *path)
{
	json_t *params = json_pack("{s:b}", "all", 1);
	const struct cli_question q = { .path = path, .method = "peers.list", .params = params };
	json_t *answer;
	json_t *list = NULL;

	if (cli_ask(&answer, &q, NULL) == 0)
		list = json_incref(json_object_get(answer, "peers"));
	json_decref(answer);
	json_decref(params);
	return list;
}

static void put_json(const struct show *s, const struct settings *set, json_t *status,
		     json_t *peers)
{
	bool on_one_line = settings_flag(set, SETTING_WATCH);
	json_t *sorted = peertext_sort(peers);

	(void)json_object_set_new(status, "peers_detail", sorted ? sorted : json_array());
	(void)json_dumpf(status, s->out, on_one_line ? JSON_COMPACT : JSON_INDENT(2));
	(void)fputc('\n', s->out);
}

static int draw(const struct show *s, void *arg, struct err *e)
{
	const struct source *from = arg;
	const struct cli_question q = { .path = from->path, .method = "daemon.status" };
	json_t *status;
	json_t *peers;
	int r = cli_ask(&status, &q, e);

	if (r < 0)
		return r;
	peers = ask_peers(from->path);
	if (settings_flag(from->settings, SETTING_JSON))
		put_json(s, from->settings, status, peers);
	else
		statustext_print(s, status, peers);
	json_decref(peers);
	json_decref(status);
	return 0;
}

/* Without a node, PID 1 may know why there is none. */
static void draw_supervisor(const struct show *s, void *arg)
{
	json_t *lines = initlines_ask();

	(void)arg;
	if (lines)
		statustext_supervisor(s, lines);
	json_decref(lines);
}

/* A secret in the environment is the node's; one on the command line is a question. */
static bool has_secret(const struct settings *s)
{
	return s->v[SETTING_SECRET].source == SOURCE_FLAG ||
	       s->v[SETTING_SECRET_FILE].source == SOURCE_FLAG;
}

int cli_status(int argc, char **argv)
{
	char path[CONFIG_SOCKET_SIZE];
	struct settings s;
	struct source from = { .settings = &s, .path = path };
	struct watch w = {
		.title = "wgmesh status", .draw = draw, .without = draw_supervisor, .arg = &from
	};
	const char *ifname = NULL;
	struct err e = { 0 };
	int code = EXITS_OK;

	if (cli_parse_alone(&s, &usage, argc, argv, &code) < 0)
		return code;
	if (config_interface(&ifname, &s, &e) < 0 || config_socket_path(path, &s, ifname, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	if (has_secret(&s))
		return derived_show(&s, ifname);
	w.is_json = settings_flag(&s, SETTING_JSON);
	return watch_run(&s, &w);
}

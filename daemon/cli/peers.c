/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/ask.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/peertext.h"
#include "daemon/cli/watch.h"
#include "daemon/config.h"
#include "daemon/wg/wg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct cli_usage usage = {
	.name = "wgmesh peers",
	.synopsis = "list | count | get WHOM",
	.about =
		"Asks the node that runs here about the others. `list` shows those that are active,\n"
		"`get` all that is known of one: WHOM is its key, the beginning of its key, its host\n"
		"name or its mesh address.\n\n"
		"  wgmesh peers list\n"
		"  wgmesh peers list --watch\n"
		"  wgmesh peers get cV7LcuFg\n"
		"  wgmesh peers get node-2 --json | jq -r .endpoint\n\n"
		"Lines fit the terminal; --full shows whole keys. Exit code: 0, or 1 when no node\n"
		"answers or there is no such peer.\n",
	.scope = SCOPE_PEERS,
};

struct request;

/**
 * struct verb - One of list, count and get
 * @name:	Its name
 * @takes_whom:	A peer is named behind it
 * @fetch:	Asks for what is to be shown
 * @show:	Shows it to people
 */
struct verb {
	const char *name;
	bool takes_whom;
	int (*fetch)(json_t **out, const struct request *r, struct err *e);
	void (*show)(const struct show *s, json_t *result);
};

struct request {
	const struct settings *settings;
	const struct verb *verb;
	const char *path;
	const char *whom;
};

static int fetch_list(json_t **out, const struct request *r, struct err *e)
{
	const struct cli_question q = { .path = r->path, .method = "peers.list" };

	return cli_ask(out, &q, e);
}

static int fetch_count(json_t **out, const struct request *r, struct err *e)
{
	const struct cli_question q = { .path = r->path, .method = "peers.count" };

	return cli_ask(out, &q, e);
}

/* A whole key is asked for as such: every node knows how to answer that. */
static int fetch_by_key(json_t **out, const struct request *r, struct err *e)
{
	json_t *params = json_pack("{s:s}", "pubkey", r->whom);
	const struct cli_question q = { .path = r->path, .method = "peers.get", .params = params };
	int ret = cli_ask(out, &q, e);

	json_decref(params);
	return ret;
}

static int fetch_by_name(json_t **out, const struct request *r, struct err *e)
{
	json_t *params = json_pack("{s:b}", "all", 1);
	const struct cli_question q = { .path = r->path, .method = "peers.list", .params = params };
	json_t *answer;
	int ret = cli_ask(&answer, &q, e);

	json_decref(params);
	if (ret < 0)
		return ret;
	*out = json_incref(peertext_pick(json_object_get(answer, "peers"), r->whom, e));
	json_decref(answer);
	return *out ? 0 : e->code;
}

static int fetch_one(json_t **out, const struct request *r, struct err *e)
{
	struct wg_key key;

	if (wg_key_parse(&key, r->whom) == 0)
		return fetch_by_key(out, r, e);
	return fetch_by_name(out, r, e);
}

static void show_list(const struct show *s, json_t *result)
{
	peertext_list(s, json_object_get(result, "peers"));
}

static const struct verb verbs[] = {
	{ "list", false, fetch_list, show_list },
	{ "count", false, fetch_count, peertext_members },
	{ "get", true, fetch_one, peertext_members },
};

static int draw(const struct show *s, void *arg, struct err *e)
{
	const struct request *r = arg;
	json_t *result = NULL;
	int ret = r->verb->fetch(&result, r, e);

	if (ret < 0)
		return ret;
	if (settings_flag(r->settings, SETTING_JSON)) {
		(void)json_dumpf(result, s->out,
				 settings_flag(r->settings, SETTING_WATCH) ? JSON_COMPACT
									   : JSON_INDENT(2));
		(void)fputc('\n', s->out);
	} else {
		r->verb->show(s, result);
	}
	json_decref(result);
	return 0;
}

static int ask(const struct settings *s, const struct verb *verb, const char *whom)
{
	char path[CONFIG_SOCKET_SIZE];
	struct request r = { .settings = s, .verb = verb, .path = path, .whom = whom };
	struct watch w = { .draw = draw, .arg = &r, .is_json = settings_flag(s, SETTING_JSON) };
	const char *ifname = NULL;
	struct err e = { 0 };
	char title[40];

	if (config_interface(&ifname, s, &e) < 0 || config_socket_path(path, s, ifname, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	(void)snprintf(title, sizeof(title), "wgmesh peers %s", verb->name);
	w.title = title;
	return watch_run(s, &w);
}

int cli_peers(int argc, char **argv)
{
	struct settings s;
	int code = EXITS_OK;
	int first = cli_parse(&s, &usage, argc, argv, &code);
	int rest;

	if (first < 0)
		return code;
	for (size_t i = 0; first < argc && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		const char *whom = NULL;

		if (strcmp(argv[first], verbs[i].name) != 0)
			continue;
		/* Flags may stand behind the verb too, and behind whom it is about. */
		argv += first + 1;
		argc -= first + 1;
		rest = cli_parse_more(&s, &usage, argc, argv, &code);
		if (rest >= 0 && rest < argc && verbs[i].takes_whom) {
			whom = argv[rest++];
			argv += rest;
			argc -= rest;
			rest = cli_parse_more(&s, &usage, argc, argv, &code);
		}
		if (rest < 0)
			return code;
		if (rest < argc || (verbs[i].takes_whom && !whom))
			return cli_usage_error("say `wgmesh peers %s%s`", verbs[i].name,
					       verbs[i].takes_whom ? " KEY" : "");
		return ask(&s, &verbs[i], whom);
	}
	return cli_usage_error("say `wgmesh peers list`, `count` or `get KEY`");
}

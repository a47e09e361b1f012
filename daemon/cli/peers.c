/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/cli.h"
#include "daemon/config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct cli_usage usage = {
	.name = "wgmesh peers",
	.synopsis = "list | count | get KEY",
	.about = "Asks the node that runs here about the others.\n\n"
		 "  wgmesh peers list\n"
		 "  wgmesh peers get cV7LcuFgYBTAUzNX8KaA/Vv5JSZwZ+bKMA9CJ0y2j0A=\n",
	.scope = SCOPE_PEERS,
};

#define KEY_SHOWN 16

static const char *member(json_t *obj, const char *name)
{
	const char *text = json_string_value(json_object_get(obj, name));

	return text ? text : "";
}

/* "12s", "3m", "2h", "5d": how long ago an RFC 3339 time was. */
static void age_text(char out[static 24], const char *rfc3339)
{
	static const struct {
		long long limit;
		long long unit;
		char suffix;
	} steps[] = { { 60, 1, 's' }, { 3600, 60, 'm' }, { 86400, 3600, 'h' } };
	struct tm tm = { 0 };
	long long age;

	if (!strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm)) {
		(void)snprintf(out, 24, "never");
		return;
	}
	age = (long long)(time(NULL) - timegm(&tm));
	if (age < 0)
		age = 0;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (age < steps[i].limit) {
			(void)snprintf(out, 24, "%lld%c", age / steps[i].unit, steps[i].suffix);
			return;
		}
	}
	(void)snprintf(out, 24, "%lldd", age / 86400);
}

static void methods_text(char *out, size_t size, json_t *list)
{
	size_t used = 0;
	size_t i;
	json_t *item;

	out[0] = '\0';
	json_array_foreach (list, i, item) {
		int n = snprintf(out + used, size - used, "%s%s", i ? "," : "",
				 json_string_value(item));

		if (n < 0 || (size_t)n >= size - used)
			return;
		used += (size_t)n;
	}
}

static void print_row(json_t *peer)
{
	char methods[64];
	char age[24];

	age_text(age, member(peer, "last_seen"));
	methods_text(methods, sizeof(methods), json_object_get(peer, "discovered_via"));
	(void)printf("%-20.20s %.*s… %-16s %-24s %-10s %s\n", member(peer, "hostname"), KEY_SHOWN,
		     member(peer, "pubkey"), member(peer, "mesh_ip"), member(peer, "endpoint"), age,
		     methods);
}

static int show_list(json_t *result)
{
	json_t *list = json_object_get(result, "peers");
	json_t *peer;
	size_t i;

	if (json_array_size(list) == 0) {
		(void)puts("No active peers");
		return EXITS_OK;
	}
	(void)printf("%-20s %-17s %-16s %-24s %-10s %s\n", "HOSTNAME", "PUBLIC KEY", "MESH IP",
		     "ENDPOINT", "LAST SEEN", "DISCOVERED VIA");
	json_array_foreach (list, i, peer) {
		print_row(peer);
	}
	return EXITS_OK;
}

static int show_members(json_t *result)
{
	const char *key;
	json_t *value;

	json_object_foreach (result, key, value) {
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		if (json_is_string(value))
			(void)printf("%-18s %s\n", key, json_string_value(value));
		else
			(void)printf("%-18s %s\n", key, text ? text : "");
		free(text);
	}
	return EXITS_OK;
}

static const struct {
	const char *name;
	const char *method;
	bool takes_key;
	int (*show)(json_t *result);
} verbs[] = {
	{ "list", "peers.list", false, show_list },
	{ "count", "peers.count", false, show_members },
	{ "get", "peers.get", true, show_members },
};

static int ask(const struct settings *s, size_t verb, const char *key)
{
	char path[CONFIG_SOCKET_SIZE];
	const char *ifname = NULL;
	void *result = NULL;
	struct err e = { 0 };
	int code;

	if (config_interface(&ifname, s, &e) < 0 || config_socket_path(path, s, ifname, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	if (cli_call(&result, path, verbs[verb].method, key, &e) < 0)
		return cli_fail(&e, EXITS_FAILURE);
	if (settings_flag(s, SETTING_JSON)) {
		(void)json_dumpf(result, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		code = EXITS_OK;
	} else {
		code = verbs[verb].show(result);
	}
	json_decref(result);
	return code;
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
		if (strcmp(argv[first], verbs[i].name) != 0)
			continue;
		/* Flags may stand behind the verb too. */
		rest = cli_parse_more(&s, &usage, argc - first - 1, argv + first + 1, &code);
		if (rest < 0)
			return code;
		rest += first + 1;
		if (argc - rest != (verbs[i].takes_key ? 1 : 0))
			return cli_usage_error("say `wgmesh peers %s%s`", verbs[i].name,
					       verbs[i].takes_key ? " KEY" : "");
		return ask(&s, i, verbs[i].takes_key ? argv[rest] : NULL);
	}
	return cli_usage_error("say `wgmesh peers list`, `count` or `get KEY`");
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/str.h"
#include "daemon/cli/state.h"
#include "daemon/state/snapshot_list.h"
#include "daemon/state/stateview.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_usage usage_list = {
	.name = "wgmesh state list",
	.synopsis = "[OPTIONS]",
	.about =
		"Lists the copies that are kept of this interface's key, the newest first. \"*\" marks\n"
		"the one that the key file holds now. The names and numbers are what restore takes.\n\n"
		"  wgmesh state list\n"
		"  wgmesh state list --json | jq -r '.snapshots[] | .name + \" \" + .state'\n",
	.scope = SCOPE_STATE_LIST,
};

static const struct cli_usage usage_snapshot = {
	.name = "wgmesh state snapshot",
	.synopsis = "[OPTIONS]",
	.about =
		"Makes one more copy of the key file now, and prints its name. The daemon does that by\n"
		"itself whenever the file changes, so a copy is made only of what the newest one does\n"
		"not hold yet. It lies on the same volume: a backup is `wgmesh state export`.\n\n"
		"  wgmesh state snapshot\n",
	.scope = SCOPE_STATE_KEEP,
};

static const struct cli_usage usage_restore = {
	.name = "wgmesh state restore",
	.synopsis = "NAME | NUMBER | latest",
	.about =
		"Puts a copy in the key file's place: a snapshot by name or number, \"latest\" for the\n"
		"newest good one, or a legacy-* copy that a migration kept. What was in place is kept,\n"
		"and the command that undoes it is printed. Stop the node first.\n\n"
		"  wgmesh state list\n"
		"  wgmesh state restore 3\n"
		"  wgmesh state restore legacy-wg0.json.1\n"
		"  docker run --rm -v NAME:/var/lib/wgmesh IMAGE state restore latest\n",
	.scope = SCOPE_STATE_KEEP,
};

static const char *kind_text(enum snapshot_kind kind)
{
	static const char *const texts[] = {
		[SNAPSHOT_NUMBERED] = "snapshot",
		[SNAPSHOT_OLD] = "legacy",
		[SNAPSHOT_DAMAGED] = "damaged",
		[SNAPSHOT_OTHER] = "other",
	};

	return texts[kind];
}

static const char *state_text(const struct snapshot_entry *s)
{
	if (s->result == 0)
		return "good";
	if (s->kind == SNAPSHOT_OTHER)
		return "foreign";
	return s->result == -EPROTONOSUPPORT ? "future" : "damaged";
}

static void time_text(char out[static STR_UTC_SIZE + 1], int64_t seconds)
{
	char utc[STR_UTC_SIZE];

	str_utc(utc, seconds < 0 ? 0 : (uint64_t)seconds);
	(void)snprintf(out, STR_UTC_SIZE + 1, "%sZ", utc);
}

/* --- list ---------------------------------------------------------------------------------- */

static void print_entry(const struct snapshot_entry *s)
{
	char number[24] = "-";
	char when[STR_UTC_SIZE + 1];
	char ip[IP_TEXT_SIZE];
	char name[SNAPSHOT_NAME_SIZE];
	char key[45] = "-";

	if (s->kind == SNAPSHOT_NUMBERED)
		(void)snprintf(number, sizeof(number), "%" PRIu64, s->number);
	if (s->result == 0)
		(void)wg_key_format(key, &s->public_key);
	time_text(when, s->written_s);
	stateview_printable(name, sizeof(name), s->name);
	(void)printf("%c %4s  %-20s  %-7s  %-44s  %-15s  %s%s%s\n", s->is_current ? '*' : ' ',
		     number, when, state_text(s), key,
		     s->mesh_ip.family ? ip_format(ip, &s->mesh_ip) : "-", name,
		     s->why[0] ? ": " : "", s->why);
}

static json_t *entry_json(const struct snapshot_entry *s)
{
	char name[SNAPSHOT_NAME_SIZE];
	char when[STR_UTC_SIZE + 1];
	char ip[IP_TEXT_SIZE];
	char key[45];
	json_t *obj = json_object();

	time_text(when, s->written_s);
	stateview_printable(name, sizeof(name), s->name);
	(void)json_object_set_new(obj, "name", json_string(name));
	(void)json_object_set_new(obj, "kind", json_string(kind_text(s->kind)));
	if (s->kind == SNAPSHOT_NUMBERED)
		(void)json_object_set_new(obj, "number", json_integer((json_int_t)s->number));
	(void)json_object_set_new(obj, "written", json_string(when));
	(void)json_object_set_new(obj, "state", json_string(state_text(s)));
	(void)json_object_set_new(obj, "current", json_boolean(s->is_current));
	if (s->why[0])
		(void)json_object_set_new(obj, "note", json_string(s->why));
	if (s->result < 0)
		return obj;
	(void)json_object_set_new(obj, "public_key",
				  json_string(wg_key_format(key, &s->public_key)));
	(void)json_object_set_new(obj, "mesh_ip", json_string(ip_format(ip, &s->mesh_ip)));
	(void)json_object_set_new(obj, "mesh_ipv6", json_string(ip_format(ip, &s->mesh_ip6)));
	return obj;
}

static void print_list(const struct snapshot_entry *list, size_t n, const struct state_dir *d)
{
	if (n == 0) {
		(void)printf("%s holds no copies of %s.json yet\n", d->at.dir, d->at.ifname);
		return;
	}
	(void)printf("  %4s  %-20s  %-7s  %-44s  %-15s  %s\n", "#", "WRITTEN", "STATE",
		     "PUBLIC KEY", "MESH IP", "NAME");
	for (size_t i = 0; i < n; i++)
		print_entry(&list[i]);
}

static void print_json(const struct snapshot_entry *list, size_t n, const struct state_dir *d)
{
	json_t *obj = json_object();
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(all, entry_json(&list[i]));
	(void)json_object_set_new(obj, "directory", json_string(d->at.dir));
	(void)json_object_set_new(obj, "interface", json_string(d->at.ifname));
	(void)json_object_set_new(obj, "snapshots", all);
	(void)json_dumpf(obj, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(obj);
}

static int list(struct state_dir *d, const struct settings *s, struct err *e)
{
	struct snapshot_entry *entries;
	size_t n;

	if (snapshot_list(&entries, &n, &d->at, e) < 0)
		return state_fail(e);
	if (settings_flag(s, SETTING_JSON))
		print_json(entries, n, d);
	else
		print_list(entries, n, d);
	free(entries);
	return EXITS_OK;
}

int state_list(int argc, char **argv)
{
	struct state_dir d;
	struct settings s;
	struct err e = { 0 };
	int code = state_arguments(&s, &usage_list, argc, argv, NULL);

	if (code != 0)
		return code - 1;
	code = state_open(&d, &s, false, &e) < 0 ? state_fail(&e) : list(&d, &s, &e);
	state_close(&d);
	return code;
}

/* --- snapshot ------------------------------------------------------------------------------ */

static int take(const struct state_dir *d, struct err *e)
{
	enum identity_origin origin;
	char name[SNAPSHOT_NAME_SIZE];
	struct identity id = { 0 };
	int r = identity_load(&id, &origin, &d->at, false, e);

	if (r == -ENOENT)
		(void)err_exit(e, EXITS_STATE_DAMAGED, -EBADMSG,
			       "%s/%s.json does not exist yet, so there is nothing to copy",
			       d->at.dir, d->at.ifname);
	if (r == 0)
		r = snapshot_take(name, &id, d->at.dirfd, d->at.ifname, e);
	identity_wipe(&id);
	if (r < 0)
		return state_fail(e);
	if (r == 1)
		state_say("the newest copy holds the same already");
	(void)puts(name);
	return EXITS_OK;
}

int state_snapshot(int argc, char **argv)
{
	struct state_dir d;
	struct settings s;
	struct err e = { 0 };
	int code = state_arguments(&s, &usage_snapshot, argc, argv, NULL);

	if (code != 0)
		return code - 1;
	code = state_open(&d, &s, false, &e) < 0 ? state_fail(&e) : take(&d, &e);
	state_close(&d);
	return code;
}

/* --- restore ------------------------------------------------------------------------------- */

static bool is_meant(const struct snapshot_entry *s, const char *wanted)
{
	static const char dir[] = SNAPSHOT_DIR "/";
	uint64_t number;

	if (strcmp(wanted, "latest") == 0)
		return s->kind == SNAPSHOT_NUMBERED && s->result == 0;
	if (s->kind == SNAPSHOT_NUMBERED && str_parse_u64(&number, wanted, 0, UINT64_MAX) == 0)
		return s->number == number;
	if (strncmp(wanted, dir, strlen(dir)) == 0)
		wanted += strlen(dir);
	return strcmp(s->name, wanted) == 0;
}

/* Finds what the person means: 0, 1 when it is in place already, or a negative errno value. */
static int find(char name[static SNAPSHOT_NAME_SIZE], const struct state_dir *d, const char *wanted,
		struct err *e)
{
	struct snapshot_entry *entries;
	size_t n;
	int r = snapshot_list(&entries, &n, &d->at, e);

	if (r < 0)
		return r;
	r = -EINVAL;
	for (size_t i = 0; i < n && r < 0; i++) {
		if (!is_meant(&entries[i], wanted))
			continue;
		str_cut(name, SNAPSHOT_NAME_SIZE, entries[i].name, strlen(entries[i].name));
		r = entries[i].is_current ? 1 : 0;
	}
	free(entries);
	if (r < 0)
		return err_exit(e, EXITS_USAGE, r,
				"there is no copy \"%.60s\" of %s.json: `wgmesh state list` names "
				"those that are there",
				wanted, d->at.ifname);
	return r;
}

static int restore(struct state_dir *d, const char *wanted, struct err *e)
{
	char name[SNAPSHOT_NAME_SIZE];
	struct identity_kept kept;
	struct identity id = { 0 };
	char text[160];
	int r = find(name, d, wanted, e);

	if (r == 1) {
		(void)printf("%s is in place already; nothing was changed\n", name);
		return EXITS_OK;
	}
	if (r == 0)
		r = identity_restore(&id, &d->at, name, &kept, e);
	if (r < 0)
		return state_fail(e);
	state_describe(text, &id);
	identity_wipe(&id);
	(void)printf("%s/%s.json is %s again: %s\n", d->at.dir, d->at.ifname, name, text);
	state_undo_key(d, &kept);
	return EXITS_OK;
}

int state_restore(int argc, char **argv)
{
	const char *wanted = NULL;
	struct state_dir d;
	struct settings s;
	struct err e = { 0 };
	int code = state_arguments(&s, &usage_restore, argc, argv, &wanted);

	if (code != 0)
		return code - 1;
	if (state_open(&d, &s, false, &e) < 0 || state_lock(&d, &s, &e) < 0)
		code = state_fail(&e);
	else
		code = restore(&d, wanted, &e);
	state_close(&d);
	return code;
}

/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/log.h"
#include "daemon/cli/state.h"
#include "daemon/clock.h"
#include "daemon/state/stateview.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct cli_usage usage = {
	.name = "wgmesh state verify",
	.synopsis = "[OPTIONS]",
	.about =
		"Explains every file of the state directory, and changes nothing. With --repair, a key\n"
		"file that is damaged or missing is restored from its newest good snapshot; the damaged\n"
		"one is kept. The exit code is about this interface's key:\n\n"
		"   0  good, restored, or a first start: there is none and never was\n"
		"  65  damaged or lost, nothing to restore it from (without --repair: yet);\n"
		"      nothing makes a new one behind your back, short of --new-identity\n"
		"  74  the storage cannot be read; 77: not by this user\n"
		"  78  written by a newer release of wgmesh, and left alone: start that one\n\n"
		"  wgmesh state verify\n"
		"  wgmesh state verify --json | jq -r .public_key\n"
		"  docker run --rm -v NAME:/var/lib/wgmesh IMAGE state verify --repair\n",
	.scope = SCOPE_STATE,
};

#define NAME_SHOWN_MAX 48

/**
 * struct report - What was found
 * @key:	The key file of our interface
 * @public_key:	Key in it, empty when there is none
 * @view:	All other files
 * @code:	Exit code
 */
struct report {
	struct state_row key;
	char public_key[45];
	struct stateview view;
	int code;
};

static void refuse_key(struct report *r, int failure, const struct err *e)
{
	bool is_explained = failure == -EBADMSG || failure == -EPROTONOSUPPORT;

	log_event(EVENT_STATE_KEY_REFUSED, NULL, "%s%s%s", e->msg, is_explained ? "" : ": ",
		  is_explained ? "" : strerror(-failure));
	r->key.verdict = failure == -EPROTONOSUPPORT ? STATE_FUTURE : STATE_DAMAGED;
	r->code = e->exit_code ? e->exit_code : EXITS_IO;
}

static void accept_key(struct report *r, const struct state_dir *d, const struct identity *id,
		       bool is_restored)
{
	char text[160];

	state_describe(text, id);
	(void)wg_key_format(r->public_key, &id->public_key);
	r->key.verdict = is_restored ? STATE_RESTORED : STATE_GOOD;
	(void)snprintf(r->key.note, sizeof(r->key.note), "%s", text);
	stateview_key(r->key.note, &d->at);
}

static void check_key(struct report *r, const struct state_dir *d, const struct settings *s)
{
	enum identity_origin origin = IDENTITY_LOADED;
	struct identity id = { 0 };
	struct err e = { 0 };
	int failure = identity_load(&id, &origin, &d->at, settings_flag(s, SETTING_REPAIR), &e);

	r->key = (struct state_row) { .kind = STATE_KEY };
	(void)snprintf(r->key.name, sizeof(r->key.name), "%s.json", d->at.ifname);
	(void)snprintf(r->key.note, sizeof(r->key.note), "%.199s", e.msg);
	r->code = EXITS_OK;
	if (failure == 0) {
		accept_key(r, d, &id, origin == IDENTITY_RESTORED);
	} else if (failure == -ENOENT) {
		r->key.verdict = STATE_MISSING;
		(void)snprintf(r->key.note, sizeof(r->key.note),
			       "none yet; the node's first start makes it");
	} else if (failure != -EPROTONOSUPPORT && settings_flag(s, SETTING_NEW_IDENTITY)) {
		r->key.verdict = STATE_DAMAGED;
		log_event(EVENT_STATE_KEY_REPLACED, NULL,
			  "%s; a new key will be made, since --new-identity was given", e.msg);
	} else {
		refuse_key(r, failure, &e);
	}
	identity_wipe(&id);
}

/* For the log of a container: the key, and what is wrong with the caches. */
static void log_report(const struct report *r, const struct state_dir *d)
{
	bool is_missing = r->key.verdict == STATE_MISSING;

	if (r->code == EXITS_OK && r->key.verdict != STATE_DAMAGED)
		log_event(r->key.verdict == STATE_RESTORED ? EVENT_STATE_KEY_RESTORED
							   : EVENT_STATE_KEY_GOOD,
			  LOG_FIELDS({ "public_key", r->public_key[0] ? r->public_key : NULL }),
			  "%s/%s: %s%s%s", d->at.dir, r->key.name,
			  is_missing ? "" : statejudge_text(r->key.verdict), is_missing ? "" : ": ",
			  r->key.note);
	for (size_t i = 0; i < r->view.n; i++) {
		const struct state_row *row = &r->view.rows[i];

		log_event(row->verdict == STATE_GOOD ? EVENT_STATE_FILE_GOOD : EVENT_STATE_FILE_BAD,
			  NULL, "%s/%s: %s: %s", d->at.dir, row->name,
			  statejudge_text(row->verdict), row->note);
	}
}

static void print_row(const struct state_row *row, int width)
{
	(void)printf("%-9s %-*s %s\n", statejudge_text(row->verdict), width, row->name, row->note);
}

static void print_table(const struct report *r, const struct state_dir *d)
{
	size_t width = strlen(r->key.name);

	for (size_t i = 0; i < r->view.n; i++)
		if (strlen(r->view.rows[i].name) > width)
			width = strlen(r->view.rows[i].name);
	if (width > NAME_SHOWN_MAX)
		width = NAME_SHOWN_MAX;
	(void)printf("%s, interface %s\n\n%-9s %-*s %s\n", d->at.dir, d->at.ifname, "STATE",
		     (int)width, "FILE", "WHAT IT IS");
	print_row(&r->key, (int)width);
	for (size_t i = 0; i < r->view.n; i++)
		print_row(&r->view.rows[i], (int)width);
	if (r->view.is_cut)
		(void)printf("... and more than %d files in all\n", STATEVIEW_MAX);
}

static json_t *row_json(const struct state_row *row)
{
	json_t *obj = json_object();

	(void)json_object_set_new(obj, "name", json_string(row->name));
	(void)json_object_set_new(obj, "kind", json_string(statename_text(row->kind)));
	(void)json_object_set_new(obj, "state", json_string(statejudge_text(row->verdict)));
	(void)json_object_set_new(obj, "note", json_string(row->note));
	return obj;
}

static void print_json(const struct report *r, const struct state_dir *d)
{
	json_t *obj = json_object();
	json_t *files = json_array();

	(void)json_array_append_new(files, row_json(&r->key));
	for (size_t i = 0; i < r->view.n; i++)
		(void)json_array_append_new(files, row_json(&r->view.rows[i]));
	(void)json_object_set_new(obj, "directory", json_string(d->at.dir));
	(void)json_object_set_new(obj, "interface", json_string(d->at.ifname));
	(void)json_object_set_new(obj, "public_key",
				  r->public_key[0] ? json_string(r->public_key) : json_null());
	(void)json_object_set_new(obj, "exit_code", json_integer(r->code));
	(void)json_object_set_new(obj, "files", files);
	(void)json_dumpf(obj, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(obj);
}

static int verify(const struct state_dir *d, const struct settings *s)
{
	bool is_quiet = settings_flag(s, SETTING_QUIET);
	struct report r = { 0 };
	struct err e = { 0 };

	check_key(&r, d, s);
	if (stateview_read(&r.view, &d->at, is_quiet, clock_now().unix_s, &e) < 0) {
		log_event(EVENT_STATE_UNREADABLE, NULL, "%s: %s", e.msg, strerror(-e.code));
		if (r.code == EXITS_OK)
			r.code = e.exit_code ? e.exit_code : EXITS_IO;
	}
	if (settings_flag(s, SETTING_JSON))
		print_json(&r, d);
	else if (is_quiet)
		log_report(&r, d);
	else
		print_table(&r, d);
	stateview_fini(&r.view);
	return r.code;
}

int state_verify(int argc, char **argv)
{
	struct state_dir d;
	struct settings s;
	struct err e = { 0 };
	int code = state_arguments(&s, &usage, argc, argv, NULL);

	if (code != 0)
		return code - 1;
	if (state_open(&d, &s, false, &e) < 0) {
		log_event(EVENT_STATE_UNREADABLE, NULL, "%s: %s", e.msg, strerror(-e.code));
		code = e.exit_code ? e.exit_code : EXITS_IO;
	} else {
		code = verify(&d, &s);
	}
	state_close(&d);
	return code;
}

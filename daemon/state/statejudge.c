/* SPDX-License-Identifier: MIT */
#include "daemon/state/statejudge.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/marker.h"
#include "daemon/dht/nodefile.h"
#include "daemon/state/identity.h"
#include "daemon/state/peercache.h"
#include "daemon/wire/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE   45
#define RELOAD_MAX 65536

const char *statejudge_text(enum state_verdict v)
{
	static const char *const texts[] = {
		[STATE_GOOD] = "good",	     [STATE_RESTORED] = "restored",
		[STATE_DAMAGED] = "damaged", [STATE_MISSING] = "missing",
		[STATE_FUTURE] = "future",   [STATE_LEFTOVER] = "leftover",
		[STATE_UNSAFE] = "unsafe",   [STATE_FOREIGN] = "foreign",
	};

	return texts[v];
}

__attribute__((format(printf, 3, 4))) static enum state_verdict say(
	char note[static STATEJUDGE_NOTE_SIZE], enum state_verdict v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(note, STATEJUDGE_NOTE_SIZE, fmt, ap);
	va_end(ap);
	return v;
}

static enum state_verdict judge_key(char *note, const struct state_content *c)
{
	struct identity id;
	struct err e = { 0 };
	char key[KEY_SIZE];
	int r = identity_parse(&id, c->data, c->len, &e);

	(void)wg_key_format(key, &id.public_key);
	identity_wipe(&id);
	if (r == -EPROTONOSUPPORT)
		return say(note, STATE_FUTURE, "%s; it is left alone", e.msg);
	if (r < 0)
		return say(note, STATE_DAMAGED, "%s", e.msg);
	return say(note, STATE_GOOD, "public key %s", key);
}

static enum state_verdict judge_peers(char *note, const struct state_content *c, int64_t now)
{
	struct cached_peer *peers = NULL;
	int64_t newest = 0;
	size_t n = 0;

	if (peercache_parse(&peers, &n, c->data, c->len, now, INT64_MAX) < 0)
		return say(note, STATE_DAMAGED,
			   "is no peer cache; nothing is lost: peers will be discovered anew");
	for (size_t i = 0; i < n; i++)
		if (peers[i].last_seen > newest)
			newest = peers[i].last_seen;
	free(peers);
	if (n == 0)
		return say(note, STATE_GOOD, "no peers");
	newest = now - newest;
	return say(note, STATE_GOOD, "%zu peer%s, the last one heard %lld %s ago", n,
		   n == 1 ? "" : "s",
		   (long long)(newest < 7200	 ? newest / 60
			       : newest < 172800 ? newest / 3600
						 : newest / 86400),
		   newest < 7200     ? "minutes"
		   : newest < 172800 ? "hours"
				     : "days");
}

static enum state_verdict judge_nodes(char *note, const struct state_content *c)
{
	if (c->len % NODEFILE_RECORD_LEN != 0)
		return say(note, STATE_DAMAGED,
			   "is cut: %zu bytes are no whole records of %d; nothing is lost: DHT "
			   "nodes will be found anew",
			   c->len, NODEFILE_RECORD_LEN);
	return say(note, STATE_GOOD, "%zu DHT nodes", c->len / NODEFILE_RECORD_LEN);
}

/* Lines "key=value", and comments (protocol.md section 13). */
static enum state_verdict judge_reload(char *note, const struct state_content *c)
{
	const char *p = c->data;
	unsigned int n = 0;

	if (c->len > RELOAD_MAX || strlen(c->data) != c->len)
		return say(note, STATE_DAMAGED, "is no text of key=value lines");
	while (*p) {
		size_t len = strcspn(p, "\n");
		size_t blank = strspn(p, " \t\r");

		if (blank < len && p[blank] != '#') {
			if (!memchr(p, '=', len))
				return say(note, STATE_DAMAGED, "has a line without \"=\"");
			n++;
		}
		p += len + (p[len] == '\n' ? 1 : 0);
	}
	return say(note, STATE_GOOD, "%u setting%s, read by `wgmesh reload` and on SIGHUP", n,
		   n == 1 ? "" : "s");
}

/* An encrypted mesh-state.json is base64 on one line or several. */
static bool is_base64(const char *text, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";

	return len >= 60 && strlen(text) == len && strspn(text, digits) == len;
}

static enum state_verdict judge_service(char *note, const struct state_content *c)
{
	bool wiped_before = json_wipe_memory(true);
	json_t *root = c->len > 0 ? json_parse(c->data, c->len, NULL) : NULL;

	json_decref(root);
	(void)json_wipe_memory(wiped_before);
	if (root)
		return say(note, STATE_GOOD, "valid JSON, carried over as it is");
	if (strcmp(c->name, "mesh-state.json") == 0 && is_base64(c->data, c->len))
		return say(note, STATE_GOOD, "encrypted, carried over as it is");
	return say(note, STATE_DAMAGED, "is not JSON; it is kept as it is, and no node needs it");
}

static enum state_verdict judge_marker(char *note, const struct state_content *c)
{
	struct marker m;
	int r = strlen(c->data) == c->len ? marker_parse(&m, c->data) : -EBADMSG;

	if (r == -EPROTONOSUPPORT)
		return say(note, STATE_FUTURE,
			   "was written by a newer release of wgmesh; it is left alone");
	if (r < 0)
		return say(note, STATE_DAMAGED,
			   "is damaged; it would tell who used this volume, and with which key");
	return say(note, STATE_GOOD, "volume %.32s, used by %llu container%s; last key %s",
		   m.volume, (unsigned long long)m.boots, m.boots == 1 ? "" : "s",
		   m.n_served > 0 ? m.served[0].public_key : "not known");
}

static enum state_verdict judge_own(char *note, const struct state_content *c)
{
	static const struct {
		const char *name;
		const char *what;
	} known[] = { { ".wgmesh.history", "the ends of earlier runs, counted by wgmesh-init" },
		      { ".wgmesh.migrated",
			"what wgmesh-init has migrated from a legacy directory" },
		      { ".wgmesh.probe", "left by an interrupted test write of wgmesh-init" },
		      { ".migrated-to-wgmesh", "says that this directory's files were migrated" } };

	if (strcmp(c->name, MARKER_FILE) == 0)
		return judge_marker(note, c);
	if (strncmp(c->name, ".wgmesh.lease.", strlen(".wgmesh.lease.")) == 0)
		return say(note, STATE_GOOD, "who uses this directory, for other hosts to see");
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(c->name, known[i].name) == 0)
			return say(note, STATE_GOOD, "%s", known[i].what);
	return say(note, STATE_GOOD, "belongs to wgmesh-init");
}

static enum state_verdict judge_temporary(char *note, const struct state_content *c)
{
	struct state_content inner = *c;
	char whole[STATEJUDGE_NOTE_SIZE];

	inner.kind = STATE_KEY;
	if (judge_key(whole, &inner) == STATE_GOOD)
		return say(note, STATE_LEFTOVER, "of an interrupted write, and whole: %.120s",
			   whole);
	return say(note, STATE_LEFTOVER,
		   "of an interrupted write; the next write of that file replaces it");
}

enum state_verdict statejudge(char note[static STATEJUDGE_NOTE_SIZE], const struct state_content *c,
			      int64_t now)
{
	switch (c->kind) {
	case STATE_KEY:
		return judge_key(note, c);
	case STATE_PEERS:
		return judge_peers(note, c, now);
	case STATE_NODES:
		return judge_nodes(note, c);
	case STATE_RELOAD:
		return judge_reload(note, c);
	case STATE_SERVICE:
		return judge_service(note, c);
	case STATE_OWN:
		return judge_own(note, c);
	case STATE_TEMPORARY:
		return judge_temporary(note, c);
	case STATE_SNAPSHOTS:
	case STATE_UNKNOWN:
		break;
	}
	return say(note, STATE_FOREIGN, "none of ours; left alone");
}

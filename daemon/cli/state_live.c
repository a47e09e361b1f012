/* SPDX-License-Identifier: MIT */
#include "daemon/cli/state_live.h"
#include "common/exits.h"
#include "daemon/cli/state.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/state/livecheck.h"
#include "daemon/state/peercache.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_SIZE 45
#define CURE	 "stop that node first; if it is gone for certain, say --offline"

static int refuse(const char *key, const char *where, struct err *e)
{
	return err_exit(e, EXITS_LOCKED, -EAGAIN,
			"this identity (%.44s) is live: %.200s. Two nodes with one key take each "
			"other's traffic: " CURE,
			key, where);
}

static const char *member(json_t *obj, const char *name)
{
	const char *text = json_string_value(json_object_get(obj, name));

	return text ? text : "";
}

/* The node that runs here may be this very one, from another directory, or know it. */
static int ask_here(const char *path, const char *key, struct err *e)
{
	char where[160] = "";
	void *result = NULL;
	json_t *peer;
	size_t i;

	if (cli_call(&result, path, "daemon.status", NULL, NULL) == 0) {
		if (strcmp(member(result, "pubkey"), key) == 0)
			(void)snprintf(where, sizeof(where), "the node that runs here, on %.15s",
				       member(result, "interface"));
		json_decref(result);
	}
	if (where[0] == '\0' && cli_call(&result, path, "peers.list", NULL, NULL) == 0) {
		json_array_foreach (json_object_get(result, "peers"), i, peer) {
			if (strcmp(member(peer, "pubkey"), key) == 0)
				(void)snprintf(where, sizeof(where),
					       "the node that runs here has it as an active peer, "
					       "%.40s at %.60s",
					       member(peer, "hostname"), member(peer, "endpoint"));
		}
		json_decref(result);
	}
	return where[0] != '\0' ? refuse(key, where, e) : 0;
}

/* Those heard last first, as far as their addresses are literal. */
static size_t find_peers(struct endpoint *out, const struct archive *a, uint16_t port)
{
	const struct archive_file *f = archive_find(a, STATE_PEERS);
	char text[ENDPOINT_OUT_SIZE];
	struct cached_peer *peers = NULL;
	size_t total = 0;
	size_t n = 0;

	if (!f || peercache_parse(&peers, &total, (const char *)f->data, f->len, clock_now().unix_s,
				  PEERCACHE_AGE_S) < 0)
		return 0;
	for (size_t i = 0; i < total && n < LIVECHECK_ASK_MAX; i++) {
		endpoint_control(text, peers[i].peer.endpoint, port);
		if (endpoint_parse(&out[n], text) == 0)
			n++;
	}
	free(peers);
	return n;
}

static int ask_mesh(const struct archive *a, const char *key, const struct secret *secret,
		    struct err *e)
{
	struct endpoint ask[LIVECHECK_ASK_MAX];
	struct livecheck_result found = { 0 };
	struct mesh_keys keys;
	struct livecheck q = { .keys = &keys,
			       .wanted = a->id.public_key,
			       .ask = ask,
			       .limit_ms = LIVECHECK_LIMIT_MS };
	struct err why = { 0 };
	int r;

	derive_keys(&keys, secret);
	q.n_ask = find_peers(ask, a, keys.gossip_port);
	if (isatty(STDERR_FILENO))
		state_say("asking the LAN and %zu peers for %d seconds whether it is in use",
			  q.n_ask, LIVECHECK_LIMIT_MS / 1000);
	r = livecheck_run(&found, &q, &why);
	derive_keys_wipe(&keys);
	if (r < 0)
		state_say("the mesh could not be asked whether this identity is in use: %s: %s",
			  why.msg, strerror(-r));
	else if (found.is_live)
		return refuse(key, found.where, e);
	else if (found.n_heard == 0)
		state_say("nobody in the mesh was heard, so nothing is known of other nodes with "
			  "this identity: make sure that there is none");
	return 0;
}

static bool has_secret(const struct settings *s)
{
	return settings_text(s, SETTING_SECRET) || settings_text(s, SETTING_SECRET_FILE) ||
	       getenv("CREDENTIALS_DIRECTORY");
}

int state_refuse_live(const struct archive *a, const struct settings *s, struct err *e)
{
	char path[CONFIG_SOCKET_SIZE];
	struct secret secret;
	char key[KEY_SIZE];
	int r = config_socket_path(path, s, a->ifname, e);

	(void)wg_key_format(key, &a->id.public_key);
	if (r == 0)
		r = ask_here(path, key, e);
	if (r < 0)
		return r;
	if (settings_flag(s, SETTING_OFFLINE)) {
		state_say(
			"not asked, as --offline says: whether this identity is in use elsewhere");
		return 0;
	}
	if (!has_secret(s)) {
		state_say("not asked: whether this identity is in use elsewhere; with the mesh's "
			  "secret (--secret-file) that could be");
		return 0;
	}
	r = config_secret(&secret, s, e);
	if (r == 0)
		r = ask_mesh(a, key, &secret, e);
	secret_wipe(&secret);
	return r;
}

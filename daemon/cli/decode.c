/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "common/io.h"
#include "daemon/cli/cli.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/wire/envelope.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static const struct cli_usage usage = {
	.name = "wgmesh decode",
	.synopsis = "--secret-file FILE [--now SECONDS] < DATAGRAM",
	.about =
		"Opens one captured datagram from standard input and prints its plaintext as JSON.\n"
		"--now is the Unix time of the capture: a datagram is valid for ten minutes.\n\n"
		"  wgmesh decode --secret-file secret --now 1767225600 < datagram\n",
	.scope = SCOPE_DECODE,
};

static int print_body(const struct envelope *env)
{
	(void)fprintf(stderr, "wgmesh: %s\n", message_type_name(env->type));
	(void)json_dumpf(env->body, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	(void)putchar('\n');
	return EXITS_OK;
}

static int decode(const struct secret *secret, int64_t now)
{
	static char datagram[ENVELOPE_DATAGRAM_MAX];
	ssize_t len = io_read_bounded(STDIN_FILENO, datagram, sizeof(datagram));
	struct mesh_keys keys;
	struct envelope env;
	enum envelope_result r;

	if (len < 0) {
		(void)fprintf(stderr,
			      "wgmesh: standard input holds no datagram (at most %d bytes)\n",
			      ENVELOPE_DATAGRAM_MAX);
		return EXITS_FAILURE;
	}
	derive_keys(&keys, secret);
	r = envelope_open(&env, datagram, (size_t)len, keys.gossip_key, now);
	derive_keys_wipe(&keys);
	if (r != ENVELOPE_OK) {
		(void)fprintf(stderr, "wgmesh: the datagram cannot be opened: %s\n",
			      envelope_result_name(r));
		return EXITS_FAILURE;
	}
	(void)print_body(&env);
	envelope_free(&env);
	return EXITS_OK;
}

int cli_decode(int argc, char **argv)
{
	struct secret secret;
	struct settings s;
	struct err e = { 0 };
	int64_t now = clock_now().unix_s;
	int code = EXITS_OK;

	if (cli_parse(&s, &usage, argc, argv, &code) < 0)
		return code;
	if (config_secret(&secret, &s, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	if (settings_is_given(&s, SETTING_NOW))
		now = (int64_t)settings_number(&s, SETTING_NOW);
	code = decode(&secret, now);
	secret_wipe(&secret);
	return code;
}

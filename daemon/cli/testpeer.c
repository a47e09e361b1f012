/* SPDX-License-Identifier: MIT */
#include "common/exits.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/peertesttext.h"
#include "daemon/cli/terminal.h"
#include "daemon/cli/text.h"
#include "daemon/config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct cli_usage usage = {
	.name = "wgmesh test-peer",
	.synopsis = "--peer IP:PORT [--secret-file FILE]",
	.about =
		"Asks one node whether it is there and has the same secret; no node need run here. PORT is\n"
		"that of its exchange, which follows from the secret, and may be left out. The node that is\n"
		"asked takes nothing in: what asks has a key that is thrown away.\n\n"
		"  wgmesh test-peer --peer 203.0.113.9 --secret-file mesh_secret\n"
		"  wgmesh test-peer --peer [2001:db8::9]:52000 --timeout 3s --json\n\n"
		"Without an answer it says what that can come from, and what tells the causes apart. Exit\n"
		"code: 0 when the node answered, 1 when not, 64 for wrong usage.\n",
	.scope = SCOPE_TEST_PEER,
};

static volatile sig_atomic_t ended_by;

static void on_end(int number)
{
	ended_by = number;
}

/* Whoever leaves early still says goodbye to the node. */
static void catch_signals(void)
{
	const struct sigaction end = { .sa_handler = on_end };

	(void)sigaction(SIGINT, &end, NULL);
	(void)sigaction(SIGTERM, &end, NULL);
}

static int show(const struct settings *s, const struct peertest *q, const struct peertest_result *r)
{
	struct show how = { .out = stdout };
	struct terminal t;
	json_t *obj;

	terminal_look(&t);
	how.width = t.columns;
	if (settings_flag(s, SETTING_JSON)) {
		obj = peertesttext_json(q, r);
		(void)json_dumpf(obj, stdout, JSON_INDENT(2));
		(void)putchar('\n');
		json_decref(obj);
	} else {
		peertesttext_print(&how, q, r);
	}
	return r->outcome == PEERTEST_ANSWERED ? EXITS_OK : EXITS_FAILURE;
}

static int test(const struct settings *s, struct mesh_keys *keys)
{
	struct peertest q = { .keys = keys,
			      .port = (uint16_t)settings_number(s, SETTING_PORT),
			      .limit_ms = (int64_t)settings_number(s, SETTING_TIMEOUT),
			      .is_stopped = &ended_by };
	static struct peertest_result r;
	struct err e = { 0 };
	int given = config_peer(&q.to, s, &e);
	int code;

	if (given < 0)
		return cli_fail(&e, EXITS_USAGE);
	if (given == 0)
		return cli_usage_error("whom to ask? say --peer IP:PORT, or --peer IP");
	if (q.to.port == 0)
		q.to.port = keys->gossip_port;
	catch_signals();
	if (peertest_run(&r, &q, &e) < 0)
		return cli_fail(&e, EXITS_FAILURE);
	if (ended_by && r.outcome != PEERTEST_ANSWERED) {
		(void)signal(ended_by, SIG_DFL);
		(void)raise(ended_by);
	}
	code = show(s, &q, &r);
	peertest_free(&r);
	return code;
}

int cli_test_peer(int argc, char **argv)
{
	struct secret secret = { 0 };
	struct mesh_keys keys;
	struct settings s;
	struct err e = { 0 };
	int code = EXITS_OK;
	int first = cli_parse(&s, &usage, argc, argv, &code);

	if (first < 0)
		return code;
	if (first < argc)
		return cli_usage_error("test-peer takes no argument, but got \"%.40s\"; say --peer",
				       argv[first]);
	if (config_secret(&secret, &s, &e) < 0)
		return cli_fail(&e, EXITS_USAGE);
	derive_keys(&keys, &secret);
	secret_wipe(&secret);
	code = test(&s, &keys);
	derive_keys_wipe(&keys);
	return code;
}

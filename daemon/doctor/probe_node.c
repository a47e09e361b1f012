/* SPDX-License-Identifier: MIT */
#include "daemon/cli/cli.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/nodefacts.h"
#include "daemon/doctor/probe.h"

#include <jansson.h>

void probe_node(void *out, const void *arg)
{
	const struct facts *known = arg;
	const char *path = known->wanted.socket_path;
	struct node_facts *f = out;
	struct err e = { 0 };
	void *answer = NULL;

	f->code = cli_call(&answer, path, "daemon.status", NULL, &e);
	if (f->code < 0)
		return;
	nodefacts_take_status(f, answer);
	json_decref(answer);
	if (cli_call(&answer, path, "peers.list", NULL, &e) < 0)
		return;
	nodefacts_take_peers(f, answer);
	json_decref(answer);
}

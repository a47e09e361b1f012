/* SPDX-License-Identifier: MIT */
#include "daemon/cli/commands.h"
#include "common/exits.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

int cli_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)puts("wgmesh version " WGMESH_VERSION);
	return EXITS_OK;
}

static const struct cli_verb peers_verbs[] = {
	{ "list", "the active ones, a line each", SCOPE_PEERS, OPERAND_NONE },
	{ "count", "how many there are", SCOPE_PEERS, OPERAND_NONE },
	{ "get", "everything about one", SCOPE_PEERS, OPERAND_PEER },
	{ 0 },
};

static const struct cli_verb state_verbs[] = {
	{ "verify", "explain every file; restore a damaged key", SCOPE_STATE, OPERAND_NONE },
	{ "show", "the public key of any key file", SCOPE_STATE_SHOW, OPERAND_FILE },
	{ "list", "the copies that are kept of the key", SCOPE_STATE_LIST, OPERAND_NONE },
	{ "snapshot", "make one more copy now", SCOPE_STATE_KEEP, OPERAND_NONE },
	{ "restore", "put one of them in the key's place", SCOPE_STATE_KEEP, OPERAND_SNAPSHOT },
	{ "export", "write the whole node into one sealed file", SCOPE_EXPORT, OPERAND_FILE },
	{ "import", "make this directory the node in such a file", SCOPE_IMPORT, OPERAND_FILE },
	{ 0 },
};

static const struct cli_verb completion_verbs[] = {
	{ "bash", "for bash", 0, OPERAND_NONE },
	{ "zsh", "for zsh", 0, OPERAND_NONE },
	{ "fish", "for fish", 0, OPERAND_NONE },
	{ 0 },
};

/* clang-format off */
static const struct cli_command commands[] = {
	{ "join", cli_join, "join the mesh and stay", SCOPE_JOIN, OPERAND_NONE, NULL },
	{ "status", cli_status, "what the running node says of itself and of its peers", SCOPE_STATUS, OPERAND_NONE, NULL },
	{ "peers", cli_peers, "list, count or get the other nodes", SCOPE_PEERS, OPERAND_NONE, peers_verbs },
	{ "test-peer", cli_test_peer, "ask another node whether it is there and has the same secret", SCOPE_TEST_PEER, OPERAND_NONE, NULL },
	{ "init", cli_init, "make a mesh secret", SCOPE_NEW_SECRET, OPERAND_NONE, NULL },
	{ "qr", cli_qr, "show the mesh secret as a QR code", SCOPE_QR, OPERAND_NONE, NULL },
	{ "state", cli_state, "look after the key: verify, snapshot, restore, export, import", 0, OPERAND_NONE, state_verbs },
	{ "doctor", cli_doctor, "find what keeps a node from working, and its cure", SCOPE_DOCTOR, OPERAND_NONE, NULL },
	{ "log-level", cli_log_level, "change the log levels of the running node", SCOPE_CONTROL, OPERAND_LEVELS, NULL },
	{ "reload", cli_reload, "have the running node read its .reload file: routes, log levels", SCOPE_CONTROL, OPERAND_NONE, NULL },
	{ "down", cli_down, "delete the interface of a node that no longer can", SCOPE_DOWN, OPERAND_NONE, NULL },
	{ "decode", cli_decode, "open a captured datagram", SCOPE_DECODE, OPERAND_NONE, NULL },
	{ "completion", cli_completion, "print what makes a shell complete all of this", 0, OPERAND_NONE, completion_verbs },
	{ "version", cli_version, "print the version", 0, OPERAND_NONE, NULL },
	{ 0 },
};
/* clang-format on */

const struct cli_command *cli_commands(void)
{
	return commands;
}

const struct cli_command *cli_find(const char *name)
{
	for (const struct cli_command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

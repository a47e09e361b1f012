/* SPDX-License-Identifier: MIT */
/*
 * reload - the file that a running node reads when it is told to reload (protocol.md section 13); pure
 *
 *	# networks behind this node; empty for none
 *	advertise-routes=192.168.10.0/24,fd00:1::/64
 *	log-level=info,exchange=debug
 *	# nodes to begin with; empty for none
 *	peer=192.0.2.1,[2001:db8::1]:52101
 *	peer-dns=mesh.example.org
 *
 * A key that is missing leaves its value as it is.
 */
#ifndef DAEMON_NODE_RELOAD_H
#define DAEMON_NODE_RELOAD_H

#include "common/err.h"
#include "daemon/net/hostport.h"
#include "daemon/peers/routelist.h"

#include <stdbool.h>
#include <stddef.h>

#define RELOAD_FILE_MAX	   16384
#define RELOAD_LEVELS_SIZE 512

/**
 * struct reload - What the file says
 * @has_routes:	@routes is set
 * @routes:	Networks to advertise from now on
 * @has_levels:	@levels is set
 * @levels:	As --log-level; not checked yet
 * @levels_line: Its line
 * @has_peers:	@peers is set
 * @peers:	As --peer
 * @has_dns:	@dns is set
 * @dns:	As --peer-dns
 */
struct reload {
	bool has_routes;
	struct routelist routes;
	bool has_levels;
	char levels[RELOAD_LEVELS_SIZE];
	unsigned int levels_line;
	bool has_peers;
	struct hostports peers;
	bool has_dns;
	struct hostports dns;
};

/**
 * reload_parse() - Read the file
 * @out:	Receives what it says; not to be used after a failure
 * @text:	Its bytes, up to RELOAD_FILE_MAX; need not be terminated
 * @len:	Bytes in @text
 * @path:	Its name, for the message
 * @e:		Names file, line, what is wrong and what to write instead
 *
 * Return: 0 or -EINVAL; one bad line refuses all of them
 */
int reload_parse(struct reload *out, const char *text, size_t len, const char *path, struct err *e);

#endif /* DAEMON_NODE_RELOAD_H */

/* SPDX-License-Identifier: MIT */
/* rpc_server - the control socket: one JSON-RPC request a line, one answer a line */
#ifndef DAEMON_RPC_SERVER_H
#define DAEMON_RPC_SERVER_H

#include "common/err.h"
#include "daemon/rpc.h"

struct event_base;
struct rpc_server;

/**
 * struct rpc_provider - Who knows the answers
 * @arg:	Passed to each call
 * @fill:	Fills in what a request is answered from; called for each request
 */
struct rpc_provider {
	void *arg;
	void (*fill)(void *arg, struct rpc_source *out);
};

/**
 * rpc_server_open() - Listen on a Unix socket
 * @out:	Receives the handle, to be closed with rpc_server_close()
 * @base:	Event loop; borrowed
 * @path:	Socket path; its directory is made (0755) when missing
 * @from:	Source of answers; copied
 * @e:		Receives the reason on failure
 *
 * Only root and this process's own user are answered (SO_PEERCRED). A file at @path is removed only
 * when it is a socket that refuses connections: one that a dead node left.
 *
 * Return: 0, -EADDRINUSE when a live node has the socket, or another negative errno value
 */
int rpc_server_open(struct rpc_server **out, struct event_base *base, const char *path,
		    const struct rpc_provider *from, struct err *e);

/**
 * rpc_server_close() - Stop listening and remove the socket
 */
void rpc_server_close(struct rpc_server *s);

#endif /* DAEMON_RPC_SERVER_H */

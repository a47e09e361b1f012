/* SPDX-License-Identifier: MIT */
/* rpc_server - the control socket: one JSON-RPC request a line, one answer a line */
#ifndef DAEMON_RPC_RPC_SERVER_H
#define DAEMON_RPC_RPC_SERVER_H

#include "common/err.h"
#include "daemon/rpc/rpc.h"

#include <stdint.h>

#define RPC_SERVER_CLIENTS_MAX 32
#define RPC_SERVER_SILENCE_S   30 /* neither a whole request nor room for its answer: closed */

struct event_base;
struct rpc_server;

/**
 * rpc_server_listen() - Make the Unix socket, in the process that may make files
 * @path:	Socket path; its directory is made (0755) when missing
 * @e:		Receives the reason on failure
 *
 * A file at @path is removed only when it is a socket that refuses connections: one that a dead node
 * left. Whoever makes the socket removes it in the end.
 *
 * Return: descriptor owned by the caller, -EADDRINUSE when a live node has the socket, or another
 *         negative errno value
 */
int rpc_server_listen(const char *path, struct err *e);

/**
 * rpc_server_open() - Answer on a listening socket
 * @out:	Receives the handle, to be closed with rpc_server_close()
 * @base:	Event loop; borrowed
 * @fd:		Socket of rpc_server_listen(); taken over, also when it fails
 * @from:	The node, who knows the answers; copied
 * @e:		Receives the reason on failure
 *
 * Only root and this process's own user are answered (SO_PEERCRED). When all places are taken, the
 * oldest connection that waits for no answer is closed in favour of a new one.
 *
 * Return: 0 or -ENOMEM
 */
int rpc_server_open(struct rpc_server **out, struct event_base *base, int fd,
		    const struct view_source *from, struct err *e);

/**
 * rpc_server_close() - Stop listening; the socket's file stays
 */
void rpc_server_close(struct rpc_server *s);

/**
 * rpc_server_evicted() - Connections that were closed to make room, or for slowness
 * @s:		Server, may be NULL
 */
uint64_t rpc_server_evicted(const struct rpc_server *s);

#endif /* DAEMON_RPC_RPC_SERVER_H */

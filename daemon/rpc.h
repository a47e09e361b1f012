/* SPDX-License-Identifier: MIT */
/*
 * rpc - JSON-RPC 2.0 requests and their answers (protocol.md section 14); no socket here
 *
 * Member names are those of existing nodes, so that their clients work.
 */
#ifndef DAEMON_RPC_H
#define DAEMON_RPC_H

#include "daemon/clock.h"
#include "daemon/peers.h"

#include <stddef.h>
#include <stdint.h>

#define RPC_LINE_MAX 65536

/**
 * struct rpc_status - What daemon.status tells
 */
struct rpc_status {
	struct ip mesh_ip;
	struct ip mesh_ip6;
	char pubkey[PEER_TEXT_SIZE];
	int64_t uptime_ms;
	const char *ifname;
	const char *backend;
	const char *identity; /* "loaded", "restored", "created" */
};

/**
 * struct rpc_source - What requests are answered from
 * @status:	This node; borrowed
 * @peers:	Peer table; borrowed
 * @now:	Time
 */
struct rpc_source {
	const struct rpc_status *status;
	struct peers *peers;
	struct now now;
};

/**
 * rpc_answer() - Answer one request
 * @line:	Request without its newline; borrowed
 * @len:	Bytes in @line
 * @src:	What to answer from
 *
 * Return: the answer with its newline, owned by the caller, to be freed; NULL without memory
 */
char *rpc_answer(const char *line, size_t len, const struct rpc_source *src);

#endif /* DAEMON_RPC_H */

/* SPDX-License-Identifier: MIT */
/*
 * rpc - JSON-RPC 2.0 requests and their answers (protocol.md section 14); no socket here
 *
 * Member names are those of existing nodes, so that their clients work. Most answers tell of this
 * moment, and wait until netadmin and PID 1 have been asked: hence the two steps.
 */
#ifndef DAEMON_RPC_RPC_H
#define DAEMON_RPC_RPC_H

#include "daemon/view/view.h"

#include <stdbool.h>
#include <stddef.h>

#define RPC_LINE_MAX 65536

struct rpc_call;

/**
 * rpc_begin() - Take one request, and do what can be done at once
 * @line:	Request without its newline; borrowed
 * @len:	Bytes in @line
 * @src:	The node; borrowed for the call
 *
 * Return: the request, owned by the caller, for rpc_finish() or rpc_drop(); NULL without memory
 */
struct rpc_call *rpc_begin(const char *line, size_t len, const struct view_source *src);

/**
 * rpc_needs_view() - Does the answer need a fresh view?
 */
bool rpc_needs_view(const struct rpc_call *c);

/**
 * rpc_finish() - Answer the request
 * @c:		Request; released
 * @v:		Fresh view; borrowed; may be NULL when none is needed
 *
 * Return: the answer with its newline, owned by the caller, to be freed; NULL without memory
 */
char *rpc_finish(struct rpc_call *c, const struct view *v);

/**
 * rpc_drop() - Release a request whose asker is gone
 */
void rpc_drop(struct rpc_call *c);

#endif /* DAEMON_RPC_RPC_H */

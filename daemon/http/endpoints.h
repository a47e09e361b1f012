/* SPDX-License-Identifier: MIT */
/* endpoints - what is answered to each path, as status and text; pure */
#ifndef DAEMON_HTTP_ENDPOINTS_H
#define DAEMON_HTTP_ENDPOINTS_H

#include "daemon/http/process.h"
#include "daemon/view/view.h"

#include <stdbool.h>
#include <stddef.h>

enum http_endpoint {
	HTTP_LIVEZ,
	HTTP_STARTUPZ,
	HTTP_READYZ,
	HTTP_HEALTH,
	HTTP_STATS,
	HTTP_METRICS,
	HTTP_ENDPOINT_COUNT,
};

/* What an answer is made from. */
enum http_needs {
	NEEDS_NOTHING,
	NEEDS_VIEW,  /* what is known anyway */
	NEEDS_FRESH, /* what netadmin and PID 1 say now */
};

/**
 * struct http_endpoint_row - One path
 * @path:	Path
 * @needs:	What its answer is made from
 * @help:	What it is for, one line
 */
struct http_endpoint_row {
	const char *path;
	enum http_needs needs;
	const char *help;
};

/**
 * http_endpoints_table() - The paths, indexed by enum http_endpoint, HTTP_ENDPOINT_COUNT rows
 */
const struct http_endpoint_row *http_endpoints_table(void);

/**
 * http_endpoint_find() - Which endpoint is at a path?
 * @path:	Path without the query; NULL is none
 *
 * Return: endpoint, HTTP_ENDPOINT_COUNT when there is none
 */
enum http_endpoint http_endpoint_find(const char *path);

/**
 * struct http_request - What was asked
 * @query:	Behind the '?'; NULL for nothing
 * @accept:	Accept header; NULL for none
 * @view:	The node; NULL for an endpoint that needs nothing
 * @process:	This process; NULL for an endpoint that needs no fresh view, except /stats
 * @n_peers:	How many peers have metrics of their own
 */
struct http_request {
	const char *query;
	const char *accept;
	const struct view *view;
	const struct process_facts *process;
	size_t n_peers;
};

/**
 * struct http_answer - An answer
 * @status:	HTTP status
 * @type:	Content-Type
 * @body:	Text; owned by the caller, free()
 * @len:	Bytes in @body
 */
struct http_answer {
	int status;
	const char *type;
	char *body;
	size_t len;
};

/**
 * http_answer_make() - Make an answer
 * @out:	Receives it
 * @id:		Endpoint; HTTP_ENDPOINT_COUNT is answered with 404 and the list of paths
 * @req:	What was asked
 *
 * Return: 0 or -ENOMEM
 */
int http_answer_make(struct http_answer *out, enum http_endpoint id,
		     const struct http_request *req);

/**
 * http_host_is_local() - May a request that came in by loopback name this host?
 * @host:	Host of the request without its port; NULL for none
 * @hostname:	Name of this machine
 *
 * A web page may have its own name resolved to 127.0.0.1, and then its scripts may read what a
 * server there answers. A browser sends that name; nobody who is meant to ask does.
 *
 * Return: true for an address, "localhost", a name below it, @hostname, or no host at all
 */
bool http_host_is_local(const char *host, const char *hostname);

#endif /* DAEMON_HTTP_ENDPOINTS_H */

/* SPDX-License-Identifier: MIT */
/*
 * server - health and metrics over HTTP (libevent's evhttp), for probes, scrapes and curl
 *
 * GET and HEAD only, one request a connection, no authentication, nothing that changes anything.
 */
#ifndef DAEMON_HTTP_SERVER_H
#define DAEMON_HTTP_SERVER_H

#include "common/err.h"
#include "daemon/http/address.h"
#include "daemon/view/view.h"

#include <stddef.h>
#include <stdint.h>

#define HTTP_CLIENTS_MAX 64
#define HTTP_LIFETIME_MS 5000 /* from connect to the last byte of the answer */

struct event_base;
struct http;

/**
 * struct http_config - What a server is told
 * @at:		Where to listen; borrowed for as long as the server is open
 * @hostname:	Name of this machine; borrowed likewise
 * @n_peers:	How many peers have metrics of their own
 * @from:	The node, who knows the answers; copied
 */
struct http_config {
	const struct http_addresses *at;
	const char *hostname;
	size_t n_peers;
	const struct view_source *from;
};

/**
 * http_open() - Listen and answer
 * @out:	Receives the handle, to be closed with http_close(); NULL where there is no address
 * @base:	Event loop; borrowed
 * @cfg:	Configuration
 * @e:		Receives the reason on failure
 *
 * An address that cannot be listened at is no failure: it is logged as an error and tried again
 * after five seconds, then ever more rarely, since it may be a mesh address, or that of a node that
 * is just ending. A Unix socket, however, is made now or never: a running node can make no file.
 *
 * Return: 0 or -ENOMEM
 */
int http_open(struct http **out, struct event_base *base, const struct http_config *cfg,
	      struct err *e);

/**
 * http_close() - Stop listening and hang up; the files of Unix sockets stay
 * @h:		Server, may be NULL
 */
void http_close(struct http *h);

/**
 * http_sockets() - Which of the addresses are Unix sockets that were made, and have to be removed
 * @h:		Server, may be NULL
 *
 * Return: a bit each, in the order of the addresses
 */
uint32_t http_sockets(const struct http *h);

/**
 * http_trouble() - Why nobody answers at one of the addresses
 * @h:		Server, may be NULL
 *
 * Return: a sentence, valid until the loop runs again; NULL when all are listened at
 */
const char *http_trouble(const struct http *h);

/**
 * http_evicted() - Connections that were closed to make room, or for slowness
 * @h:		Server, may be NULL
 */
uint64_t http_evicted(const struct http *h);

#endif /* DAEMON_HTTP_SERVER_H */

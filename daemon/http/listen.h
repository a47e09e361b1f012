/* SPDX-License-Identifier: MIT */
/* listen - the sockets that the HTTP server listens at */
#ifndef DAEMON_HTTP_LISTEN_H
#define DAEMON_HTTP_LISTEN_H

#include "common/err.h"
#include "daemon/http/address.h"

/**
 * http_listen() - Open a listening socket
 * @a:		Address
 * @e:		Says what has failed and what to do
 *
 * Return: non-blocking descriptor owned by the caller, or a negative errno value
 */
int http_listen(const struct http_address *a, struct err *e);

#endif /* DAEMON_HTTP_LISTEN_H */

/* SPDX-License-Identifier: MIT */
#include "daemon/http/listen.h"
#include "common/defs.h"
#include "daemon/net/unixlisten.h"

#include <errno.h>
#include <sys/socket.h>

/* A crowd waits here: whom the backlog has no room for, TCP tells a second later. */
#define BACKLOG 512

static int listen_tcp(const struct endpoint *at, int is_v6_only)
{
	static const int yes = 1;
	struct sockaddr_storage ss = { 0 };
	socklen_t len = endpoint_to_sockaddr(&ss, at, false);
	auto_close int fd =
		socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	if (fd < 0)
		return -errno;
	/* Connections of the last run that still linger are no reason not to listen. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0)
		return -errno;
	if (ss.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6_only, sizeof(is_v6_only)) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&ss, len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* Where IPv6 is switched off, every address is every IPv4 one. */
static int listen_everywhere(uint16_t port)
{
	struct endpoint at = { .ip = { .family = AF_INET6 }, .port = port };
	int fd = listen_tcp(&at, 0);

	if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
		return fd;
	at.ip.family = AF_INET;
	return listen_tcp(&at, 0);
}

static const char *cure(int code)
{
	switch (-code) {
	case EADDRINUSE:
		return ", another program or node has it; give another address with --http, or none";
	case EADDRNOTAVAIL:
		return ", it is tried again until this machine has that address";
	case EACCES:
		return ", take a port above 1023 or a directory that this user may write to";
	case EEXIST:
		return ", move that file away or give another path";
	default:
		return "";
	}
}

int http_listen(const struct http_address *a, struct err *e)
{
	char text[HTTP_PATH_SIZE];
	int fd;

	if (a->path[0])
		fd = unixlisten_open(a->path, BACKLOG);
	else
		fd = a->is_any ? listen_everywhere(a->at.port) : listen_tcp(&a->at, 1);
	if (fd >= 0)
		return fd;
	return err_set(e, fd, "cannot serve health and metrics at %s%s",
		       http_address_format(text, a), cure(fd));
}

/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin.h"
#include "daemon/admin/netadmin_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int netadmin_send(const struct netadmin *n, const struct netadmin_request *req, int fd)
{
	return netadmin_wire_send(n->fd, req, sizeof(*req), fd, MSG_DONTWAIT);
}

int netadmin_receive(const struct netadmin *n, struct netadmin_reply *out, int *fd)
{
	return netadmin_wire_receive(n->fd, out, sizeof(*out), fd, MSG_DONTWAIT);
}

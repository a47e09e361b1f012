/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin.h"
#include "daemon/admin/netadmin_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int netadmin_send(const struct netadmin *n, const void *msg, size_t len, int fd)
{
	return netadmin_wire_send(n->fd, msg, len, fd, MSG_DONTWAIT);
}

static bool is_batch(const struct netadmin_batch *b)
{
	return b->len >= sizeof(b->msg.what) &&
	       (b->msg.what == NETADMIN_PEER_STATES || b->msg.what == NETADMIN_PEERS_FAILED);
}

int netadmin_receive(const struct netadmin *n, struct netadmin_reply *out,
		     struct netadmin_batch *batch, int *fd)
{
	ssize_t got = netadmin_wire_take(n->fd, batch->msg.bytes, sizeof(batch->msg.bytes), fd,
					 MSG_DONTWAIT);

	if (got < 0)
		return (int)got;
	batch->len = (size_t)got;
	if (is_batch(batch)) {
		out->event = batch->msg.what;
		return 0;
	}
	if (batch->len != sizeof(*out)) {
		if (*fd >= 0)
			(void)close(*fd);
		*fd = -1;
		return -EPROTO;
	}
	memcpy(out, batch->msg.bytes, sizeof(*out));
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* fakeadmin - a node's link to netadmin, whose other end is the test */
#ifndef TESTS_UNIT_FAKEADMIN_H
#define TESTS_UNIT_FAKEADMIN_H

#include "daemon/admin/netadmin_wire.h"
#include "daemon/node/node_impl.h"
#include "tests/unit/test.h"

#include <string.h>
#include <sys/socket.h>

static inline void fakeadmin_ignore_reply(void *arg, const struct netadmin_reply *r, int fd)
{
	(void)arg;
	(void)r;
	(void)fd;
}

static inline void fakeadmin_ignore_batch(void *arg, const struct netadmin_batch *b)
{
	(void)arg;
	(void)b;
}

static inline void fakeadmin_ignore(void *arg)
{
	(void)arg;
}

/* Opens the link of @n; returns netadmin's end of the wire. */
static inline int fakeadmin_open(struct node *n)
{
	static const struct adminlink_handler h = { NULL, fakeadmin_ignore_reply, fakeadmin_ignore,
						    fakeadmin_ignore, fakeadmin_ignore_batch };
	struct netadmin admin = { .pid = -1 };
	struct err e = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	admin.fd = pair[0];
	assert_int_equal(adminlink_open(&n->admin, n->base, &admin, &h, &e), 0);
	return pair[1];
}

/**
 * struct fakeadmin - Requests as they come, the changes of a batch one by one
 * @fd:		netadmin's end of the wire
 * @pos:	How far @batch has been read; 0 when it has been
 * @messages:	How many came
 * @batch:	What came last
 */
struct fakeadmin {
	int fd;
	size_t pos;
	size_t messages;
	struct netadmin_batch batch;
};

/**
 * struct fakeadmin_request - A request, or one change out of a batch
 * @op:		As in @req; NETADMIN_PEERS for a change
 * @req:	Request
 * @peer:	Change
 */
struct fakeadmin_request {
	uint32_t op;
	struct netadmin_request req;
	struct wg_peer_config peer;
};

/* Takes the next one; false when there is none. */
static inline bool fakeadmin_next(struct fakeadmin *a, struct fakeadmin_request *out)
{
	ssize_t n;
	int fd = -1;

	out->op = NETADMIN_PEERS;
	if (a->pos > 0 && netadmin_batch_next_change(&a->batch, &a->pos, &out->peer) > 0)
		return true;
	a->pos = 0;
	n = netadmin_wire_take(a->fd, a->batch.msg.bytes, sizeof(a->batch.msg.bytes), &fd,
			       MSG_DONTWAIT);
	assert_int_equal(fd, -1);
	if (n < 0)
		return false;
	a->messages++;
	a->batch.len = (size_t)n;
	out->op = a->batch.msg.what;
	if (out->op == NETADMIN_PEERS) {
		assert_int_equal(netadmin_batch_next_change(&a->batch, &a->pos, &out->peer), 1);
		return true;
	}
	assert_int_equal(n, sizeof(out->req));
	memcpy(&out->req, a->batch.msg.bytes, sizeof(out->req));
	return true;
}

#endif /* TESTS_UNIT_FAKEADMIN_H */

/* SPDX-License-Identifier: MIT */
/* fakeadmin - a node's link to netadmin, whose other end is the test */
#ifndef TESTS_UNIT_FAKEADMIN_H
#define TESTS_UNIT_FAKEADMIN_H

#include "daemon/node/node_impl.h"
#include "tests/unit/test.h"

#include <sys/socket.h>

static inline void fakeadmin_ignore_reply(void *arg, const struct netadmin_reply *r, int fd)
{
	(void)arg;
	(void)r;
	(void)fd;
}

static inline void fakeadmin_ignore(void *arg)
{
	(void)arg;
}

/* Opens the link of @n; returns netadmin's end of the wire. */
static inline int fakeadmin_open(struct node *n)
{
	static const struct adminlink_handler h = { NULL, fakeadmin_ignore_reply, fakeadmin_ignore,
						    fakeadmin_ignore };
	struct netadmin admin = { .pid = -1 };
	struct err e = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	admin.fd = pair[0];
	assert_int_equal(adminlink_open(&n->admin, n->base, &admin, &h, &e), 0);
	return pair[1];
}

#endif /* TESTS_UNIT_FAKEADMIN_H */

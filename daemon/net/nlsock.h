/* SPDX-License-Identifier: MIT */
/* nlsock - a netlink socket: one request, its answer, its acknowledgement */
#ifndef DAEMON_NET_NLSOCK_H
#define DAEMON_NET_NLSOCK_H

#include "common/err.h"
#include "daemon/net/nlmsg.h"

#include <linux/netlink.h>

struct nlsock;

/**
 * nlsock_open() - Open a socket of a netlink family
 * @out:	Receives the handle, to be closed with nlsock_close()
 * @family:	NETLINK_ROUTE or NETLINK_GENERIC
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int nlsock_open(struct nlsock **out, int family, struct err *e);
void nlsock_close(struct nlsock *s);

/*
 * Called once per message of an answer; @nlh is borrowed and its length checked. A negative return
 * is the result of the whole call; the rest of the answer is still read. @nlh is NULL when an answer
 * begins anew because the kernel's tables changed under a dump: what came before is void.
 */
typedef int nlsock_fn(const struct nlmsghdr *nlh, void *arg);

/**
 * nlsock_talk() - Send a request and read its answer to the end
 * @s:		Handle
 * @req:	Request with NLM_F_ACK or NLM_F_DUMP; its sequence number is filled in
 * @fn:		Called for each message of the answer, may be NULL
 * @arg:	Passed on to @fn
 * @v:		Receives the kernel's verdict, or the failure of the socket
 *
 * The receive buffer is wiped afterwards. No answer within ten seconds is -ETIMEDOUT.
 *
 * Return: @v->code
 */
int nlsock_talk(struct nlsock *s, struct nlmsghdr *req, nlsock_fn *fn, void *arg,
		struct nlmsg_verdict *v);

/**
 * nlsock_order() - Send several requests at once, and read the acknowledgement of each
 * @s:		Handle
 * @reqs:	Requests with NLM_F_ACK, one behind the other, each aligned; their sequence numbers are
 *		filled in
 * @len:	Bytes in @reqs
 * @v:		Receives the kernel's verdicts, in order, or the failure of the socket
 * @n:		Requests; their acknowledgements have to fit into a socket's buffer: a hundred do
 */
void nlsock_order(struct nlsock *s, void *reqs, size_t len, struct nlmsg_verdict *v, size_t n);

#endif /* DAEMON_NET_NLSOCK_H */

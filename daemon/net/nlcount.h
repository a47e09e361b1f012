/* SPDX-License-Identifier: MIT */
/* nlcount - how many requests this process has sent to the kernel, or to a userspace WireGuard */
#ifndef DAEMON_NET_NLCOUNT_H
#define DAEMON_NET_NLCOUNT_H

#include <linux/netlink.h>
#include <stdint.h>

enum nlcount_kind {
	NLCOUNT_PEER,	 /* changes of peers, many in one */
	NLCOUNT_ROUTE,	 /* routes added or deleted */
	NLCOUNT_ADDRESS, /* addresses of an interface */
	NLCOUNT_LINK,	 /* the interface itself: made, named, its key and port, and all the rest */
	NLCOUNT_DUMP,	 /* questions that change nothing */
};
#define NLCOUNT_KINDS 5

/**
 * struct nlcount - Requests by kind, since the process began
 */
struct nlcount {
	uint64_t n[NLCOUNT_KINDS];
};

/* "peer", "route", "address", "link", "dump" */
const char *nlcount_name(enum nlcount_kind kind);

/**
 * nlcount_add() - One more was sent
 */
void nlcount_add(enum nlcount_kind kind);

/**
 * nlcount_add_message() - The same, for a netlink message; pure but for the counting
 * @nlh:	Request as it was sent
 * @family:	NETLINK_ROUTE or NETLINK_GENERIC
 */
void nlcount_add_message(const struct nlmsghdr *nlh, int family);

void nlcount_read(struct nlcount *out);

#endif /* DAEMON_NET_NLCOUNT_H */

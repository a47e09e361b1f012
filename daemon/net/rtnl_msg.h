/* SPDX-License-Identifier: MIT */
/* rtnl_msg - rtnetlink requests and answers as bytes; pure, the other half of rtnl */
#ifndef DAEMON_NET_RTNL_MSG_H
#define DAEMON_NET_RTNL_MSG_H

#include "daemon/net/addr.h"
#include "daemon/net/rtnl.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any request below; the longest carries an alias. */
#define RTNL_MSG_SIZE 512

/* A request under construction, aligned as netlink wants it. */
union rtnl_req {
	struct nlmsghdr nlh;
	uint8_t bytes[RTNL_MSG_SIZE];
};

/* What a link message says beyond struct rtnl_link. */
struct rtnl_link_msg {
	struct rtnl_link link;
	bool is_loopback;
	bool is_running; /* has a carrier, or needs none */
	bool forwards4;	 /* IPv4 packets that came through it */
};

/**
 * struct rtnl_route - What a route message says, as far as it matters here
 * @dst:	Destination; 0 bits is a default route
 * @table:	RT_TABLE_*
 * @protocol:	RTPROT_*
 * @is_unicast:	Not local, broadcast, blackhole, ...
 * @n_oif:	Entries in @oif
 * @oif:	Interfaces it leads through; more than fit are left out
 * @gateway:	For each of them, where packets go first; "none" when it is directly reached
 * @mtu:	Its own MTU in bytes, 0 when it has none
 */
struct rtnl_route {
	struct prefix dst;
	uint32_t table;
	uint8_t protocol;
	bool is_unicast;
	size_t n_oif;
	int oif[16];
	struct ip gateway[16];
	uint32_t mtu;
};

/* Requests: each fills @req completely. Names and aliases that do not fit are a bug of the caller's. */
void rtnl_msg_link_get(union rtnl_req *req, const char *ifname);
void rtnl_msg_link_ask(union rtnl_req *req, int ifindex);
void rtnl_msg_link_dump(union rtnl_req *req);
void rtnl_msg_link_create(union rtnl_req *req, const char *ifname, const char *kind);
void rtnl_msg_link_delete(union rtnl_req *req, const char *ifname);
void rtnl_msg_link_name(union rtnl_req *req, int ifindex, const char *ifname);
void rtnl_msg_link_alias(union rtnl_req *req, int ifindex, const char *alias);
void rtnl_msg_link_mtu(union rtnl_req *req, int ifindex, uint32_t mtu);
void rtnl_msg_link_forwarding(union rtnl_req *req, int ifindex, bool on);
void rtnl_msg_link_up(union rtnl_req *req, int ifindex, bool up);
void rtnl_msg_addr(union rtnl_req *req, bool add, int ifindex, const struct prefix *addr);
void rtnl_msg_addr_dump(union rtnl_req *req, uint8_t family, int ifindex);
/* Asks which way a packet to an address would take. */
void rtnl_msg_route_ask(union rtnl_req *req, const struct ip *to);
void rtnl_msg_route(union rtnl_req *req, bool add, int ifindex, const struct prefix *dst);

/**
 * rtnl_msg_route_dump() - Ask for the routes of the main table
 * @req:	Receives the request
 * @family:	AF_INET or AF_INET6
 * @ifindex:	Only those of ours through this interface; 0 for all of everybody's
 *
 * Old kernels ignore the filter: answers have to be checked all the same.
 */
void rtnl_msg_route_dump(union rtnl_req *req, uint8_t family, int ifindex);

/**
 * rtnl_msg_parse_link() - Read an RTM_NEWLINK message
 *
 * Return: 0, -ENOMSG for another type, -EBADMSG
 */
int rtnl_msg_parse_link(struct rtnl_link_msg *out, const struct nlmsghdr *nlh);

/**
 * rtnl_msg_parse_addr() - Read an RTM_NEWADDR message
 * @out:	Receives the interface's own address and its network's length
 * @ifindex:	Receives the interface
 * @is_global:	Receives whether its scope is global
 * @nlh:	Message whose length has been checked
 *
 * Return: 0, -ENOMSG for another type or family, -EBADMSG
 */
int rtnl_msg_parse_addr(struct prefix *out, int *ifindex, bool *is_global,
			const struct nlmsghdr *nlh);

/**
 * rtnl_msg_addr_flags() - IFA_F_* of an RTM_NEWADDR message that rtnl_msg_parse_addr() has taken
 */
uint32_t rtnl_msg_addr_flags(const struct nlmsghdr *nlh);

/**
 * rtnl_msg_parse_gone_link() - Read an RTM_DELLINK message of an interface that is no more
 *
 * Return: 0, -ENOMSG for another type, -EBADMSG
 */
int rtnl_msg_parse_gone_link(int *ifindex, const struct nlmsghdr *nlh);

/**
 * rtnl_msg_parse_gone_addr() - Read an RTM_DELADDR message, as rtnl_msg_parse_addr() does
 */
int rtnl_msg_parse_gone_addr(struct prefix *out, int *ifindex, const struct nlmsghdr *nlh);

/**
 * rtnl_msg_parse_route() - Read an RTM_NEWROUTE message
 *
 * Return: 0, -ENOMSG for another type or family, -EBADMSG
 */
int rtnl_msg_parse_route(struct rtnl_route *out, const struct nlmsghdr *nlh);

/**
 * rtnl_msg_parse_any_route() - The same of an RTM_DELROUTE message, too
 */
int rtnl_msg_parse_any_route(struct rtnl_route *out, const struct nlmsghdr *nlh);

/**
 * rtnl_route_is_ours() - Is it a route of our protocol number through this interface?
 */
bool rtnl_route_is_ours(const struct rtnl_route *route, int ifindex);

#endif /* DAEMON_NET_RTNL_MSG_H */

/* SPDX-License-Identifier: MIT */
/* udp - datagram sockets that know which local address a datagram came to */
#ifndef DAEMON_NET_UDP_H
#define DAEMON_NET_UDP_H

#include "common/err.h"
#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct udp - A non-blocking UDP socket
 * @fd:		Descriptor, -1 when closed
 * @is_v6:	Dual-stack AF_INET6 socket; otherwise AF_INET
 */
struct udp {
	int fd;
	bool is_v6;
};

/**
 * struct udp_local - Our side of a datagram
 * @ip:		Address it came to, or is to be sent from; "none" leaves it to routing
 * @ifindex:	Interface, 0 leaves it to routing
 */
struct udp_local {
	struct ip ip;
	int ifindex;
};

/**
 * udp_open_any() - Listen on a port of every address, IPv6 and IPv4
 * @u:		Receives the socket
 * @port:	Port, 0 for any
 * @may_join:	Listen beside others that share the port, and take their unicast from them; otherwise
 *		a port that anybody has is refused
 * @e:		Receives the reason on failure
 *
 * Others may listen beside this socket in either case, as the LAN listener of an existing node on this
 * host does (protocol.md section 2). Where IPv6 is disabled the socket is IPv4 only.
 *
 * Return: 0 or a negative errno value
 */
int udp_open_any(struct udp *u, uint16_t port, bool may_join, struct err *e);

/**
 * udp_open_group() - Listen to an IPv4 multicast group
 * @u:		Receives the socket
 * @group:	Group address and port
 * @e:		Receives the reason on failure
 *
 * Bound to the group's address, so that unicast and other meshes' groups stay out.
 *
 * Return: 0 or a negative errno value
 */
int udp_open_group(struct udp *u, const struct endpoint *group, struct err *e);

/**
 * udp_join() - Receive the group on one more interface
 *
 * Return: 0, also when it was joined before, or a negative errno value
 */
int udp_join(const struct udp *u, const struct ip *group, int ifindex);

/**
 * udp_report_errors() - Have udp_receive() tell of ICMP errors, which it does not otherwise
 *
 * Return: 0 or a negative errno value
 */
int udp_report_errors(const struct udp *u);

/**
 * udp_take_error() - Take what an ICMP error says, after udp_receive() has told of one
 *
 * Return: the oldest one as a negative errno value, such as -ECONNREFUSED; 0 when there is none
 */
int udp_take_error(const struct udp *u);

void udp_close(struct udp *u);

/**
 * udp_receive() - Take one datagram
 * @u:		Socket
 * @buf:	Receives the datagram
 * @size:	Room in @buf
 * @from:	Receives the sender, IPv4-mapped addresses unmapped
 * @local:	Receives the address it came to
 *
 * Return: bytes, -EAGAIN when there is none, -EMSGSIZE when it was longer than @size, or another
 *         negative errno value
 */
ssize_t udp_receive(const struct udp *u, void *buf, size_t size, struct endpoint *from,
		    struct udp_local *local);

/**
 * udp_send() - Send one datagram
 * @u:		Socket
 * @buf:	Datagram; borrowed
 * @len:	Bytes in @buf
 * @to:		Destination
 * @local:	Address or interface to send from, may be NULL
 *
 * Return: 0 or a negative errno value
 */
int udp_send(const struct udp *u, const void *buf, size_t len, const struct endpoint *to,
	     const struct udp_local *local);

/**
 * udp_ifindex() - The number of an interface
 * @u:		Any socket: if_nametoindex(3) makes one of its own, of a kind that a confined process may
 *		not have
 * @name:	Name
 *
 * Return: the number, 0 when there is no such interface
 */
int udp_ifindex(const struct udp *u, const char *name);

#endif /* DAEMON_NET_UDP_H */

/* SPDX-License-Identifier: MIT */
/* mtu - how large a packet may be inside the tunnel, by the ways outside; pure */
#ifndef DAEMON_NET_MTU_H
#define DAEMON_NET_MTU_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Outer IPv6 header, UDP header, WireGuard's own 32 bytes (wireguard.com, "Overhead & MTU"). Over IPv4
 * it is 20 less; but peers roam from one family to the other, and a tunnel has one MTU.
 */
#define MTU_OVERHEAD 80
#define MTU_DEFAULT  1420
#define MTU_MIN	     1280 /* IPv6 wants no less (RFC 8200 section 5) */
#define MTU_MAX	     65455
#define MTU_INTERNET 1500 /* no way through the internet carries more */

/**
 * struct mtu_path - The way to one address, as far as this machine knows it
 * @bytes:	MTU of the route or of the interface it begins with; 0 when not known
 * @via_gateway: It goes on behind a router
 */
struct mtu_path {
	uint32_t bytes;
	bool via_gateway;
};

/**
 * mtu_of_path() - What a way carries
 * @p:		The way
 * @to:		Where it leads
 *
 * Large frames of a local network do not make it through a router to a public address.
 *
 * Return: bytes, or 0 when not known
 */
uint32_t mtu_of_path(const struct mtu_path *p, const struct ip *to);

/**
 * mtu_inside() - MTU of the tunnel
 * @outside:	The smallest of what the ways to peers carry; 0 when none is known
 *
 * Return: MTU_MIN at least; MTU_DEFAULT when nothing is known
 */
uint32_t mtu_inside(uint32_t outside);

#endif /* DAEMON_NET_MTU_H */

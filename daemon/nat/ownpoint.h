/* SPDX-License-Identifier: MIT */
/*
 * ownpoint - where others reach the WireGuard of this node, and what it tells whom of that; pure
 *
 * One endpoint for each family: an IPv6 address must not hide the IPv4 one from those who have no
 * IPv6. Where nothing is known for sure the wildcard is told, which makes the receiver take the
 * address it sees: that is right more often than any guess.
 */
#ifndef DAEMON_NAT_OWNPOINT_H
#define DAEMON_NAT_OWNPOINT_H

#include "daemon/nat/stunround.h"
#include "daemon/net/hostaddr.h"
#include "daemon/wire/announce.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct ownpoint_facts - What is known of this node's place in the network
 * @host:	Addresses of its interfaces
 * @source:	IPv4 address it sends from to the internet; "none" without a way there
 * @stun:	What STUN servers say: IPv4, IPv6; all zero where none answered of late
 * @observed:	Addresses that peers agree on (ownaddr_ip()): IPv4, IPv6; "none" where they do not
 * @nat:	What peers tell of a NAT; counts where STUN tells nothing
 * @port:	Of our WireGuard
 * @no_ipv6:	--no-ipv6
 */
struct ownpoint_facts {
	const struct hostaddrs *host;
	struct ip source;
	struct stunview stun[2];
	struct ip observed[2];
	enum view_nat nat;
	uint16_t port;
	bool no_ipv6;
};

/**
 * struct ownpoint - Our endpoints
 * @v4:		Over IPv4; "none": tell the wildcard
 * @v6:		Over IPv6; likewise
 * @near:	Our private IPv4 address, for those behind the same NAT; "none" where there is no such
 * @nat:	What is in between
 */
struct ownpoint {
	struct endpoint v4;
	struct endpoint v6;
	struct endpoint near;
	enum view_nat nat;
};

/**
 * ownpoint_ip6_score() - How good an IPv6 address is to be reached at, as existing nodes rate it
 *
 * Return: 30 for a global unicast address, less for one that tells the network card, 10 for others
 */
int ownpoint_ip6_score(const struct ip *ip);

/**
 * ownpoint_ip6_is_public() - May a node elsewhere reach this IPv6 address?
 */
bool ownpoint_ip6_is_public(const struct ip *ip);

/**
 * ownpoint_ip4_is_public() - The same of IPv4; a carrier's NAT (100.64.0.0/10) is not public
 */
bool ownpoint_ip4_is_public(const struct ip *ip);

/**
 * ownpoint_decide() - Choose our endpoints
 *
 * IPv6: the best public address of an interface, else what STUN servers, else what peers see. IPv4: what
 * STUN servers see, unless an interface has a public address and only one server says otherwise; else
 * that address; else what peers see. A temporary address is taken only where there is no other, a
 * deprecated one never.
 */
void ownpoint_decide(struct ownpoint *out, const struct ownpoint_facts *f);

/* Do both tell others the same? */
bool ownpoint_equal(const struct ownpoint *a, const struct ownpoint *b);

/**
 * struct ownpoint_receiver - Who is told
 * @to:		Where the datagram goes; "none": everybody on the LAN
 * @is_inside:	It goes through the tunnel
 * @on_link:	Inside: our address in a network that the peer's tunnel endpoint is in too; "none" else
 */
struct ownpoint_receiver {
	struct endpoint to;
	bool is_inside;
	struct ip on_link;
};

/**
 * ownpoint_tell() - Fill in what an announcement says of our endpoints and our NAT
 * @out:	Receives wg_endpoint, nat_type and endpoints
 * @own:	Our endpoints
 * @port:	Of our WireGuard
 * @who:	Who is told
 *
 * Inside the tunnel a wildcard would make the receiver take our mesh address, and lead the tunnel into
 * itself: without an address to tell, wg_endpoint stays empty, and the announcement must not be sent.
 */
void ownpoint_tell(struct announcement *out, const struct ownpoint *own, uint16_t port,
		   const struct ownpoint_receiver *who);

#endif /* DAEMON_NAT_OWNPOINT_H */

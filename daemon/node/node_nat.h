/* SPDX-License-Identifier: MIT */
/* node_nat - what a node keeps of its place in the network; part of node_impl.h */
#ifndef DAEMON_NODE_NODE_NAT_H
#define DAEMON_NODE_NODE_NAT_H

#include "daemon/nat/ownpoint.h"
#include "daemon/nat/stunclient.h"
#include "daemon/nat/stunpace.h"
#include "daemon/net/hostaddr.h"

#include <stdbool.h>
#include <stdint.h>

struct event;

/**
 * struct node_nat - Where this node is, as far as it knows
 * @stun:	Asks STUN servers; NULL with --no-stun
 * @stun_timer: When they are asked again
 * @look_timer: The kernel has told of a change: what it was is looked at when all of it has been told
 * @greet_timer: Goes on greeting peers
 * @greet_slot:	Where in the table
 * @pace:	Of the STUN rounds
 * @seen:	What STUN servers said last: IPv4, IPv6
 * @is_asking:	A round is under way
 * @host:	Addresses of this machine
 * @source:	IPv4 address it sends from to the internet; "none" without a way there
 * @has_way6:	It has a way to the IPv6 internet
 * @own:	Where others reach us
 * @is_rerouted: A default route has changed since
 * @looked_ms:	When @host was read
 * @asked_ms:	When WireGuard was asked for the state that is on its way
 * @read_ms:	When it was asked for the state that has arrived last
 */
struct node_nat {
	struct stunclient *stun;
	struct event *stun_timer;
	struct event *look_timer;
	struct event *greet_timer;
	uint16_t greet_slot;
	struct stunpace pace;
	struct stunview seen[2];
	bool is_asking;
	struct hostaddrs host;
	struct ip source;
	bool has_way6;
	struct ownpoint own;
	bool is_rerouted;
	int64_t looked_ms;
	int64_t asked_ms;
	int64_t read_ms;
};

#endif /* DAEMON_NODE_NODE_NAT_H */

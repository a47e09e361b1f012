/* SPDX-License-Identifier: MIT */
/* ifstate - what rtnetlink messages tell of one interface; pure, the other half of ifwatch */
#ifndef DAEMON_NET_IFSTATE_H
#define DAEMON_NET_IFSTATE_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IFSTATE_ADDRESSES_MAX 16

/**
 * struct ifstate - One interface
 * @ifindex:	Its index
 * @seq:	Sequence number of the dump that is being read; 0 for none
 * @is_known:	A whole dump of it has been read
 * @exists:	It is there
 * @is_up:	Administratively up
 * @n:		Entries in @address
 * @address:	Its addresses, with the length of their network
 * @is_stale:	For each, while a dump is read: this dump has not had it yet
 */
struct ifstate {
	int ifindex;
	uint32_t seq;
	bool is_known;
	bool exists;
	bool is_up;
	size_t n;
	struct prefix address[IFSTATE_ADDRESSES_MAX];
	bool is_stale[IFSTATE_ADDRESSES_MAX];
};

enum ifstate_event {
	IFSTATE_CHANGED = 1 << 0,   /* something is otherwise than it was */
	IFSTATE_END = 1 << 1,	    /* the dump that was begun is complete */
	IFSTATE_AGAIN = 1 << 2,	    /* the tables changed under the dump: begin another one */
	IFSTATE_RAISED = 1 << 3,    /* it was down, and is up again */
	IFSTATE_ELSEWHERE = 1 << 4, /* another interface, or its addresses */
	IFSTATE_ROUTE = 1 << 5,	    /* a default route */
};

/**
 * ifstate_init() - Nothing is known of the interface yet
 */
void ifstate_init(struct ifstate *s, int ifindex);

/**
 * ifstate_begin() - A dump of addresses is asked for, with this sequence number
 */
void ifstate_begin(struct ifstate *s, uint32_t seq);

/**
 * ifstate_take() - Take one datagram of the socket
 * @s:		Interface
 * @buf:	Bytes, aligned as netlink wants them; borrowed
 * @len:	Bytes in @buf
 *
 * Notifications and the answers to our questions come the same way and mean the same. What is
 * malformed is passed over; of other interfaces it is only told that something may have changed.
 *
 * Return: enum ifstate_event bits
 */
unsigned int ifstate_take(struct ifstate *s, const void *buf, size_t len);

/**
 * ifstate_has() - Has the interface this address?
 */
bool ifstate_has(const struct ifstate *s, const struct ip *ip);

#endif /* DAEMON_NET_IFSTATE_H */

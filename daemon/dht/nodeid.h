/* SPDX-License-Identifier: MIT */
/*
 * nodeid - ids of DHT nodes: distance, and what an address says of an id (BEP 42); pure
 *
 * The scope of an address decides who may tell us of it. A node on the internet that names private
 * addresses would have us send into our own network; a node of a private network names its own kind.
 */
#ifndef DAEMON_DHT_NODEID_H
#define DAEMON_DHT_NODEID_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODEID_LEN  20
#define NODEID_BITS 160

/**
 * struct nodeid - Id of a node, or an infohash: both lie in the same space
 */
struct nodeid {
	uint8_t b[NODEID_LEN];
};

bool nodeid_equal(const struct nodeid *a, const struct nodeid *b);

/**
 * nodeid_prefix() - How many leading bits two ids share
 *
 * Return: 0 to NODEID_BITS
 */
unsigned int nodeid_prefix(const struct nodeid *a, const struct nodeid *b);

/**
 * nodeid_compare() - Which of two ids is closer to a target?
 *
 * Return: negative when @a is, positive when @b is, 0 when they are equal
 */
int nodeid_compare(const struct nodeid *target, const struct nodeid *a, const struct nodeid *b);

/**
 * nodeid_make() - Make an id that an address may have (BEP 42)
 * @id:		Random bytes, which become the id: the first 21 bits follow from @ip and the last byte
 * @ip:		Our address, as others see it
 */
void nodeid_make(struct nodeid *id, const struct ip *ip);

/**
 * nodeid_fits() - May a node at this address have this id?
 *
 * Return: true when its first 21 bits are right, and for every address that is not global: whoever is
 *         in our own network can choose addresses as freely as ids
 */
bool nodeid_fits(const struct nodeid *id, const struct ip *ip);

/* Narrow to wide. */
enum nodeid_scope {
	SCOPE_NONE, /* nobody's: wildcard, multicast, broadcast, link-local */
	SCOPE_LOOPBACK,
	SCOPE_PRIVATE, /* RFC 1918, 100.64.0.0/10, fc00::/7 */
	SCOPE_GLOBAL,
};

enum nodeid_scope nodeid_scope(const struct ip *ip);

/**
 * nodeid_may_tell() - May who is at one address send us to another one?
 * @teller:	Where the message came from
 * @at:		What it names
 *
 * Return: true when @at has a port, and its scope is that of the teller or a wider one
 */
bool nodeid_may_tell(const struct ip *teller, const struct endpoint *at);

/**
 * nodeid_neighbours() - Would one owner have both addresses?
 *
 * Return: true for one IPv4 /24, or one IPv6 /64, of global addresses
 */
bool nodeid_neighbours(const struct ip *a, const struct ip *b);

#endif /* DAEMON_DHT_NODEID_H */

/* SPDX-License-Identifier: MIT */
/* underlay - the networks that this machine is in, beside the mesh's own interface; pure */
#ifndef DAEMON_NET_UNDERLAY_H
#define DAEMON_NET_UNDERLAY_H

#include "daemon/net/addr.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNDERLAY_NETS_MAX     4096
#define UNDERLAY_GATEWAYS_MAX 8
#define UNDERLAY_LINKS_MAX    128

/**
 * struct underlay - What the kernel's tables say
 * @ifindex:	The mesh's own interface, which does not count
 * @is_cut:	There are more networks or gateways than there is room for, and some were left out
 * @n:		Entries in @net
 * @net:	Networks of other interfaces' addresses, and routes of the main table that are no
 *		default routes, each once
 * @n_gateways:	Entries in @gateway
 * @gateway:	Where default routes lead
 * @n_links:	Entries in @link
 * @link:	Other interfaces that are up, the loopback left out, and their MTU in bytes
 */
struct underlay {
	int ifindex;
	bool is_cut;
	size_t n;
	struct prefix net[UNDERLAY_NETS_MAX];
	size_t n_gateways;
	struct ip gateway[UNDERLAY_GATEWAYS_MAX];
	size_t n_links;
	struct {
		int ifindex;
		uint32_t mtu;
	} link[UNDERLAY_LINKS_MAX];
};

/**
 * underlay_init() - Nothing is known yet
 */
void underlay_init(struct underlay *u, int ifindex);

/**
 * underlay_take() - Take one message of a dump: link, address or route
 *
 * Return: 0, also for what does not matter here, or -EBADMSG
 */
int underlay_take(struct underlay *u, const struct nlmsghdr *nlh);

/**
 * underlay_concerns() - Does a notification tell of a change that underlay_take() would see?
 * @u:		Its interface is read
 * @nlh:	Notification whose length has been checked
 *
 * Return: false for our own interface and for routes through it
 */
bool underlay_concerns(const struct underlay *u, const struct nlmsghdr *nlh);

/**
 * underlay_overlap() - Does a network share an address with one that this machine is in?
 *
 * Return: the first such network, or NULL
 */
const struct prefix *underlay_overlap(const struct underlay *u, const struct prefix *net);

/**
 * underlay_would_lose() - Would a route to @net take packets to @ip away from the path they have?
 *
 * Return: true when @net contains @ip, and no network of this machine that does is smaller
 */
bool underlay_would_lose(const struct underlay *u, const struct prefix *net, const struct ip *ip);

/**
 * underlay_mtu() - MTU of an interface
 *
 * Return: bytes, or 0 when it is not known, or not up
 */
uint32_t underlay_mtu(const struct underlay *u, int ifindex);

bool underlay_equal(const struct underlay *a, const struct underlay *b);

/**
 * underlay_pause_ms() - How long to wait until the tables are read again
 * @took_ms:	How long the last reading took, in milliseconds
 *
 * A router has a million routes, of which some change every second: reading them all each time would
 * take a processor for itself. As it is, it takes a twentieth.
 *
 * Return: milliseconds
 */
int64_t underlay_pause_ms(int64_t took_ms);

#endif /* DAEMON_NET_UNDERLAY_H */

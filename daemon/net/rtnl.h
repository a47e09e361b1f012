/* SPDX-License-Identifier: MIT */
/*
 * rtnl - links, addresses and routes by rtnetlink (libmnl)
 *
 * rtnetlink(7), linux/if_link.h, linux/rtnetlink.h. Each call is one request and its
 * acknowledgement on the caller's socket. Requests are idempotent: adding what is there and
 * removing what is not both succeed.
 */
#ifndef DAEMON_NET_RTNL_H
#define DAEMON_NET_RTNL_H

#include "common/err.h"
#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTNL_KIND_SIZE	16
#define RTNL_ALIAS_SIZE 64

/* Routes of ours carry this number, so that nobody's else are ever touched (rt_protos(5)). */
#define RTNL_PROTOCOL_WGMESH 87

/**
 * struct rtnl_link - What the kernel says of a network interface
 * @index:	Interface index
 * @is_up:	Administratively up (IFF_UP)
 * @mtu:	Bytes
 * @kind:	"wireguard", "tun", "veth"; empty for hardware
 * @alias:	ifalias, empty when there is none
 */
struct rtnl_link {
	int index;
	bool is_up;
	uint32_t mtu;
	char kind[RTNL_KIND_SIZE];
	char alias[RTNL_ALIAS_SIZE];
};

struct rtnl;

/**
 * rtnl_open() - Open a NETLINK_ROUTE socket
 * @out:	Receives the handle, to be closed with rtnl_close()
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int rtnl_open(struct rtnl **out, struct err *e);
void rtnl_close(struct rtnl *rtnl);

/**
 * rtnl_link_get() - Look up an interface by name
 *
 * Return: 0, -ENODEV when there is none, or another negative errno value
 */
int rtnl_link_get(struct rtnl *rtnl, const char *ifname, struct rtnl_link *out, struct err *e);

/**
 * rtnl_link_create() - Create a virtual interface of a kind
 *
 * Return: 0, -EOPNOTSUPP when the kernel does not know the kind, -EEXIST when the name is taken,
 *         -EPERM without CAP_NET_ADMIN, or another negative errno value
 */
int rtnl_link_create(struct rtnl *rtnl, const char *ifname, const char *kind, struct err *e);

/**
 * rtnl_link_delete() - Delete an interface; none of that name is success
 */
int rtnl_link_delete(struct rtnl *rtnl, const char *ifname, struct err *e);

int rtnl_link_set_alias(struct rtnl *rtnl, int ifindex, const char *alias, struct err *e);

/**
 * rtnl_link_rename() - Give an interface that is down another name
 *
 * Return: 0, -EEXIST when the name is taken, or another negative errno value
 */
int rtnl_link_rename(struct rtnl *rtnl, int ifindex, const char *ifname, struct err *e);
int rtnl_link_set_mtu(struct rtnl *rtnl, int ifindex, uint32_t mtu, struct err *e);
int rtnl_link_set_up(struct rtnl *rtnl, int ifindex, bool up, struct err *e);

/**
 * rtnl_addr_add() - Give an interface an address
 * @rtnl:	Handle
 * @ifindex:	Interface
 * @addr:	Address and length of its network
 * @e:		Receives the reason on failure
 *
 * IPv6 addresses skip duplicate address detection: on a tunnel nobody could answer it.
 *
 * Return: 0 or a negative errno value: -EACCES where IPv6 is disabled on the interface, -EOPNOTSUPP
 *         or -EAFNOSUPPORT where the kernel has none
 */
int rtnl_addr_add(struct rtnl *rtnl, int ifindex, const struct prefix *addr, struct err *e);
int rtnl_addr_del(struct rtnl *rtnl, int ifindex, const struct prefix *addr, struct err *e);

/* Called once per item, after all have been read: it may use the handle. A non-zero return stops. */
typedef int rtnl_prefix_fn(const struct prefix *p, void *arg);

/**
 * rtnl_addr_list() - List an interface's global-scope addresses
 *
 * Return: 0, the non-zero value that @fn returned, or a negative errno value
 */
int rtnl_addr_list(struct rtnl *rtnl, int ifindex, rtnl_prefix_fn *fn, void *arg, struct err *e);

/**
 * rtnl_route_add() - Route a network through an interface, under our protocol number
 * @rtnl:	Handle
 * @ifindex:	Interface
 * @dst:	Network, host bits cleared
 * @e:		Receives the reason on failure
 *
 * The main table is searched first: the kernel alone would let ours stand beside one of a higher
 * metric and take its traffic. A route of ours through another interface counts as somebody else's.
 *
 * Return: 0; -EEXIST when somebody else's route for exactly @dst is there, which stays; or another
 *         negative errno value
 */
int rtnl_route_add(struct rtnl *rtnl, int ifindex, const struct prefix *dst, struct err *e);

/**
 * rtnl_route_del() - Remove our route for a network; never one of another protocol number
 */
int rtnl_route_del(struct rtnl *rtnl, int ifindex, const struct prefix *dst, struct err *e);

#define RTNL_CHANGES_MAX 64

/**
 * struct rtnl_change - A route through an interface that has to come or go
 * @dst:	Network, host bits cleared
 * @add:	It has to come
 * @has_ours:	Ours is there already; filled in
 * @has_foreign: Somebody else's is there; filled in
 * @error:	Receives how it ended, code 0 for success; see rtnl_route_add()
 */
struct rtnl_change {
	struct prefix dst;
	bool add;
	bool has_ours;
	bool has_foreign;
	struct err error;
};

/**
 * rtnl_routes_change() - rtnl_route_add() and rtnl_route_del() for many at once
 * @rtnl:	Handle
 * @ifindex:	Interface
 * @list:	Changes, each of another network
 * @n:		Entries in @list, at most RTNL_CHANGES_MAX
 *
 * A failure of one is no failure of the others.
 */
void rtnl_routes_change(struct rtnl *rtnl, int ifindex, struct rtnl_change *list, size_t n);

/**
 * rtnl_route_list() - List our routes through an interface
 */
int rtnl_route_list(struct rtnl *rtnl, int ifindex, rtnl_prefix_fn *fn, void *arg, struct err *e);

/**
 * rtnl_forwarding_get() - Is what comes in through an interface over IPv4 forwarded?
 * @rtnl:	Handle
 * @ifindex:	Interface
 * @on:		Receives the answer
 * @ifname:	Receives its name
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int rtnl_forwarding_get(struct rtnl *rtnl, int ifindex, bool *on, char ifname[static 16],
			struct err *e);

/**
 * rtnl_forwarding_set() - Forward what comes in through an interface over IPv4, or do not
 *
 * Needs no writable /proc/sys.
 */
int rtnl_forwarding_set(struct rtnl *rtnl, int ifindex, bool on, struct err *e);

/**
 * rtnl_route_oif() - Which interface would a packet to an address leave through?
 *
 * Return: the interface's index, or a negative errno value when there is no way
 */
int rtnl_route_oif(struct rtnl *rtnl, const struct ip *to);

/**
 * rtnl_learns_routes() - Has this machine routes that an IPv6 router advertised?
 *
 * Return: true when it has, or when that cannot be found out
 */
bool rtnl_learns_routes(struct rtnl *rtnl);

/**
 * rtnl_underlay_mtu() - Smallest MTU among the interfaces that carry a default route
 * @rtnl:	Handle
 * @except:	Interface index to leave out: our own
 * @mtu:	Receives the MTU
 * @e:		Receives the reason on failure
 *
 * Without a default route, the smallest MTU of the other interfaces that are up, loopback left out.
 *
 * Return: 0, -ENOENT when no interface is up, or another negative errno value
 */
int rtnl_underlay_mtu(struct rtnl *rtnl, int except, uint32_t *mtu, struct err *e);

#endif /* DAEMON_NET_RTNL_H */

/* SPDX-License-Identifier: MIT */
#include "daemon/net/underlay.h"
#include "daemon/net/rtnl_msg.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/*
 * Wider routes stand for "everything else" and name no network that anybody is in: 0.0.0.0/1 and
 * 128.0.0.0/1 of a VPN, 2000::/3 of an IPv6 router.
 */
#define NETWORK_BITS_MIN 8

/* A new interface comes with link, addresses and routes one after the other. */
#define SETTLE_MS    200
#define SHARE_OF_IT  20
#define PAUSE_MAX_MS 30000 /* a machine that stood still a moment is no router */

void underlay_init(struct underlay *u, int ifindex)
{
	/* The lists are as large as nobody needs them: only what is filled takes memory. */
	u->ifindex = ifindex;
	u->is_cut = false;
	u->n = 0;
	u->n_gateways = 0;
	u->n_links = 0;
}

static void add_net(struct underlay *u, const struct prefix *p)
{
	struct prefix net = *p;

	prefix_mask(&net);
	if (net.bits < NETWORK_BITS_MIN || u->is_cut)
		return;
	for (size_t i = 0; i < u->n; i++)
		if (prefix_equal(&u->net[i], &net))
			return;
	if (u->n == UNDERLAY_NETS_MAX)
		u->is_cut = true;
	else
		u->net[u->n++] = net;
}

static void add_gateway(struct underlay *u, const struct ip *ip)
{
	if (ip->family == 0)
		return;
	for (size_t i = 0; i < u->n_gateways; i++)
		if (ip_equal(&u->gateway[i], ip))
			return;
	if (u->n_gateways == UNDERLAY_GATEWAYS_MAX)
		u->is_cut = true;
	else
		u->gateway[u->n_gateways++] = *ip;
}

static int take_link(struct underlay *u, const struct nlmsghdr *nlh)
{
	struct rtnl_link_msg m;
	int r = rtnl_msg_parse_link(&m, nlh);

	if (r < 0)
		return r;
	if (!m.link.is_up || m.is_loopback || m.link.index == u->ifindex ||
	    u->n_links == UNDERLAY_LINKS_MAX)
		return 0;
	u->link[u->n_links].ifindex = m.link.index;
	u->link[u->n_links++].mtu = m.link.mtu;
	return 0;
}

static int take_addr(struct underlay *u, const struct nlmsghdr *nlh)
{
	struct prefix p;
	bool is_global = false;
	int ifindex = 0;
	int r = rtnl_msg_parse_addr(&p, &ifindex, &is_global, nlh);

	if (r == 0 && is_global && ifindex != u->ifindex)
		add_net(u, &p);
	return r;
}

static bool leads_only_through(const struct rtnl_route *route, int ifindex)
{
	for (size_t i = 0; i < route->n_oif; i++)
		if (route->oif[i] != ifindex)
			return false;
	return route->n_oif > 0;
}

static int take_route(struct underlay *u, const struct nlmsghdr *nlh)
{
	struct rtnl_route route;
	int r = rtnl_msg_parse_route(&route, nlh);

	if (r < 0 || route.table != RT_TABLE_MAIN)
		return r;
	if (leads_only_through(&route, u->ifindex))
		return 0;
	if (route.dst.bits >= NETWORK_BITS_MIN) {
		add_net(u, &route.dst);
		return 0;
	}
	for (size_t i = 0; i < route.n_oif; i++)
		add_gateway(u, &route.gateway[i]);
	return 0;
}

int underlay_take(struct underlay *u, const struct nlmsghdr *nlh)
{
	int r = 0;

	if (nlh->nlmsg_type == RTM_NEWLINK)
		r = take_link(u, nlh);
	else if (nlh->nlmsg_type == RTM_NEWADDR)
		r = take_addr(u, nlh);
	else if (nlh->nlmsg_type == RTM_NEWROUTE)
		r = take_route(u, nlh);
	return r == -ENOMSG ? 0 : r;
}

static bool concerns_link(const struct underlay *u, const struct nlmsghdr *nlh)
{
	struct rtnl_link_msg m;
	int ifindex = 0;

	if (rtnl_msg_parse_link(&m, nlh) == 0)
		return m.link.index != u->ifindex;
	return rtnl_msg_parse_gone_link(&ifindex, nlh) == 0 && ifindex != u->ifindex;
}

static bool concerns_addr(const struct underlay *u, const struct nlmsghdr *nlh)
{
	struct prefix p;
	bool is_global = false;
	int ifindex = 0;

	if (rtnl_msg_parse_addr(&p, &ifindex, &is_global, nlh) < 0 &&
	    rtnl_msg_parse_gone_addr(&p, &ifindex, nlh) < 0)
		return false;
	return ifindex != u->ifindex;
}

bool underlay_concerns(const struct underlay *u, const struct nlmsghdr *nlh)
{
	struct rtnl_route route;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return concerns_link(u, nlh);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return concerns_addr(u, nlh);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return rtnl_msg_parse_any_route(&route, nlh) == 0 && route.table == RT_TABLE_MAIN &&
		       !leads_only_through(&route, u->ifindex);
	default:
		return false;
	}
}

const struct prefix *underlay_overlap(const struct underlay *u, const struct prefix *net)
{
	for (size_t i = 0; i < u->n; i++)
		if (prefix_overlaps(&u->net[i], net))
			return &u->net[i];
	return NULL;
}

bool underlay_would_lose(const struct underlay *u, const struct prefix *net, const struct ip *ip)
{
	if (!prefix_contains(net, ip))
		return false;
	for (size_t i = 0; i < u->n; i++)
		if (u->net[i].bits > net->bits && prefix_contains(&u->net[i], ip))
			return false;
	return true;
}

uint32_t underlay_mtu(const struct underlay *u, int ifindex)
{
	for (size_t i = 0; i < u->n_links; i++)
		if (u->link[i].ifindex == ifindex)
			return u->link[i].mtu;
	return 0;
}

bool underlay_equal(const struct underlay *a, const struct underlay *b)
{
	bool same = a->is_cut == b->is_cut && a->n == b->n && a->n_gateways == b->n_gateways &&
		    a->n_links == b->n_links;

	for (size_t i = 0; same && i < a->n; i++)
		same = prefix_equal(&a->net[i], &b->net[i]);
	for (size_t i = 0; same && i < a->n_gateways; i++)
		same = ip_equal(&a->gateway[i], &b->gateway[i]);
	for (size_t i = 0; same && i < a->n_links; i++)
		same = a->link[i].ifindex == b->link[i].ifindex && a->link[i].mtu == b->link[i].mtu;
	return same;
}

int64_t underlay_pause_ms(int64_t took_ms)
{
	int64_t pause_ms = took_ms * SHARE_OF_IT;

	if (pause_ms < SETTLE_MS)
		return SETTLE_MS;
	return pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
}

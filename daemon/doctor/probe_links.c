/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"
#include "daemon/net/nlsock.h"
#include "daemon/net/rtnl.h"
#include "daemon/net/rtnl_msg.h"
#include "daemon/wg/backend.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What a dump is searched for. */
struct search {
	struct link_facts *f;
	struct prefix subnet;
	int own;
};

static void note(const struct search *s, const char *what, const struct prefix *p, int ifindex)
{
	struct link_facts *f = s->f;
	char ifname[IF_NAMESIZE] = "?";
	char text[PREFIX_TEXT_SIZE];

	if (f->n_overlap == FACTS_OVERLAP_MAX)
		return;
	(void)if_indextoname((unsigned int)ifindex, ifname);
	(void)snprintf(f->overlap[f->n_overlap++], sizeof(f->overlap[0]), "%s %s of %s", what,
		       prefix_format(text, p), ifname);
}

static int take_addr(const struct nlmsghdr *nlh, void *arg)
{
	struct search *s = arg;
	struct prefix p;
	bool is_global = false;
	int ifindex = 0;

	if (nlh && rtnl_msg_parse_addr(&p, &ifindex, &is_global, nlh) == 0 && ifindex != s->own &&
	    prefix_contains(&s->subnet, &p.ip))
		note(s, "address", &p, ifindex);
	return 0;
}

/* A wider route, as 10.0.0.0/8, loses against ours, and a default route always does. */
static int take_route(const struct nlmsghdr *nlh, void *arg)
{
	struct search *s = arg;
	struct rtnl_route route;

	if (nlh && rtnl_msg_parse_route(&route, nlh) == 0 && route.table == RT_TABLE_MAIN &&
	    route.is_unicast && route.protocol != RTNL_PROTOCOL_WGMESH && route.n_oif > 0 &&
	    route.oif[0] != s->own && route.dst.bits >= s->subnet.bits &&
	    prefix_overlaps(&s->subnet, &route.dst))
		note(s, "route", &route.dst, route.oif[0]);
	return 0;
}

static void find_overlaps(struct search *s)
{
	struct nlmsg_verdict v;
	struct nlsock *sock;
	union rtnl_req req;

	if (nlsock_open(&sock, NETLINK_ROUTE, NULL) < 0)
		return;
	rtnl_msg_addr_dump(&req, AF_INET, 0);
	(void)nlsock_talk(sock, &req.nlh, take_addr, s, &v);
	/* The route of such an address says the same once more. */
	if (s->f->n_overlap == 0) {
		rtnl_msg_route_dump(&req, AF_INET, 0);
		(void)nlsock_talk(sock, &req.nlh, take_route, s, &v);
	}
	nlsock_close(sock);
}

/* What the kernel has learned of the way to a peer, or else the MTU of the route. */
static int read_path_mtu(const struct endpoint *to, int *mtu)
{
	bool is_v6 = to->ip.family == AF_INET6;
	int level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int discover = IP_PMTUDISC_DO; /* the same number for IPv6 */
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ss, to, false);
	socklen_t size = sizeof(*mtu);
	auto_close int fd = socket(to->ip.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, level, is_v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &discover,
			 sizeof(discover));
	if (connect(fd, (const struct sockaddr *)&ss, len) < 0)
		return -errno;
	return getsockopt(fd, level, is_v6 ? IPV6_MTU : IP_MTU, mtu, &size) < 0 ? -errno : 0;
}

static void add_path(struct link_facts *f, const struct endpoint *to)
{
	struct path_facts *p = &f->paths[f->n_paths];

	if (f->n_paths == FACTS_PATHS_MAX || to->ip.family == 0)
		return;
	f->n_paths++;
	p->to = *to;
	p->code = read_path_mtu(to, &p->mtu);
}

static void look_at_link(struct link_facts *f, const char *ifname, int *index)
{
	struct rtnl_link link = { 0 };
	struct rtnl *rtnl;

	f->code = rtnl_open(&rtnl, NULL);
	if (f->code < 0)
		return;
	f->code = rtnl_link_get(rtnl, ifname, &link, NULL);
	if (f->code == 0) {
		f->exists = true;
		f->is_ours = strcmp(link.alias, WG_TAG) == 0;
		f->is_up = link.is_up;
		f->mtu = link.mtu;
		*index = link.index;
		(void)snprintf(f->kind, sizeof(f->kind), "%s", link.kind);
	}
	if (f->code == -ENODEV)
		f->code = 0;
	(void)rtnl_underlay_mtu(rtnl, *index, &f->underlay, NULL);
	rtnl_close(rtnl);
}

void probe_links(void *out, const void *arg)
{
	const struct facts *known = arg;
	struct link_facts *f = out;
	struct search s = { .f = f,
			    .subnet = known->wanted.has_custom_subnet ? known->wanted.custom_subnet
								      : known->keys.subnet };

	look_at_link(f, known->wanted.ifname, &s.own);
	if (s.subnet.ip.family != 0)
		find_overlaps(&s);
	if (known->wanted.has_peer)
		add_path(f, &known->wanted.peer);
	for (size_t i = 0; i < known->node.n_peers; i++)
		add_path(f, &known->node.peers[i].endpoint);
}

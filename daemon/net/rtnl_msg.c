/* SPDX-License-Identifier: MIT */
#include "daemon/net/rtnl_msg.h"
#include "common/defs.h"
#include "daemon/net/nlmsg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define ACKED (NLM_F_REQUEST | NLM_F_ACK)
#define DUMP  (NLM_F_REQUEST | NLM_F_DUMP)

static void *start(union rtnl_req *req, uint16_t type, uint16_t flags, size_t header)
{
	memset(req, 0, sizeof(*req));
	(void)mnl_nlmsg_put_header(req->bytes);
	req->nlh.nlmsg_type = type;
	req->nlh.nlmsg_flags = flags;
	return mnl_nlmsg_put_extra_header(&req->nlh, header);
}

static struct ifinfomsg *start_link(union rtnl_req *req, uint16_t type, uint16_t flags, int ifindex)
{
	struct ifinfomsg *ifi = start(req, type, flags, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	return ifi;
}

/* A message of ours always fits: names and aliases are bounded before they come here. */
static void put(union rtnl_req *req, uint16_t type, const void *data, size_t len)
{
	(void)mnl_attr_put_check(&req->nlh, sizeof(*req), type, len, data);
}

static void put_text(union rtnl_req *req, uint16_t type, const char *text)
{
	(void)mnl_attr_put_strz_check(&req->nlh, sizeof(*req), type, text);
}

static void put_u32(union rtnl_req *req, uint16_t type, uint32_t value)
{
	put(req, type, &value, sizeof(value));
}

void rtnl_msg_link_get(union rtnl_req *req, const char *ifname)
{
	(void)start_link(req, RTM_GETLINK, ACKED, 0);
	put_u32(req, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	put_text(req, IFLA_IFNAME, ifname);
}

void rtnl_msg_link_ask(union rtnl_req *req, int ifindex)
{
	(void)start_link(req, RTM_GETLINK, NLM_F_REQUEST, ifindex);
	put_u32(req, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

void rtnl_msg_link_dump(union rtnl_req *req)
{
	(void)start_link(req, RTM_GETLINK, DUMP, 0);
	put_u32(req, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

void rtnl_msg_link_create(union rtnl_req *req, const char *ifname, const char *kind)
{
	struct nlattr *info;

	(void)start_link(req, RTM_NEWLINK, ACKED | NLM_F_CREATE | NLM_F_EXCL, 0);
	put_text(req, IFLA_IFNAME, ifname);
	info = mnl_attr_nest_start(&req->nlh, IFLA_LINKINFO);
	put_text(req, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(&req->nlh, info);
}

void rtnl_msg_link_delete(union rtnl_req *req, const char *ifname)
{
	(void)start_link(req, RTM_DELLINK, ACKED, 0);
	put_text(req, IFLA_IFNAME, ifname);
}

void rtnl_msg_link_name(union rtnl_req *req, int ifindex, const char *ifname)
{
	(void)start_link(req, RTM_SETLINK, ACKED, ifindex);
	put_text(req, IFLA_IFNAME, ifname);
}

/* The kernel takes an alias without its NUL. */
void rtnl_msg_link_alias(union rtnl_req *req, int ifindex, const char *alias)
{
	(void)start_link(req, RTM_SETLINK, ACKED, ifindex);
	put(req, IFLA_IFALIAS, alias, strlen(alias));
}

void rtnl_msg_link_mtu(union rtnl_req *req, int ifindex, uint32_t mtu)
{
	(void)start_link(req, RTM_SETLINK, ACKED, ifindex);
	put_u32(req, IFLA_MTU, mtu);
}

/* What /proc/sys/net/ipv4/conf/INTERFACE/forwarding is, without that file. */
void rtnl_msg_link_forwarding(union rtnl_req *req, int ifindex, bool on)
{
	uint32_t value = on ? 1 : 0;
	struct nlattr *spec;
	struct nlattr *inet;
	struct nlattr *conf;

	(void)start_link(req, RTM_SETLINK, ACKED, ifindex);
	spec = mnl_attr_nest_start(&req->nlh, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(&req->nlh, AF_INET);
	conf = mnl_attr_nest_start(&req->nlh, IFLA_INET_CONF);
	put_u32(req, IPV4_DEVCONF_FORWARDING, value);
	mnl_attr_nest_end(&req->nlh, conf);
	mnl_attr_nest_end(&req->nlh, inet);
	mnl_attr_nest_end(&req->nlh, spec);
}

void rtnl_msg_link_up(union rtnl_req *req, int ifindex, bool up)
{
	struct ifinfomsg *ifi = start_link(req, RTM_SETLINK, ACKED, ifindex);

	ifi->ifi_flags = up ? IFF_UP : 0;
	ifi->ifi_change = IFF_UP;
}

void rtnl_msg_addr(union rtnl_req *req, bool add, int ifindex, const struct prefix *addr)
{
	uint16_t flags = add ? ACKED | NLM_F_CREATE | NLM_F_EXCL : ACKED;
	struct ifaddrmsg *ifa = start(req, add ? RTM_NEWADDR : RTM_DELADDR, flags, sizeof(*ifa));
	size_t len = nlmsg_ip_len(addr->ip.family);

	ifa->ifa_family = addr->ip.family;
	ifa->ifa_prefixlen = addr->bits;
	ifa->ifa_index = (uint32_t)ifindex;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_flags = addr->ip.family == AF_INET6 ? IFA_F_NODAD : 0;
	put(req, IFA_LOCAL, addr->ip.b, len);
	put(req, IFA_ADDRESS, addr->ip.b, len);
}

void rtnl_msg_addr_dump(union rtnl_req *req, uint8_t family, int ifindex)
{
	struct ifaddrmsg *ifa = start(req, RTM_GETADDR, DUMP, sizeof(*ifa));

	ifa->ifa_family = family;
	ifa->ifa_index = (uint32_t)ifindex;
}

void rtnl_msg_route(union rtnl_req *req, bool add, int ifindex, const struct prefix *dst)
{
	uint16_t flags = add ? ACKED | NLM_F_CREATE | NLM_F_EXCL : ACKED;
	struct rtmsg *rtm = start(req, add ? RTM_NEWROUTE : RTM_DELROUTE, flags, sizeof(*rtm));

	rtm->rtm_family = dst->ip.family;
	rtm->rtm_dst_len = dst->bits;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTNL_PROTOCOL_WGMESH;
	rtm->rtm_scope = dst->ip.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	if (dst->bits > 0)
		put(req, RTA_DST, dst->ip.b, nlmsg_ip_len(dst->ip.family));
	put_u32(req, RTA_OIF, (uint32_t)ifindex);
}

void rtnl_msg_route_dump(union rtnl_req *req, uint8_t family, int ifindex)
{
	struct rtmsg *rtm = start(req, RTM_GETROUTE, DUMP, sizeof(*rtm));

	rtm->rtm_family = family;
	rtm->rtm_table = RT_TABLE_MAIN;
	if (ifindex == 0)
		return;
	rtm->rtm_protocol = RTNL_PROTOCOL_WGMESH;
	put_u32(req, RTA_OIF, (uint32_t)ifindex);
}

void rtnl_msg_route_ask(union rtnl_req *req, const struct ip *to)
{
	size_t len = nlmsg_ip_len(to->family);
	struct rtmsg *rtm = start(req, RTM_GETROUTE, NLM_F_REQUEST | NLM_F_ACK, sizeof(*rtm));

	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = (uint8_t)(8 * len);
	put(req, RTA_DST, to->b, len);
}

/* IFLA_AF_SPEC has a nest for each family; that of IPv4 an array of all settings of the interface. */
static bool forwards4(const struct nlattr *spec)
{
	const struct nlattr *family[AF_INET + 1];
	const struct nlattr *inet[IFLA_INET_CONF + 1];
	uint32_t value = 0;

	nlmsg_nested(family, ARRAY_LEN(family), spec);
	if (!family[AF_INET])
		return false;
	nlmsg_nested(inet, ARRAY_LEN(inet), family[AF_INET]);
	if (!inet[IFLA_INET_CONF] || mnl_attr_get_payload_len(inet[IFLA_INET_CONF]) <
					     IPV4_DEVCONF_FORWARDING * sizeof(value))
		return false;
	memcpy(&value,
	       (const uint8_t *)mnl_attr_get_payload(inet[IFLA_INET_CONF]) +
		       (IPV4_DEVCONF_FORWARDING - 1) * sizeof(value),
	       sizeof(value));
	return value != 0;
}

int rtnl_msg_parse_link(struct rtnl_link_msg *out, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[IFLA_AF_SPEC + 1];
	const struct nlattr *info[IFLA_INFO_KIND + 1];
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	*out = (struct rtnl_link_msg) { 0 };
	if (nlh->nlmsg_type != RTM_NEWLINK)
		return -ENOMSG;
	if (nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(*ifi)) < 0 || ifi->ifi_index <= 0)
		return -EBADMSG;
	out->link.index = ifi->ifi_index;
	out->link.is_up = (ifi->ifi_flags & IFF_UP) != 0;
	out->is_loopback = (ifi->ifi_flags & IFF_LOOPBACK) != 0;
	out->is_running = (ifi->ifi_flags & IFF_RUNNING) != 0;
	if (tb[IFLA_MTU] && nlmsg_get(&out->link.mtu, sizeof(out->link.mtu), tb[IFLA_MTU]) < 0)
		return -EBADMSG;
	nlmsg_get_text(out->link.alias, sizeof(out->link.alias), tb[IFLA_IFALIAS]);
	if (tb[IFLA_LINKINFO]) {
		nlmsg_nested(info, ARRAY_LEN(info), tb[IFLA_LINKINFO]);
		nlmsg_get_text(out->link.kind, sizeof(out->link.kind), info[IFLA_INFO_KIND]);
	}
	out->forwards4 = tb[IFLA_AF_SPEC] && forwards4(tb[IFLA_AF_SPEC]);
	return 0;
}

int rtnl_msg_parse_gone_link(int *ifindex, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != RTM_DELLINK)
		return -ENOMSG;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return -EBADMSG;
	/* A bridge says the same of a port that only leaves it. */
	if (ifi->ifi_family != AF_UNSPEC)
		return -ENOMSG;
	*ifindex = ifi->ifi_index;
	return 0;
}

/* What the messages of a new and of a gone address have in common. */
static int parse_addr(struct prefix *out, int *ifindex, bool *is_global, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[IFA_LOCAL + 1];
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *own;

	*out = (struct prefix) { 0 };
	if (nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(*ifa)) < 0)
		return -EBADMSG;
	if (nlmsg_ip_len(ifa->ifa_family) == 0)
		return -ENOMSG;
	/* On a point-to-point link IFA_ADDRESS is the other end's, and IFA_LOCAL ours. */
	own = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!own || nlmsg_get_ip(&out->ip, ifa->ifa_family, own) < 0)
		return -EBADMSG;
	if (ifa->ifa_prefixlen > 8 * nlmsg_ip_len(ifa->ifa_family))
		return -EBADMSG;
	out->bits = ifa->ifa_prefixlen;
	*ifindex = (int)ifa->ifa_index;
	*is_global = ifa->ifa_scope == RT_SCOPE_UNIVERSE;
	return 0;
}

int rtnl_msg_parse_addr(struct prefix *out, int *ifindex, bool *is_global,
			const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == RTM_NEWADDR)
		return parse_addr(out, ifindex, is_global, nlh);
	*out = (struct prefix) { 0 };
	return -ENOMSG;
}

uint32_t rtnl_msg_addr_flags(const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[IFA_FLAGS + 1];
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	uint32_t flags = 0;

	/* The header has room for eight of them only. */
	if (nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(*ifa)) < 0 || !tb[IFA_FLAGS] ||
	    nlmsg_get(&flags, sizeof(flags), tb[IFA_FLAGS]) < 0)
		return ifa->ifa_flags;
	return flags;
}

int rtnl_msg_parse_gone_addr(struct prefix *out, int *ifindex, const struct nlmsghdr *nlh)
{
	bool is_global = false;

	if (nlh->nlmsg_type == RTM_DELADDR)
		return parse_addr(out, ifindex, &is_global, nlh);
	*out = (struct prefix) { 0 };
	return -ENOMSG;
}

static void add_hop(struct rtnl_route *out, int ifindex, const struct ip *gateway)
{
	if (ifindex <= 0 || out->n_oif == ARRAY_LEN(out->oif))
		return;
	out->gateway[out->n_oif] = *gateway;
	out->oif[out->n_oif++] = ifindex;
}

/* One next hop at @p, whose own length has been checked. */
static int parse_hop(struct rtnl_route *out, const uint8_t *p, const struct rtnexthop *hop)
{
	size_t skip = nlmsg_align(sizeof(*hop));
	struct ip gateway = { 0 };

	while (skip + sizeof(struct nlattr) <= hop->rtnh_len) {
		const struct nlattr *attr = (const void *)(p + skip);

		if (!mnl_attr_ok(attr, (int)(hop->rtnh_len - skip)))
			break;
		if (mnl_attr_get_type(attr) == RTA_GATEWAY &&
		    nlmsg_get_ip(&gateway, out->dst.ip.family, attr) < 0)
			return -EBADMSG;
		skip += nlmsg_align(attr->nla_len);
	}
	add_hop(out, hop->rtnh_ifindex, &gateway);
	return 0;
}

static int parse_multipath(struct rtnl_route *out, const struct nlattr *attr)
{
	const uint8_t *p = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);

	while (left > 0) {
		struct rtnexthop hop;
		size_t step;

		if (left < sizeof(hop))
			return -EBADMSG;
		memcpy(&hop, p, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return -EBADMSG;
		if (parse_hop(out, p, &hop) < 0)
			return -EBADMSG;
		step = nlmsg_align(hop.rtnh_len);
		if (step >= left)
			return 0;
		left -= step;
		p += step;
	}
	return 0;
}

static void parse_metrics(struct rtnl_route *out, const struct nlattr *attr)
{
	const struct nlattr *tb[RTAX_MTU + 1];

	nlmsg_nested(tb, ARRAY_LEN(tb), attr);
	if (tb[RTAX_MTU])
		(void)nlmsg_get(&out->mtu, sizeof(out->mtu), tb[RTAX_MTU]);
}

static int parse_hops(struct rtnl_route *out, const struct nlattr *const *tb)
{
	struct ip gateway = { 0 };
	uint32_t oif = 0;

	if (tb[RTA_OIF] && nlmsg_get(&oif, sizeof(oif), tb[RTA_OIF]) < 0)
		return -EBADMSG;
	if (tb[RTA_GATEWAY] && nlmsg_get_ip(&gateway, out->dst.ip.family, tb[RTA_GATEWAY]) < 0)
		return -EBADMSG;
	add_hop(out, (int)oif, &gateway);
	return tb[RTA_MULTIPATH] ? parse_multipath(out, tb[RTA_MULTIPATH]) : 0;
}

int rtnl_msg_parse_any_route(struct rtnl_route *out, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[RTA_TABLE + 1];
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	*out = (struct rtnl_route) { 0 };
	if (nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE)
		return -ENOMSG;
	if (nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(*rtm)) < 0)
		return -EBADMSG;
	if (nlmsg_ip_len(rtm->rtm_family) == 0)
		return -ENOMSG;
	out->dst.ip.family = rtm->rtm_family;
	out->dst.bits = rtm->rtm_dst_len;
	out->table = rtm->rtm_table;
	out->protocol = rtm->rtm_protocol;
	out->is_unicast = rtm->rtm_type == RTN_UNICAST;
	if (out->dst.bits > 8 * nlmsg_ip_len(rtm->rtm_family))
		return -EBADMSG;
	if (tb[RTA_DST] && nlmsg_get_ip(&out->dst.ip, rtm->rtm_family, tb[RTA_DST]) < 0)
		return -EBADMSG;
	if (tb[RTA_TABLE] && nlmsg_get(&out->table, sizeof(out->table), tb[RTA_TABLE]) < 0)
		return -EBADMSG;
	if (tb[RTA_METRICS])
		parse_metrics(out, tb[RTA_METRICS]);
	return parse_hops(out, tb);
}

int rtnl_msg_parse_route(struct rtnl_route *out, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == RTM_NEWROUTE)
		return rtnl_msg_parse_any_route(out, nlh);
	*out = (struct rtnl_route) { 0 };
	return -ENOMSG;
}

bool rtnl_route_is_ours(const struct rtnl_route *route, int ifindex)
{
	return route->table == RT_TABLE_MAIN && route->protocol == RTNL_PROTOCOL_WGMESH &&
	       route->n_oif == 1 && route->oif[0] == ifindex;
}

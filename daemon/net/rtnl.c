/* SPDX-License-Identifier: MIT */
#include "daemon/net/rtnl.h"
#include "common/defs.h"
#include "daemon/net/growbuf.h"
#include "daemon/net/rtnl_impl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/*
 * Families are dumped one by one, and answers checked: a kernel without IPv6 answers a request for
 * it with everything it has.
 */
static const uint8_t families[] = { AF_INET, AF_INET6 };

int rtnl_open(struct rtnl **out, struct err *e)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int r;

	*out = NULL;
	if (!rtnl)
		return err_set(e, -ENOMEM, "open a netlink socket");
	r = nlsock_open(&rtnl->sock, NETLINK_ROUTE, e);
	if (r < 0) {
		free(rtnl);
		return r;
	}
	*out = rtnl;
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	nlsock_close(rtnl->sock);
	free(rtnl);
}

/* What is wanted of a dump, and what has been found so far: an array of struct prefix. */
struct gather {
	uint8_t family;
	int ifindex;
	struct growbuf items;
};

/* Gathering first lets the callback use the same socket, and hides answers that began anew. */
static int hand_out(const struct growbuf *items, rtnl_prefix_fn *fn, void *arg)
{
	const struct prefix *p = (const void *)items->data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < items->len / sizeof(*p); i++)
		r = fn(&p[i], arg);
	return r;
}

/* Sends a request that is answered by an acknowledgement alone. */
static int order(struct rtnl *rtnl, union rtnl_req *req, struct nlmsg_verdict *v)
{
	return nlsock_talk(rtnl->sock, &req->nlh, NULL, NULL, v);
}

static int take_link(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_link_msg msg;
	int r;

	if (!nlh)
		return 0;
	r = rtnl_msg_parse_link(&msg, nlh);
	if (r == 0)
		*(struct rtnl_link *)arg = msg.link;
	return r == -ENOMSG ? 0 : r;
}

int rtnl_link_get(struct rtnl *rtnl, const char *ifname, struct rtnl_link *out, struct err *e)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	*out = (struct rtnl_link) { 0 };
	rtnl_msg_link_get(&req, ifname);
	if (nlsock_talk(rtnl->sock, &req.nlh, take_link, out, &v) < 0)
		return nlmsg_fail(e, &v, "look up interface %s", ifname);
	return out->index > 0 ? 0 : err_set(e, -EBADMSG, "look up interface %s", ifname);
}

int rtnl_link_create(struct rtnl *rtnl, const char *ifname, const char *kind, struct err *e)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_link_create(&req, ifname, kind);
	if (order(rtnl, &req, &v) < 0)
		return nlmsg_fail(e, &v, "create interface %s of kind %s", ifname, kind);
	return 0;
}

int rtnl_link_delete(struct rtnl *rtnl, const char *ifname, struct err *e)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_link_delete(&req, ifname);
	if (order(rtnl, &req, &v) < 0 && v.code != -ENODEV)
		return nlmsg_fail(e, &v, "delete interface %s", ifname);
	return 0;
}

int rtnl_link_set_alias(struct rtnl *rtnl, int ifindex, const char *alias, struct err *e)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	if (strlen(alias) >= RTNL_ALIAS_SIZE)
		return err_set(e, -ENAMETOOLONG, "alias \"%s\" is too long", alias);
	rtnl_msg_link_alias(&req, ifindex, alias);
	if (order(rtnl, &req, &v) < 0)
		return nlmsg_fail(e, &v, "set alias %s on interface %d", alias, ifindex);
	return 0;
}

int rtnl_link_rename(struct rtnl *rtnl, int ifindex, const char *ifname, struct err *e)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	if (strlen(ifname) >= IFNAMSIZ)
		return err_set(e, -ENAMETOOLONG, "interface name \"%s\" is too long", ifname);
	rtnl_msg_link_name(&req, ifindex, ifname);
	if (order(rtnl, &req, &v) < 0)
		return nlmsg_fail(e, &v, "name interface %d %s", ifindex, ifname);
	return 0;
}

int rtnl_link_set_mtu(struct rtnl *rtnl, int ifindex, uint32_t mtu, struct err *e)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_link_mtu(&req, ifindex, mtu);
	if (order(rtnl, &req, &v) < 0)
		return nlmsg_fail(e, &v, "set MTU %u on interface %d", mtu, ifindex);
	return 0;
}

int rtnl_link_set_up(struct rtnl *rtnl, int ifindex, bool up, struct err *e)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_link_up(&req, ifindex, up);
	if (order(rtnl, &req, &v) < 0)
		return nlmsg_fail(e, &v, "set interface %d %s", ifindex, up ? "up" : "down");
	return 0;
}

int rtnl_addr_add(struct rtnl *rtnl, int ifindex, const struct prefix *addr, struct err *e)
{
	char text[PREFIX_TEXT_SIZE];
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_addr(&req, true, ifindex, addr);
	if (order(rtnl, &req, &v) < 0 && v.code != -EEXIST)
		return nlmsg_fail(e, &v, "add address %s to interface %d",
				  prefix_format(text, addr), ifindex);
	return 0;
}

int rtnl_addr_del(struct rtnl *rtnl, int ifindex, const struct prefix *addr, struct err *e)
{
	char text[PREFIX_TEXT_SIZE];
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_addr(&req, false, ifindex, addr);
	(void)order(rtnl, &req, &v);
	if (v.code == 0 || v.code == -EADDRNOTAVAIL || v.code == -ENODEV)
		return 0;
	return nlmsg_fail(e, &v, "remove address %s from interface %d", prefix_format(text, addr),
			  ifindex);
}

static int take_addr(const struct nlmsghdr *nlh, void *arg)
{
	struct gather *g = arg;
	struct prefix addr;
	bool is_global;
	int ifindex;
	int r;

	if (!nlh) {
		growbuf_reset(&g->items);
		return 0;
	}
	r = rtnl_msg_parse_addr(&addr, &ifindex, &is_global, nlh);
	if (r < 0)
		return r == -ENOMSG ? 0 : r;
	if (addr.ip.family != g->family || ifindex != g->ifindex || !is_global)
		return 0;
	return growbuf_append(&g->items, &addr, sizeof(addr));
}

/* A dump in both families, whole before its items are handed out. */
struct listing {
	const char *what;
	int ifindex;
	void (*ask)(union rtnl_req *req, uint8_t family, int ifindex);
	nlsock_fn *take;
};

static int list(struct rtnl *rtnl, const struct listing *l, rtnl_prefix_fn *fn, void *arg,
		struct err *e)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < ARRAY_LEN(families); i++) {
		struct gather g = { .family = families[i], .ifindex = l->ifindex };
		struct nlmsg_verdict v;
		union rtnl_req req;

		l->ask(&req, families[i], l->ifindex);
		if (nlsock_talk(rtnl->sock, &req.nlh, l->take, &g, &v) < 0)
			result = nlmsg_fail(e, &v, "list the %s of interface %d", l->what,
					    l->ifindex);
		else
			result = hand_out(&g.items, fn, arg);
		growbuf_free(&g.items);
	}
	return result;
}

int rtnl_addr_list(struct rtnl *rtnl, int ifindex, rtnl_prefix_fn *fn, void *arg, struct err *e)
{
	const struct listing l = { "addresses", ifindex, rtnl_msg_addr_dump, take_addr };

	return list(rtnl, &l, fn, arg, e);
}

/* Looks for routes to one network, whatever their metric. */
struct route_search {
	const struct prefix *dst;
	int ifindex;
	bool has_ours;
	bool has_foreign;
};

static int search_route(const struct nlmsghdr *nlh, void *arg)
{
	struct route_search *search = arg;
	struct rtnl_route route;
	int r;

	if (!nlh) {
		search->has_ours = search->has_foreign = false;
		return 0;
	}
	r = rtnl_msg_parse_route(&route, nlh);
	if (r < 0)
		return r == -ENOMSG ? 0 : r;
	if (route.table != RT_TABLE_MAIN || !prefix_equal(&route.dst, search->dst))
		return 0;
	if (rtnl_route_is_ours(&route, search->ifindex))
		search->has_ours = true;
	else
		search->has_foreign = true;
	return 0;
}

/*
 * The kernel's own check is not enough: it lets routes to one network that differ in metric stand
 * side by side, and ours, with the lowest, would take the traffic of the other.
 */
int rtnl_route_add(struct rtnl *rtnl, int ifindex, const struct prefix *dst, struct err *e)
{
	struct route_search search = { .dst = dst, .ifindex = ifindex };
	char text[PREFIX_TEXT_SIZE];
	struct nlmsg_verdict v;
	union rtnl_req req;

	prefix_format(text, dst);
	rtnl_msg_route_dump(&req, dst->ip.family, 0);
	if (nlsock_talk(rtnl->sock, &req.nlh, search_route, &search, &v) < 0)
		return nlmsg_fail(e, &v, "look for routes to %s", text);
	if (search.has_foreign)
		return err_set(e, -EEXIST,
			       "route to %s: one that is not ours is there already and stays",
			       text);
	if (search.has_ours)
		return 0;
	rtnl_msg_route(&req, true, ifindex, dst);
	if (order(rtnl, &req, &v) < 0)
		return nlmsg_fail(e, &v, "add route to %s through interface %d", text, ifindex);
	return 0;
}

int rtnl_route_del(struct rtnl *rtnl, int ifindex, const struct prefix *dst, struct err *e)
{
	char text[PREFIX_TEXT_SIZE];
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_route(&req, false, ifindex, dst);
	(void)order(rtnl, &req, &v);
	if (v.code == 0 || v.code == -ESRCH || v.code == -ENODEV)
		return 0;
	return nlmsg_fail(e, &v, "remove route to %s through interface %d",
			  prefix_format(text, dst), ifindex);
}

static int take_route(const struct nlmsghdr *nlh, void *arg)
{
	struct gather *g = arg;
	struct rtnl_route route;
	int r;

	if (!nlh) {
		growbuf_reset(&g->items);
		return 0;
	}
	r = rtnl_msg_parse_route(&route, nlh);
	if (r < 0)
		return r == -ENOMSG ? 0 : r;
	if (route.dst.ip.family != g->family || !rtnl_route_is_ours(&route, g->ifindex))
		return 0;
	return growbuf_append(&g->items, &route.dst, sizeof(route.dst));
}

int rtnl_route_list(struct rtnl *rtnl, int ifindex, rtnl_prefix_fn *fn, void *arg, struct err *e)
{
	const struct listing l = { "routes", ifindex, rtnl_msg_route_dump, take_route };

	return list(rtnl, &l, fn, arg, e);
}

/* --- forwarding ------------------------------------------------------------------------------ */

struct forwarding {
	bool is_on;
	char *ifname;
};

static int take_forwarding(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[IFLA_IFNAME + 1];
	struct forwarding *f = arg;
	struct rtnl_link_msg m;

	if (!nlh || rtnl_msg_parse_link(&m, nlh) < 0 ||
	    nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(struct ifinfomsg)) < 0)
		return 0;
	f->is_on = m.forwards4;
	nlmsg_get_text(f->ifname, IFNAMSIZ, tb[IFLA_IFNAME]);
	return 0;
}

int rtnl_forwarding_get(struct rtnl *rtnl, int ifindex, bool *on, char ifname[static 16],
			struct err *e)
{
	struct forwarding f = { .ifname = ifname };
	struct nlmsg_verdict v;
	union rtnl_req req;

	ifname[0] = '\0';
	rtnl_msg_link_ask(&req, ifindex);
	req.nlh.nlmsg_flags |= NLM_F_ACK;
	if (nlsock_talk(rtnl->sock, &req.nlh, take_forwarding, &f, &v) < 0)
		return nlmsg_fail(e, &v, "ask whether interface %d forwards", ifindex);
	*on = f.is_on;
	return 0;
}

int rtnl_forwarding_set(struct rtnl *rtnl, int ifindex, bool on, struct err *e)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_link_forwarding(&req, ifindex, on);
	if (order(rtnl, &req, &v) < 0)
		return nlmsg_fail(e, &v, "set forwarding of interface %d", ifindex);
	return 0;
}

static int take_way(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_route *way = arg;

	if (!nlh)
		return 0;
	return rtnl_msg_parse_route(way, nlh) == -EBADMSG ? -EBADMSG : 0;
}

int rtnl_route_oif(struct rtnl *rtnl, const struct ip *to)
{
	struct rtnl_route way = { .n_oif = 0 };
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_route_ask(&req, to);
	if (nlsock_talk(rtnl->sock, &req.nlh, take_way, &way, &v) < 0)
		return v.code;
	return way.n_oif > 0 ? way.oif[0] : -ENETUNREACH;
}

static int take_learnt(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_route route;

	if (nlh && rtnl_msg_parse_route(&route, nlh) == 0 && route.protocol == RTPROT_RA)
		*(bool *)arg = true;
	return 0;
}

bool rtnl_learns_routes(struct rtnl *rtnl)
{
	struct nlmsg_verdict v;
	union rtnl_req req;
	bool learns = false;

	rtnl_msg_route_dump(&req, AF_INET6, 0);
	return nlsock_talk(rtnl->sock, &req.nlh, take_learnt, &learns, &v) < 0 || learns;
}

/* An interface that packets to the outside may take. */
struct underlay {
	int index;
	uint32_t mtu;
	bool has_default_route;
};

struct underlays {
	int except;
	struct growbuf items;
};

static int take_underlay(const struct nlmsghdr *nlh, void *arg)
{
	struct underlays *u = arg;
	struct underlay item = { 0 };
	struct rtnl_link_msg msg;
	int r;

	if (!nlh) {
		growbuf_reset(&u->items);
		return 0;
	}
	r = rtnl_msg_parse_link(&msg, nlh);
	if (r < 0)
		return r == -ENOMSG ? 0 : r;
	if (!msg.link.is_up || msg.is_loopback || msg.link.index == u->except || msg.link.mtu == 0)
		return 0;
	item.index = msg.link.index;
	item.mtu = msg.link.mtu;
	return growbuf_append(&u->items, &item, sizeof(item));
}

static void mark_default_route(struct underlays *u, const struct rtnl_route *route)
{
	struct underlay *items = (void *)u->items.data;

	for (size_t i = 0; i < u->items.len / sizeof(*items); i++) {
		for (size_t j = 0; j < route->n_oif; j++)
			items[i].has_default_route |= items[i].index == route->oif[j];
	}
}

/* A dump that begins anew needs no undoing: marking twice is marking. */
static int take_default_route(const struct nlmsghdr *nlh, void *arg)
{
	struct rtnl_route route;
	int r;

	if (!nlh)
		return 0;
	r = rtnl_msg_parse_route(&route, nlh);
	if (r < 0)
		return r == -ENOMSG ? 0 : r;
	if (route.dst.bits == 0 && route.table == RT_TABLE_MAIN && route.is_unicast)
		mark_default_route(arg, &route);
	return 0;
}

/* Smallest MTU of the items, or of those with a default route; 0 when there is none. */
static uint32_t smallest_mtu(const struct underlays *u, bool need_default_route)
{
	const struct underlay *items = (const void *)u->items.data;
	uint32_t best = 0;

	for (size_t i = 0; i < u->items.len / sizeof(*items); i++) {
		if (need_default_route && !items[i].has_default_route)
			continue;
		if (best == 0 || items[i].mtu < best)
			best = items[i].mtu;
	}
	return best;
}

int rtnl_underlay_mtu(struct rtnl *rtnl, int except, uint32_t *mtu, struct err *e)
{
	struct underlays u = { .except = except };
	struct nlmsg_verdict v;
	union rtnl_req req;
	int r;

	rtnl_msg_link_dump(&req);
	r = nlsock_talk(rtnl->sock, &req.nlh, take_underlay, &u, &v);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(families); i++) {
		rtnl_msg_route_dump(&req, families[i], 0);
		r = nlsock_talk(rtnl->sock, &req.nlh, take_default_route, &u, &v);
	}
	*mtu = smallest_mtu(&u, true);
	if (*mtu == 0)
		*mtu = smallest_mtu(&u, false);
	growbuf_free(&u.items);
	if (r < 0)
		return nlmsg_fail(e, &v, "find the MTU of the underlay");
	return *mtu > 0 ? 0 : err_set(e, -ENOENT, "no interface but the loopback is up");
}

/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * Routes that have to come are looked for in one dump of each family; what then differs goes to the
 * kernel in one send, each with an acknowledgement of its own. So a thousand routes take some thirty
 * calls, and a failure of one is that of one.
 */
#include "daemon/net/rtnl_impl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* A route's message is its two headers and two attributes. */
#define MESSAGE_MAX 64

struct look {
	struct rtnl_change *list;
	size_t n;
	int ifindex;
	uint8_t family;
};

static int note_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct look *l = arg;
	struct rtnl_route route;
	int r = nlh ? rtnl_msg_parse_route(&route, nlh) : 0;

	for (size_t i = 0; !nlh && i < l->n; i++)
		l->list[i].has_ours = l->list[i].has_foreign = false;
	if (!nlh || r == -ENOMSG || (r == 0 && route.table != RT_TABLE_MAIN))
		return 0;
	for (size_t i = 0; r == 0 && i < l->n; i++) {
		struct rtnl_change *c = &l->list[i];

		if (!prefix_equal(&c->dst, &route.dst))
			continue;
		if (rtnl_route_is_ours(&route, l->ifindex))
			c->has_ours = true;
		else
			c->has_foreign = true;
	}
	return r;
}

static bool needs_look(const struct look *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].add && l->list[i].dst.ip.family == l->family)
			return true;
	return false;
}

static void look(struct rtnl *rtnl, struct look *l)
{
	struct nlmsg_verdict v;
	union rtnl_req req;

	if (!needs_look(l))
		return;
	rtnl_msg_route_dump(&req, l->family, 0);
	if (nlsock_talk(rtnl->sock, &req.nlh, note_route, l, &v) >= 0)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].add && l->list[i].dst.ip.family == l->family)
			(void)nlmsg_fail(&l->list[i].error, &v, "look for routes");
}

/* Is there something to send for it? Says what there is against it. */
static bool is_due(struct rtnl_change *c)
{
	char text[PREFIX_TEXT_SIZE];

	if (!c->add)
		return true;
	if (c->error.code == 0 && c->has_foreign)
		(void)err_set(&c->error, -EEXIST,
			      "route to %s: one that is not ours is there already and stays",
			      prefix_format(text, &c->dst));
	return c->error.code == 0 && !c->has_ours;
}

static void take_verdict(struct rtnl_change *c, const struct nlmsg_verdict *v, int ifindex)
{
	char text[PREFIX_TEXT_SIZE];

	if (v->code == 0 || (!c->add && (v->code == -ESRCH || v->code == -ENODEV)))
		return;
	(void)nlmsg_fail(&c->error, v, "%s route to %s through interface %d",
			 c->add ? "add" : "remove", prefix_format(text, &c->dst), ifindex);
}

void rtnl_routes_change(struct rtnl *rtnl, int ifindex, struct rtnl_change *list, size_t n)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	_Alignas(struct nlmsghdr) uint8_t buf[RTNL_CHANGES_MAX * MESSAGE_MAX];
	struct nlmsg_verdict v[RTNL_CHANGES_MAX];
	struct rtnl_change *sent[RTNL_CHANGES_MAX];
	size_t n_sent = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		list[i].error = (struct err) { .code = 0 };
		list[i].has_ours = list[i].has_foreign = false;
	}
	for (size_t i = 0; i < sizeof(families); i++) {
		struct look l = { list, n, ifindex, families[i] };

		look(rtnl, &l);
	}
	for (size_t i = 0; i < n && i < RTNL_CHANGES_MAX; i++) {
		union rtnl_req req;

		if (!is_due(&list[i]))
			continue;
		rtnl_msg_route(&req, list[i].add, ifindex, &list[i].dst);
		memcpy(buf + len, req.bytes, nlmsg_align(req.nlh.nlmsg_len));
		len += nlmsg_align(req.nlh.nlmsg_len);
		sent[n_sent++] = &list[i];
	}
	nlsock_order(rtnl->sock, buf, len, v, n_sent);
	for (size_t i = 0; i < n_sent; i++)
		take_verdict(sent[i], &v[i], ifindex);
}

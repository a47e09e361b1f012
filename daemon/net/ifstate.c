/* SPDX-License-Identifier: MIT */
#include "daemon/net/ifstate.h"
#include "daemon/net/nlmsg.h"
#include "daemon/net/rtnl_msg.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

void ifstate_init(struct ifstate *s, int ifindex)
{
	memset(s, 0, sizeof(*s));
	s->ifindex = ifindex;
}

void ifstate_begin(struct ifstate *s, uint32_t seq)
{
	s->seq = seq;
	for (size_t i = 0; i < s->n; i++)
		s->is_stale[i] = true;
}

static unsigned int forget_at(struct ifstate *s, size_t i)
{
	s->n--;
	memmove(&s->address[i], &s->address[i + 1], (s->n - i) * sizeof(s->address[0]));
	memmove(&s->is_stale[i], &s->is_stale[i + 1], (s->n - i) * sizeof(s->is_stale[0]));
	return IFSTATE_CHANGED;
}

static unsigned int take_link(struct ifstate *s, const struct nlmsghdr *nlh)
{
	struct rtnl_link_msg m;
	unsigned int events = 0;

	if (rtnl_msg_parse_link(&m, nlh) < 0)
		return 0;
	if (m.link.index != s->ifindex)
		return IFSTATE_ELSEWHERE;
	if (!s->exists || s->is_up != m.link.is_up)
		events |= IFSTATE_CHANGED;
	if (s->exists && !s->is_up && m.link.is_up)
		events |= IFSTATE_RAISED;
	s->exists = true;
	s->is_up = m.link.is_up;
	return events;
}

static unsigned int take_no_link(struct ifstate *s)
{
	bool same = s->is_known && !s->exists;

	s->exists = false;
	s->is_up = false;
	s->is_known = true;
	s->n = 0;
	return same ? 0 : IFSTATE_CHANGED;
}

static unsigned int take_gone_link(struct ifstate *s, const struct nlmsghdr *nlh)
{
	int ifindex = 0;

	if (rtnl_msg_parse_gone_link(&ifindex, nlh) < 0)
		return 0;
	if (ifindex != s->ifindex)
		return IFSTATE_ELSEWHERE;
	return take_no_link(s);
}

static unsigned int take_address(struct ifstate *s, const struct nlmsghdr *nlh)
{
	struct prefix p;
	bool is_global = false;
	int ifindex = 0;

	if (rtnl_msg_parse_addr(&p, &ifindex, &is_global, nlh) < 0)
		return 0;
	if (ifindex != s->ifindex)
		return IFSTATE_ELSEWHERE;
	for (size_t i = 0; i < s->n; i++) {
		if (!prefix_equal(&s->address[i], &p))
			continue;
		s->is_stale[i] = false;
		return 0;
	}
	if (s->n == IFSTATE_ADDRESSES_MAX)
		return 0;
	s->is_stale[s->n] = false;
	s->address[s->n++] = p;
	return IFSTATE_CHANGED;
}

static unsigned int take_gone_address(struct ifstate *s, const struct nlmsghdr *nlh)
{
	struct prefix p;
	int ifindex = 0;

	if (rtnl_msg_parse_gone_addr(&p, &ifindex, nlh) < 0)
		return 0;
	if (ifindex != s->ifindex)
		return IFSTATE_ELSEWHERE;
	for (size_t i = 0; i < s->n; i++)
		if (prefix_equal(&s->address[i], &p))
			return forget_at(s, i);
	return 0;
}

/* What the dump has not shown is not there. */
static unsigned int take_end(struct ifstate *s)
{
	unsigned int events = s->is_known ? IFSTATE_END : IFSTATE_END | IFSTATE_CHANGED;

	s->seq = 0;
	s->is_known = true;
	for (size_t i = s->n; i-- > 0;)
		if (s->is_stale[i])
			events |= forget_at(s, i);
	return events;
}

static unsigned int take_verdict(struct ifstate *s, const struct nlmsghdr *nlh)
{
	struct nlmsg_verdict v;

	nlmsg_verdict(&v, nlh);
	/* The question for the link has no other answer when there is none. */
	if (nlh->nlmsg_type == NLMSG_ERROR && v.code == -ENODEV)
		return take_no_link(s);
	if (s->seq == 0 || nlh->nlmsg_seq != s->seq)
		return 0;
	/* A socket has one dump at a time, and an earlier one was not read to its end. */
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return v.code == -EBUSY ? IFSTATE_AGAIN : 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR) {
		s->seq = 0;
		return IFSTATE_AGAIN;
	}
	return take_end(s);
}

static unsigned int take_message(struct ifstate *s, const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
		return take_link(s, nlh);
	case RTM_DELLINK:
		return take_gone_link(s, nlh);
	case RTM_NEWADDR:
		return take_address(s, nlh);
	case RTM_DELADDR:
		return take_gone_address(s, nlh);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		/* The socket lets only default routes through. */
		return IFSTATE_ROUTE;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		return take_verdict(s, nlh);
	default:
		return 0;
	}
}

unsigned int ifstate_take(struct ifstate *s, const void *buf, size_t len)
{
	const struct nlmsghdr *nlh = buf;
	unsigned int events = 0;
	int left = len > INT32_MAX ? 0 : (int)len;

	for (; nlmsg_is_whole(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		events |= take_message(s, nlh);
	return events;
}

bool ifstate_has(const struct ifstate *s, const struct ip *ip)
{
	for (size_t i = 0; i < s->n; i++)
		if (ip_equal(&s->address[i].ip, ip))
			return true;
	return false;
}

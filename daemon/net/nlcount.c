/* SPDX-License-Identifier: MIT */
#include "daemon/net/nlcount.h"
#include "common/defs.h"
#include "daemon/net/nlmsg.h"

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>

static struct nlcount counts;

const char *nlcount_name(enum nlcount_kind kind)
{
	static const char *const names[] = {
		[NLCOUNT_PEER] = "peer", [NLCOUNT_ROUTE] = "route", [NLCOUNT_ADDRESS] = "address",
		[NLCOUNT_LINK] = "link", [NLCOUNT_DUMP] = "dump",
	};

	_Static_assert(ARRAY_LEN(names) == NLCOUNT_KINDS, "a name for each");
	return names[kind];
}

void nlcount_add(enum nlcount_kind kind)
{
	counts.n[kind]++;
}

static enum nlcount_kind kind_of_rtnetlink(const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return NLCOUNT_ROUTE;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return NLCOUNT_ADDRESS;
	case RTM_GETLINK:
	case RTM_GETADDR:
	case RTM_GETROUTE:
		return NLCOUNT_DUMP;
	default:
		return NLCOUNT_LINK;
	}
}

/* Of WireGuard's family and of the control family, whose only request here is a question. */
static enum nlcount_kind kind_of_generic(const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[WGDEVICE_A_MAX + 1];
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == GENL_ID_CTRL ||
	    nlmsg_attrs(tb, ARRAY_LEN(tb), nlh, sizeof(*genl)) < 0 ||
	    genl->cmd != WG_CMD_SET_DEVICE)
		return NLCOUNT_DUMP;
	return tb[WGDEVICE_A_PEERS] ? NLCOUNT_PEER : NLCOUNT_LINK;
}

void nlcount_add_message(const struct nlmsghdr *nlh, int family)
{
	nlcount_add(family == NETLINK_ROUTE ? kind_of_rtnetlink(nlh) : kind_of_generic(nlh));
}

void nlcount_read(struct nlcount *out)
{
	*out = counts;
}

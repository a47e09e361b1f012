/* SPDX-License-Identifier: MIT */
#include "daemon/net/hostaddr.h"
#include "common/defs.h"
#include "daemon/net/nlsock.h"
#include "daemon/net/rtnl_msg.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define LINKS_MAX 256

/**
 * struct links - Interfaces whose addresses count
 */
struct links {
	int own_ifindex;
	size_t n;
	int index[LINKS_MAX];
};

/**
 * struct reading - A dump of the addresses of one family
 * @links:	Interfaces that count
 * @family:	A kernel without IPv6 answers a request for it with everything it has
 * @before:	Entries in @out when it began
 * @out:	Where they go
 */
struct reading {
	const struct links *links;
	uint8_t family;
	size_t before;
	struct hostaddrs *out;
};

static int take_link(const struct nlmsghdr *nlh, void *arg)
{
	struct links *links = arg;
	struct rtnl_link_msg m;

	if (!nlh) {
		links->n = 0;
		return 0;
	}
	if (rtnl_msg_parse_link(&m, nlh) < 0 || m.is_loopback || !m.link.is_up || !m.is_running ||
	    m.link.index == links->own_ifindex || links->n == LINKS_MAX)
		return 0;
	links->index[links->n++] = m.link.index;
	return 0;
}

static bool is_counted(const struct links *links, int ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->index[i] == ifindex)
			return true;
	return false;
}

int hostaddr_parse(struct hostaddr *out, const struct nlmsghdr *nlh)
{
	bool is_global = false;
	uint32_t flags;
	int r;

	*out = (struct hostaddr) { .ifindex = 0 };
	r = rtnl_msg_parse_addr(&out->net, &out->ifindex, &is_global, nlh);
	if (r < 0)
		return r;
	/* Link-local addresses mean nothing to anybody who is not told of the link. */
	if (!is_global)
		return -EADDRNOTAVAIL;
	flags = rtnl_msg_addr_flags(nlh);
	if (out->net.ip.family == AF_INET6) {
		out->is_temporary = flags & IFA_F_TEMPORARY;
		out->is_tentative = flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
		out->is_deprecated = flags & IFA_F_DEPRECATED;
	}
	return 0;
}

static int take_addr(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *r = arg;
	struct hostaddr a;

	if (!nlh) {
		r->out->n = r->before;
		return 0;
	}
	if (r->out->n < HOSTADDRS_MAX && hostaddr_parse(&a, nlh) == 0 &&
	    a.net.ip.family == r->family && is_counted(r->links, a.ifindex))
		r->out->at[r->out->n++] = a;
	return 0;
}

static int read_all(struct hostaddrs *out, struct nlsock *sock, struct links *links)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct nlmsg_verdict v;
	union rtnl_req req;

	rtnl_msg_link_dump(&req);
	if (nlsock_talk(sock, &req.nlh, take_link, links, &v) < 0)
		return v.code;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct reading r = {
			.links = links, .family = families[i], .before = out->n, .out = out
		};

		rtnl_msg_addr_dump(&req, families[i], 0);
		/* A kernel without IPv6 may refuse to be asked for it. */
		if (nlsock_talk(sock, &req.nlh, take_addr, &r, &v) < 0 && families[i] == AF_INET)
			return v.code;
	}
	return 0;
}

int hostaddr_read(struct hostaddrs *out, int own_ifindex)
{
	struct links links = { .own_ifindex = own_ifindex };
	struct nlsock *sock = NULL;
	int r;

	out->n = 0;
	r = nlsock_open(&sock, NETLINK_ROUTE, NULL);
	if (r < 0)
		return r;
	r = read_all(out, sock, &links);
	nlsock_close(sock);
	if (r < 0)
		out->n = 0;
	return r;
}

static bool is_lasting(const struct hostaddr *a, uint8_t family)
{
	return a->net.ip.family == family && !a->is_temporary && !a->is_tentative;
}

static bool has_one(const struct hostaddrs *list, const struct hostaddr *a)
{
	for (size_t i = 0; i < list->n; i++)
		if (is_lasting(&list->at[i], a->net.ip.family) &&
		    list->at[i].ifindex == a->ifindex &&
		    list->at[i].is_deprecated == a->is_deprecated &&
		    prefix_equal(&list->at[i].net, &a->net))
			return true;
	return false;
}

static bool has_all(const struct hostaddrs *list, const struct hostaddrs *of, uint8_t family)
{
	for (size_t i = 0; i < of->n; i++)
		if (is_lasting(&of->at[i], family) && !has_one(list, &of->at[i]))
			return false;
	return true;
}

bool hostaddrs_equal(const struct hostaddrs *a, const struct hostaddrs *b, uint8_t family)
{
	return has_all(a, b, family) && has_all(b, a, family);
}

bool hostaddrs_have(const struct hostaddrs *list, const struct ip *ip)
{
	for (size_t i = 0; i < list->n; i++)
		if (ip_equal(&list->at[i].net.ip, ip))
			return true;
	return false;
}

bool hostaddrs_reach(const struct hostaddrs *list, const struct ip *ip)
{
	for (size_t i = 0; i < list->n; i++)
		if (prefix_contains(&list->at[i].net, ip))
			return true;
	return false;
}

bool hostaddr_source(struct ip *out, const struct endpoint *to)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = endpoint_to_sockaddr(&ss, to, false);
	socklen_t own_len = sizeof(ss);
	struct endpoint own;
	auto_close int fd = -1;

	*out = (struct ip) { .family = 0 };
	if (len == 0)
		return false;
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Connecting a datagram socket sends nothing: the kernel looks its route up. */
	if (fd < 0 || connect(fd, (const struct sockaddr *)&ss, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&ss, &own_len) < 0 ||
	    endpoint_from_sockaddr(&own, (const struct sockaddr *)&ss) < 0)
		return false;
	*out = own.ip;
	return true;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/net/udp.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static int set_on(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int set_off(int fd, int level, int option)
{
	int off = 0;

	return setsockopt(fd, level, option, &off, sizeof(off)) < 0 ? -errno : 0;
}

/*
 * Whoever binds with SO_REUSEADDR beside others takes their unicast from them, unnoticed by either. So
 * it is set before only where that is wanted, and afterwards for those who want to come beside us.
 */
static int bind_shared(int fd, const struct sockaddr_storage *ss, socklen_t len, bool may_join)
{
	int r = may_join ? set_on(fd, SOL_SOCKET, SO_REUSEADDR) : 0;

	if (r == 0 && bind(fd, (const struct sockaddr *)ss, len) < 0)
		r = -errno;
	return r == 0 ? set_on(fd, SOL_SOCKET, SO_REUSEADDR) : r;
}

static int open_bound(struct udp *u, int family, const struct endpoint *at, bool may_join)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = endpoint_to_sockaddr(&ss, at, family == AF_INET6);
	auto_close int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		r = set_off(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (r == 0)
		r = family == AF_INET6 ? set_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO)
				       : set_on(fd, IPPROTO_IP, IP_PKTINFO);
	if (r == 0)
		r = bind_shared(fd, &ss, len, may_join);
	if (r < 0)
		return r;
	u->fd = steal_fd(&fd);
	u->is_v6 = family == AF_INET6;
	return 0;
}

int udp_open_any(struct udp *u, uint16_t port, bool may_join, struct err *e)
{
	struct endpoint any6 = { .ip = { .family = AF_INET6 }, .port = port };
	struct endpoint any4 = { .ip = { .family = AF_INET }, .port = port };
	int r = open_bound(u, AF_INET6, &any6, may_join);

	if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
		r = open_bound(u, AF_INET, &any4, may_join);
	return r < 0 ? err_set(e, r, "listen on UDP port %u", port) : 0;
}

int udp_open_group(struct udp *u, const struct endpoint *group, struct err *e)
{
	char text[ENDPOINT_TEXT_SIZE];
	int r = open_bound(u, AF_INET, group, true);

	if (r == 0)
		r = set_off(u->fd, IPPROTO_IP, IP_MULTICAST_ALL);
	return r < 0 ? err_set(e, r, "listen on %s", endpoint_format(text, group)) : 0;
}

int udp_join(const struct udp *u, const struct ip *group, int ifindex)
{
	struct ip_mreqn mreq = { .imr_ifindex = ifindex };

	memcpy(&mreq.imr_multiaddr, group->b, sizeof(mreq.imr_multiaddr));
	if (setsockopt(u->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) < 0)
		return errno == EADDRINUSE ? 0 : -errno;
	return 0;
}

int udp_report_errors(const struct udp *u)
{
	int r = set_on(u->fd, IPPROTO_IP, IP_RECVERR);

	if (r == 0 && u->is_v6)
		r = set_on(u->fd, IPPROTO_IPV6, IPV6_RECVERR);
	return r;
}

int udp_take_error(const struct udp *u)
{
	union {
		struct cmsghdr align;
		char buf[512];
	} control = { .buf = { 0 } };
	struct msghdr mh = { .msg_control = control.buf, .msg_controllen = sizeof(control.buf) };

	if (recvmsg(u->fd, &mh, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return 0;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&mh); cm; cm = CMSG_NXTHDR(&mh, cm)) {
		struct sock_extended_err why;

		if ((cm->cmsg_level == IPPROTO_IP && cm->cmsg_type == IP_RECVERR) ||
		    (cm->cmsg_level == IPPROTO_IPV6 && cm->cmsg_type == IPV6_RECVERR)) {
			memcpy(&why, CMSG_DATA(cm), sizeof(why));
			return -(int)why.ee_errno;
		}
	}
	return -EIO;
}

void udp_close(struct udp *u)
{
	if (u->fd >= 0)
		(void)close(u->fd);
	u->fd = -1;
}

static void take_local(struct udp_local *local, struct msghdr *mh)
{
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level == IPPROTO_IPV6 && cm->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(cm), sizeof(info));
			local->ip.family = AF_INET6;
			memcpy(local->ip.b, &info.ipi6_addr, sizeof(info.ipi6_addr));
			local->ifindex = (int)info.ipi6_ifindex;
			ip_unmap(&local->ip);
		} else if (cm->cmsg_level == IPPROTO_IP && cm->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(cm), sizeof(info));
			local->ip.family = AF_INET;
			memcpy(local->ip.b, &info.ipi_addr, sizeof(info.ipi_addr));
			local->ifindex = info.ipi_ifindex;
		}
	}
}

ssize_t udp_receive(const struct udp *u, void *buf, size_t size, struct endpoint *from,
		    struct udp_local *local)
{
	struct sockaddr_storage ss = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	union control control = { .buf = { 0 } };
	struct msghdr mh = { .msg_name = &ss,
			     .msg_namelen = sizeof(ss),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf) };
	ssize_t n;

	memset(local, 0, sizeof(*local));
	do {
		n = recvmsg(u->fd, &mh, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (endpoint_from_sockaddr(from, (struct sockaddr *)&ss) < 0)
		return -EAFNOSUPPORT;
	take_local(local, &mh);
	return (mh.msg_flags & MSG_TRUNC) ? -EMSGSIZE : n;
}

static void put_local6(struct msghdr *mh, const struct udp_local *local)
{
	struct in6_pktinfo info = { .ipi6_ifindex = (unsigned int)local->ifindex };
	struct cmsghdr *cm;

	if (local->ip.family == AF_INET) {
		info.ipi6_addr.s6_addr[10] = 0xff;
		info.ipi6_addr.s6_addr[11] = 0xff;
		memcpy(&info.ipi6_addr.s6_addr[12], local->ip.b, 4);
	} else if (local->ip.family == AF_INET6) {
		memcpy(&info.ipi6_addr, local->ip.b, sizeof(info.ipi6_addr));
	}
	mh->msg_controllen = CMSG_SPACE(sizeof(info));
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = IPPROTO_IPV6;
	cm->cmsg_type = IPV6_PKTINFO;
	cm->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cm), &info, sizeof(info));
}

static void put_local4(struct msghdr *mh, const struct udp_local *local)
{
	struct in_pktinfo info = { .ipi_ifindex = local->ifindex };
	struct cmsghdr *cm;

	if (local->ip.family == AF_INET)
		memcpy(&info.ipi_spec_dst, local->ip.b, sizeof(info.ipi_spec_dst));
	mh->msg_controllen = CMSG_SPACE(sizeof(info));
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = IPPROTO_IP;
	cm->cmsg_type = IP_PKTINFO;
	cm->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cm), &info, sizeof(info));
}

int udp_send(const struct udp *u, const void *buf, size_t len, const struct endpoint *to,
	     const struct udp_local *local)
{
	struct sockaddr_storage ss = { 0 };
	/* sendmsg(2) does not write to the datagram; the type only lacks the const. */
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf, .iov_len = len };
	union control control = { .buf = { 0 } };
	struct msghdr mh = { .msg_name = &ss, .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	mh.msg_namelen = endpoint_to_sockaddr(&ss, to, u->is_v6);
	if (mh.msg_namelen == 0)
		return -EDESTADDRREQ;
	if (local && (local->ip.family != 0 || local->ifindex != 0)) {
		mh.msg_control = control.buf;
		mh.msg_controllen = sizeof(control.buf);
		if (u->is_v6)
			put_local6(&mh, local);
		else
			put_local4(&mh, local);
	}
	do {
		n = sendmsg(u->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int udp_ifindex(const struct udp *u, const char *name)
{
	struct ifreq req = { 0 };

	if (str_copy(req.ifr_name, sizeof(req.ifr_name), name) < 0 ||
	    ioctl(u->fd, SIOCGIFINDEX, &req) < 0)
		return 0;
	return req.ifr_ifindex;
}

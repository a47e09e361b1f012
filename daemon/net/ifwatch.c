/* SPDX-License-Identifier: MIT */
#include "daemon/net/ifwatch.h"
#include "daemon/net/rtnl_msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECV_SIZE 32768
#define BATCH_MAX 64

struct ifwatch {
	struct ifwatch_handler h;
	struct ifstate state;
	struct event *readable;
	int fd;
	bool must_ask; /* notifications were lost, or a dump was interrupted */
	uint32_t seq;
	union {
		struct nlmsghdr align;
		uint8_t bytes[RECV_SIZE];
	} in;
};

static int ask(struct ifwatch *w, union rtnl_req *req)
{
	req->nlh.nlmsg_seq = ++w->seq;
	return send(w->fd, req, req->nlh.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* The first question is answered by one message, so that the second one may follow at once. */
static int ask_all(struct ifwatch *w)
{
	union rtnl_req req;
	int r;

	rtnl_msg_link_ask(&req, w->state.ifindex);
	r = ask(w, &req);
	if (r < 0)
		return r;
	rtnl_msg_addr_dump(&req, AF_UNSPEC, w->state.ifindex);
	ifstate_begin(&w->state, w->seq + 1);
	return ask(w, &req);
}

/* Only the kernel is believed; others cannot send to us without a capability anyway. */
static ssize_t receive(struct ifwatch *w)
{
	struct sockaddr_nl from = { 0 };
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(w->fd, w->in.bytes, sizeof(w->in.bytes), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &len);

	if (n < 0)
		return -errno;
	return from.nl_pid == 0 ? n : 0;
}

/* Everything is asked anew only when all is read: there would be no room for the answers. */
static void ask_if_needed(struct ifwatch *w)
{
	if (w->must_ask)
		(void)ask_all(w);
	w->must_ask = false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ifwatch *w = arg;
	unsigned int events = 0;

	(void)fd;
	(void)what;
	for (int i = 0; i < BATCH_MAX; i++) {
		ssize_t n = receive(w);

		if (n == -EAGAIN) {
			ask_if_needed(w);
			break;
		}
		if (n > 0)
			events |= ifstate_take(&w->state, w->in.bytes, (size_t)n);
		if (n == -ENOBUFS || (events & IFSTATE_AGAIN))
			w->must_ask = true;
	}
	if (events & IFSTATE_RAISED)
		w->h.raised(w->h.arg);
	if (events & IFSTATE_CHANGED)
		w->h.changed(w->h.arg, &w->state);
	if ((events & (IFSTATE_ELSEWHERE | IFSTATE_ROUTE)) && w->h.elsewhere)
		w->h.elsewhere(w->h.arg, events & IFSTATE_ROUTE);
}

/*
 * Of routes only default ones: a router may have a million others that come and go, among them those
 * that this node makes itself. The kernel's filters read big-endian numbers.
 */
static int let_through_default_routes(int fd)
{
	static const uint32_t type_at = offsetof(struct nlmsghdr, nlmsg_type);
	static const uint32_t dst_len_at =
		sizeof(struct nlmsghdr) + offsetof(struct rtmsg, rtm_dst_len);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type_at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, dst_len_at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

static int open_socket(struct ifwatch *w)
{
	static const uint32_t groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	static const uint32_t routes = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = groups };

	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (w->fd >= 0 && w->h.elsewhere && let_through_default_routes(w->fd) == 0)
		at.nl_groups |= routes;
	if (w->fd < 0 || bind(w->fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return ask_all(w);
}

int ifwatch_open(struct ifwatch **out, struct event_base *base, int ifindex,
		 const struct ifwatch_handler *h, struct err *e)
{
	struct ifwatch *w = calloc(1, sizeof(*w));
	int r;

	*out = NULL;
	if (!w)
		return err_set(e, -ENOMEM, "watch the interface");
	w->h = *h;
	ifstate_init(&w->state, ifindex);
	r = open_socket(w);
	if (r == 0) {
		w->readable = event_new(base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
		if (!w->readable || event_add(w->readable, NULL) < 0)
			r = -ENOMEM;
	}
	if (r < 0) {
		ifwatch_close(w);
		return err_set(e, r, "watch the interface");
	}
	*out = w;
	return 0;
}

void ifwatch_close(struct ifwatch *w)
{
	if (!w)
		return;
	if (w->readable)
		event_free(w->readable);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w);
}

const struct ifstate *ifwatch_state(const struct ifwatch *w)
{
	return w ? &w->state : NULL;
}

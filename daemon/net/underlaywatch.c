/* SPDX-License-Identifier: MIT */
#include "daemon/net/underlaywatch.h"
#include "common/defs.h"
#include "daemon/clock.h"
#include "daemon/net/growbuf.h"
#include "daemon/net/nlsock.h"
#include "daemon/net/rtnl_msg.h"

#include <errno.h>
#include <event2/event.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECV_SIZE 32768
#define BATCH_MAX 64
#define RETRY_MS  5000

/* One by one, as rtnl.c has it. */
static const uint8_t families[] = { AF_INET, AF_INET6 };

struct underlaywatch {
	struct underlaywatch_handler h;
	struct underlay *known;
	struct underlay *fresh;
	struct underlay table[2]; /* those two */
	int64_t pause_ms;	  /* before the tables are read again */
	struct nlsock *questions; /* kept apart from notifications, which come at any time */
	struct event *readable;
	struct event *settle;
	int fd;
	bool is_stale;
	union {
		struct nlmsghdr align;
		uint8_t bytes[RECV_SIZE];
	} in;
};

/* --- reading --------------------------------------------------------------------------------- */

static int take(const struct nlmsghdr *nlh, void *arg)
{
	/* A table that changed under the dump is read twice: what came before does no harm. */
	return nlh ? underlay_take(arg, nlh) : 0;
}

static int ask(struct underlaywatch *w, union rtnl_req *req)
{
	struct nlmsg_verdict v;

	return nlsock_talk(w->questions, &req->nlh, take, w->fresh, &v);
}

static int read_tables(struct underlaywatch *w)
{
	int64_t began_ms = clock_now().mono_ms;
	union rtnl_req req;
	int r;

	underlay_init(w->fresh, w->known->ifindex);
	rtnl_msg_link_dump(&req);
	r = ask(w, &req);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(families); i++) {
		rtnl_msg_addr_dump(&req, families[i], 0);
		r = ask(w, &req);
		rtnl_msg_route_dump(&req, families[i], 0);
		if (r == 0)
			r = ask(w, &req);
	}
	w->pause_ms = r < 0 ? RETRY_MS : underlay_pause_ms(clock_now().mono_ms - began_ms);
	return r;
}

static void take_fresh(struct underlaywatch *w)
{
	struct underlay *old = w->known;

	w->known = w->fresh;
	w->fresh = old;
}

struct own_routes {
	int ifindex;
	uint8_t family;
	struct growbuf items; /* struct prefix */
};

static int take_own(const struct nlmsghdr *nlh, void *arg)
{
	struct own_routes *own = arg;
	struct rtnl_route route;

	if (!nlh) {
		growbuf_reset(&own->items);
		return 0;
	}
	if (rtnl_msg_parse_route(&route, nlh) < 0 || route.dst.ip.family != own->family ||
	    !rtnl_route_is_ours(&route, own->ifindex))
		return 0;
	return growbuf_append(&own->items, &route.dst, sizeof(route.dst));
}

void underlaywatch_own_routes(struct underlaywatch *w, rtnl_prefix_fn *fn, void *arg)
{
	for (size_t i = 0; w && i < ARRAY_LEN(families); i++) {
		struct own_routes own = { .ifindex = w->known->ifindex, .family = families[i] };
		struct nlmsg_verdict v;
		union rtnl_req req;
		int r;

		rtnl_msg_route_dump(&req, families[i], own.ifindex);
		r = nlsock_talk(w->questions, &req.nlh, take_own, &own, &v);
		for (size_t j = 0; r == 0 && j < own.items.len / sizeof(struct prefix); j++)
			(void)fn((const struct prefix *)(const void *)own.items.data + j, arg);
		growbuf_free(&own.items);
	}
}

static int take_path(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh)
		(void)rtnl_msg_parse_route(arg, nlh);
	return 0;
}

struct mtu_path underlaywatch_path(struct underlaywatch *w, const struct ip *to)
{
	struct mtu_path path = { .bytes = 0 };
	struct rtnl_route route = { .n_oif = 0 };
	struct nlmsg_verdict v;
	union rtnl_req req;

	if (!w)
		return path;
	rtnl_msg_route_ask(&req, to);
	if (nlsock_talk(w->questions, &req.nlh, take_path, &route, &v) < 0 || route.n_oif == 0)
		return path;
	path.bytes = underlay_mtu(w->known, route.oif[0]);
	path.via_gateway = route.gateway[0].family != 0;
	if (path.bytes != 0 && route.mtu != 0 && route.mtu < path.bytes)
		path.bytes = route.mtu;
	return path;
}

/* --- being told ------------------------------------------------------------------------------ */

static void read_later(struct underlaywatch *w)
{
	const struct timeval pause = { .tv_sec = (time_t)(w->pause_ms / 1000),
				       .tv_usec = (suseconds_t)(w->pause_ms % 1000 * 1000) };

	if (!evtimer_pending(w->settle, NULL))
		(void)event_add(w->settle, &pause);
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct underlaywatch *w = arg;

	(void)fd;
	(void)what;
	if (read_tables(w) < 0) {
		read_later(w);
		return;
	}
	if (underlay_equal(w->known, w->fresh))
		return;
	take_fresh(w);
	w->h.changed(w->h.arg);
}

static void take_datagram(struct underlaywatch *w, size_t len)
{
	const struct nlmsghdr *nlh = (const void *)w->in.bytes;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		w->is_stale |= underlay_concerns(w->known, nlh);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct underlaywatch *w = arg;

	(void)what;
	for (int i = 0; i < BATCH_MAX; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, w->in.bytes, sizeof(w->in.bytes), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == ENOBUFS)
			w->is_stale = true;
		else if (n < 0)
			break;
		/* Only the kernel is believed. */
		if (n > 0 && from.nl_pid == 0)
			take_datagram(w, (size_t)n);
	}
	if (w->is_stale)
		read_later(w);
	w->is_stale = false;
}

static int open_notifications(struct underlaywatch *w, struct event_base *base)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
					       RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
					       RTMGRP_IPV6_ROUTE };

	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (w->fd < 0 || bind(w->fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	w->readable = event_new(base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
	w->settle = evtimer_new(base, on_settled, w);
	if (!w->readable || !w->settle || event_add(w->readable, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int underlaywatch_open(struct underlaywatch **out, struct event_base *base, int ifindex,
		       const struct underlaywatch_handler *h, struct err *e)
{
	struct underlaywatch *w = calloc(1, sizeof(*w));
	int r;

	*out = NULL;
	if (!w)
		return err_set(e, -ENOMEM, "watch this machine's networks");
	w->h = *h;
	w->fd = -1;
	w->known = &w->table[0];
	w->fresh = &w->table[1];
	underlay_init(w->known, ifindex);
	r = nlsock_open(&w->questions, NETLINK_ROUTE, e);
	if (r == 0)
		r = open_notifications(w, base);
	if (r == 0)
		r = read_tables(w);
	if (r < 0) {
		underlaywatch_close(w);
		return err_set(e, r, "watch this machine's networks");
	}
	take_fresh(w);
	*out = w;
	return 0;
}

void underlaywatch_close(struct underlaywatch *w)
{
	if (!w)
		return;
	if (w->readable)
		event_free(w->readable);
	if (w->settle)
		event_free(w->settle);
	if (w->fd >= 0)
		(void)close(w->fd);
	nlsock_close(w->questions);
	free(w);
}

const struct underlay *underlaywatch_get(const struct underlaywatch *w)
{
	return w ? w->known : NULL;
}

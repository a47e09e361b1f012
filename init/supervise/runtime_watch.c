/* SPDX-License-Identifier: MIT */
/* runtime_watch - what the event loop waits for */
#include "init/supervise/runtime_impl.h"

#include <errno.h>
#include <sys/epoll.h>

int runtime_watch(const struct runtime *rt, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data = { .fd = fd } };

	return epoll_ctl(rt->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static void unwatch(const struct runtime *rt, int fd)
{
	(void)epoll_ctl(rt->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Only one end at a time: an end that is merely watched would report its hang-up for ever. */
void runtime_watch_relay(struct runtime *rt, enum relay_wants wants)
{
	if (wants == rt->relay_wants || rt->epoll_fd < 0)
		return;
	if (rt->relay_wants == RELAY_WANTS_INPUT)
		unwatch(rt, rt->relay.read_fd);
	if (rt->relay_wants == RELAY_WANTS_OUTPUT)
		unwatch(rt, relay_sink_fd());
	if (wants == RELAY_WANTS_OUTPUT && runtime_watch(rt, relay_sink_fd(), EPOLLOUT) < 0) {
		relay_mute(&rt->relay);
		wants = relay_pump(&rt->relay);
	}
	if (wants == RELAY_WANTS_INPUT)
		(void)runtime_watch(rt, rt->relay.read_fd, EPOLLIN);
	rt->relay_wants = wants;
}

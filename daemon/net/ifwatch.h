/* SPDX-License-Identifier: MIT */
/*
 * ifwatch - know at any time whether our interface exists, is up and has its addresses
 *
 * By rtnetlink notifications, which need no capability. Nothing is asked but once at the beginning,
 * and again when the kernel had to drop notifications.
 */
#ifndef DAEMON_NET_IFWATCH_H
#define DAEMON_NET_IFWATCH_H

#include "common/err.h"
#include "daemon/net/ifstate.h"

struct event_base;
struct ifwatch;

/**
 * struct ifwatch_handler - Who wants to know
 * @arg:	Passed to the call
 * @changed:	Something is otherwise than it was; @s is borrowed for the call, which must not close
 *		the watch
 * @raised:	It was down and is up again, however short: the kernel has dropped its routes and its
 *		IPv6 addresses; must not close the watch
 * @elsewhere:	Another interface or its addresses may have changed, or with @is_route a default route;
 *		NULL: not wanted
 */
struct ifwatch_handler {
	void *arg;
	void (*changed)(void *arg, const struct ifstate *s);
	void (*raised)(void *arg);
	void (*elsewhere)(void *arg, bool is_route);
};

/**
 * ifwatch_open() - Watch an interface
 * @out:	Receives the handle, to be closed with ifwatch_close()
 * @base:	Event loop; borrowed
 * @ifindex:	Interface
 * @h:		Who wants to know; copied
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int ifwatch_open(struct ifwatch **out, struct event_base *base, int ifindex,
		 const struct ifwatch_handler *h, struct err *e);
void ifwatch_close(struct ifwatch *w);

/**
 * ifwatch_state() - What is known; NULL for a NULL handle
 */
const struct ifstate *ifwatch_state(const struct ifwatch *w);

#endif /* DAEMON_NET_IFWATCH_H */

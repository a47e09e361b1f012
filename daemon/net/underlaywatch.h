/* SPDX-License-Identifier: MIT */
/*
 * underlaywatch - know at any time which networks this machine is in
 *
 * By rtnetlink, which needs no capability. The tables are read once at the beginning, and again a
 * moment after the kernel tells of a change that matters; many changes at once are one reading.
 */
#ifndef DAEMON_NET_UNDERLAYWATCH_H
#define DAEMON_NET_UNDERLAYWATCH_H

#include "common/err.h"
#include "daemon/net/mtu.h"
#include "daemon/net/rtnl.h"
#include "daemon/net/underlay.h"

struct event_base;
struct underlaywatch;

/**
 * struct underlaywatch_handler - Who wants to know
 * @arg:	Passed to the call
 * @changed:	The tables are otherwise than they were; must not close the watch
 */
struct underlaywatch_handler {
	void *arg;
	void (*changed)(void *arg);
};

/**
 * underlaywatch_open() - Read the tables, and watch them
 * @out:	Receives the handle, to be closed with underlaywatch_close()
 * @base:	Event loop; borrowed
 * @ifindex:	The mesh's own interface
 * @h:		Who wants to know; copied
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int underlaywatch_open(struct underlaywatch **out, struct event_base *base, int ifindex,
		       const struct underlaywatch_handler *h, struct err *e);
void underlaywatch_close(struct underlaywatch *w);

/**
 * underlaywatch_get() - What is known; NULL for a NULL handle
 */
const struct underlay *underlaywatch_get(const struct underlaywatch *w);

/**
 * underlaywatch_own_routes() - List the routes of our protocol number through the mesh's interface
 * @w:		Handle, may be NULL: lists nothing
 * @fn:		Called for each, after all have been read
 * @arg:	Passed on
 */
void underlaywatch_own_routes(struct underlaywatch *w, rtnl_prefix_fn *fn, void *arg);

/**
 * underlaywatch_path() - The way to an address, as the kernel would take it now
 * @w:		Handle, may be NULL: nothing is known
 * @to:		Address
 *
 * Return: the way; 0 bytes when there is none, or it leads through the mesh's own interface
 */
struct mtu_path underlaywatch_path(struct underlaywatch *w, const struct ip *to);

#endif /* DAEMON_NET_UNDERLAYWATCH_H */

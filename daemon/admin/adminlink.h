/* SPDX-License-Identifier: MIT */
/* adminlink - the mesh process's event-driven connection to netadmin; never blocks */
#ifndef DAEMON_ADMIN_ADMINLINK_H
#define DAEMON_ADMIN_ADMINLINK_H

#include "common/err.h"
#include "daemon/admin/netadmin.h"

#include <stdbool.h>

struct adminlink;
struct event_base;

/**
 * struct adminlink_handler - Who listens to netadmin
 * @arg:	Passed to each call
 * @on_reply:	A reply came; @fd is the descriptor that came with it, or -1; owned by the handler
 * @on_idle:	Everything queued has been sent
 * @on_gone:	netadmin has ended; no call follows
 * @on_batch:	A reply that lists peers came; borrowed for the call
 */
struct adminlink_handler {
	void *arg;
	void (*on_reply)(void *arg, const struct netadmin_reply *r, int fd);
	void (*on_idle)(void *arg);
	void (*on_gone)(void *arg);
	void (*on_batch)(void *arg, const struct netadmin_batch *b);
};

/**
 * adminlink_open() - Watch a started netadmin
 * @out:	Receives the handle, to be closed with adminlink_close()
 * @base:	Event loop; borrowed
 * @n:		The started process; its descriptor is taken over
 * @h:		Listener; copied
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int adminlink_open(struct adminlink **out, struct event_base *base, const struct netadmin *n,
		   const struct adminlink_handler *h, struct err *e);
void adminlink_close(struct adminlink *l);

/**
 * adminlink_send() - Send a request, or queue it until netadmin takes it
 * @l:		Handle
 * @req:	Request; copied
 * @fd:		Descriptor that goes with it, -1 for none; taken over
 *
 * Of those that wait while netadmin hangs, no two say the same: of levels, say, the last are sent.
 */
void adminlink_send(struct adminlink *l, const struct netadmin_request *req, int fd);

/**
 * adminlink_send_batch() - Send changes of peers, or queue them until netadmin takes them
 * @l:		Handle
 * @b:		Batch; copied
 */
void adminlink_send_batch(struct adminlink *l, const struct netadmin_batch *b);

/**
 * adminlink_is_busy() - Is something queued? Then better wait for on_idle() before sending more.
 */
bool adminlink_is_busy(const struct adminlink *l);

#endif /* DAEMON_ADMIN_ADMINLINK_H */

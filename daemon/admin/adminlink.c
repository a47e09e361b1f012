/* SPDX-License-Identifier: MIT */
#include "daemon/admin/adminlink.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLIES_PER_TURN 64 /* then other events get their turn */

/* A request, or a batch, as it goes over the wire. */
struct queued {
	struct queued *next;
	int fd;
	size_t len;
	uint8_t bytes[];
};

struct adminlink {
	struct netadmin admin;
	struct adminlink_handler h;
	struct event *readable;
	struct event *writable;
	struct queued *head;
	struct queued **tail;
	struct netadmin_batch in; /* what came last */
};

static void drop_head(struct adminlink *l)
{
	struct queued *q = l->head;

	l->head = q->next;
	if (!l->head)
		l->tail = &l->head;
	if (q->fd >= 0)
		(void)close(q->fd);
	free(q);
}

static void gone(struct adminlink *l)
{
	(void)event_del(l->readable);
	(void)event_del(l->writable);
	l->h.on_gone(l->h.arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct adminlink *l = arg;

	(void)fd;
	(void)what;
	while (l->head) {
		const struct queued *q = l->head;

		if (netadmin_send(&l->admin, q->bytes, q->len, q->fd) == -EAGAIN)
			return;
		/* Any other failure means that netadmin is gone; its end of file says so. */
		drop_head(l);
	}
	(void)event_del(l->writable);
	l->h.on_idle(l->h.arg);
}

static void enqueue(struct adminlink *l, const void *bytes, size_t len, int fd)
{
	struct queued *q = malloc(sizeof(*q) + len);

	if (!q) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	q->next = NULL;
	q->fd = fd;
	q->len = len;
	memcpy(q->bytes, bytes, len);
	*l->tail = q;
	l->tail = &q->next;
	(void)event_add(l->writable, NULL);
}

/* Does one of the two say all that matters of both? */
static bool is_same_matter(const struct netadmin_request *a, const struct netadmin_request *b)
{
	bool is_route = a->op == NETADMIN_ROUTE_ADD || a->op == NETADMIN_ROUTE_DEL;

	if (is_route)
		return (b->op == NETADMIN_ROUTE_ADD || b->op == NETADMIN_ROUTE_DEL) &&
		       prefix_equal(&a->route, &b->route);
	return a->op == b->op;
}

/* Puts a request in the place of one that it makes void. */
static bool replace_queued(struct adminlink *l, const struct netadmin_request *req, int fd)
{
	for (struct queued *q = l->head; q; q = q->next) {
		struct netadmin_request old;

		if (q->len != sizeof(old))
			continue;
		memcpy(&old, q->bytes, sizeof(old));
		if (!is_same_matter(&old, req))
			continue;
		memcpy(q->bytes, req, sizeof(*req));
		if (q->fd >= 0)
			(void)close(q->fd);
		q->fd = fd;
		return true;
	}
	return false;
}

void adminlink_send(struct adminlink *l, const struct netadmin_request *req, int fd)
{
	if (l->head) {
		if (!replace_queued(l, req, fd))
			enqueue(l, req, sizeof(*req), fd);
		return;
	}
	if (netadmin_send(&l->admin, req, sizeof(*req), fd) == -EAGAIN)
		enqueue(l, req, sizeof(*req), fd);
	else if (fd >= 0)
		(void)close(fd);
}

void adminlink_send_batch(struct adminlink *l, const struct netadmin_batch *b)
{
	if (l->head || netadmin_send(&l->admin, b->msg.bytes, b->len, -1) == -EAGAIN)
		enqueue(l, b->msg.bytes, b->len, -1);
}

bool adminlink_is_busy(const struct adminlink *l)
{
	return l->head != NULL;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct adminlink *l = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < REPLIES_PER_TURN; i++) {
		struct netadmin_reply reply;
		int passed = -1;
		int r = netadmin_receive(&l->admin, &reply, &l->in, &passed);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			gone(l);
			return;
		}
		if (reply.event == NETADMIN_PEER_STATES || reply.event == NETADMIN_PEERS_FAILED)
			l->h.on_batch(l->h.arg, &l->in);
		else
			l->h.on_reply(l->h.arg, &reply, passed);
	}
}

int adminlink_open(struct adminlink **out, struct event_base *base, const struct netadmin *n,
		   const struct adminlink_handler *h, struct err *e)
{
	struct adminlink *l = calloc(1, sizeof(*l));

	if (!l)
		return err_set(e, -ENOMEM, "watch netadmin");
	l->admin = *n;
	l->h = *h;
	l->tail = &l->head;
	l->readable = event_new(base, n->fd, EV_READ | EV_PERSIST, on_readable, l);
	l->writable = event_new(base, n->fd, EV_WRITE | EV_PERSIST, on_writable, l);
	if (!l->readable || !l->writable || event_add(l->readable, NULL) < 0) {
		adminlink_close(l);
		return err_set(e, -ENOMEM, "watch netadmin");
	}
	*out = l;
	return 0;
}

void adminlink_close(struct adminlink *l)
{
	if (!l)
		return;
	while (l->head)
		drop_head(l);
	if (l->readable)
		event_free(l->readable);
	if (l->writable)
		event_free(l->writable);
	(void)close(l->admin.fd);
	free(l);
}

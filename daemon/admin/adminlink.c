/* SPDX-License-Identifier: MIT */
#include "daemon/admin/adminlink.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#define REPLIES_PER_TURN 64 /* then other events get their turn */

struct queued {
	struct netadmin_request req;
	int fd;
	struct queued *next;
};

struct adminlink {
	struct netadmin admin;
	struct adminlink_handler h;
	struct event *readable;
	struct event *writable;
	struct queued *head;
	struct queued **tail;
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
		if (netadmin_send(&l->admin, &l->head->req, l->head->fd) == -EAGAIN)
			return;
		/* Any other failure means that netadmin is gone; its end of file says so. */
		drop_head(l);
	}
	(void)event_del(l->writable);
	l->h.on_idle(l->h.arg);
}

void adminlink_send(struct adminlink *l, const struct netadmin_request *req, int fd)
{
	struct queued *q;

	if (!l->head && netadmin_send(&l->admin, req, fd) != -EAGAIN) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	q = calloc(1, sizeof(*q));
	if (!q) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	q->req = *req;
	q->fd = fd;
	*l->tail = q;
	l->tail = &q->next;
	(void)event_add(l->writable, NULL);
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
		int r = netadmin_receive(&l->admin, &reply, &passed);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			gone(l);
			return;
		}
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

/* SPDX-License-Identifier: MIT */
#include "daemon/pong.h"
#include "daemon/clock.h"
#include "daemon/connset.h"
#include "daemon/pace.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SILENCE_MS	10000
#define LINE_MAX_LEN	16
#define CONNECTIONS_MAX 256 /* two servers leave half of the usual 1024 descriptors to the others */
#define BACKLOG		64
#define UNREAD_MAX	1024 /* bytes of answers; who does not read them is no prober */

/**
 * struct connection - One prober
 * @owner:	Server
 * @conn:	Its place among the others, by the time of its last ping
 * @bev:	Its bufferevent
 */
struct connection {
	struct pong *owner;
	struct conn conn;
	struct bufferevent *bev;
};

/**
 * struct pong - Server
 * @base:	Event loop
 * @listener:	Lets connections in
 * @conns:	Connections
 * @pace:	How fast others are let in
 * @expiry:	Ends those that are silent; pending while there are any
 */
struct pong {
	struct event_base *base;
	struct evconnlistener *listener;
	struct connset conns;
	struct pace pace;
	struct event *expiry;
};

static void free_connection(void *owner)
{
	struct connection *c = owner;

	bufferevent_free(c->bev);
	free(c);
}

static void hang_up(struct connection *c)
{
	connset_remove(&c->conn);
	free_connection(c);
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	struct pong *p = arg;
	int64_t left_ms = connset_expire(&p->conns, clock_now().mono_ms, SILENCE_MS);
	struct timeval left = { .tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000 };

	(void)fd;
	(void)what;
	if (left_ms >= 0)
		(void)event_add(p->expiry, &left);
}

/* Whoever was not heard for the longest time has to go first. */
static void is_heard(struct connection *c)
{
	struct pong *p = c->owner;

	connset_remove(&c->conn);
	connset_add(&p->conns, &c->conn, c, clock_now().mono_ms);
	if (!evtimer_pending(p->expiry, NULL))
		on_expiry(-1, 0, p);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct connection *c = arg;

	for (;;) {
		char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
		bool is_ping = line && strcmp(line, "ping") == 0;

		if (!line)
			break;
		free(line);
		if (!is_ping || evbuffer_get_length(bufferevent_get_output(bev)) > UNREAD_MAX ||
		    bufferevent_write(bev, "pong\n", 5) < 0) {
			hang_up(c);
			return;
		}
		is_heard(c);
	}
	if (evbuffer_get_length(in) > LINE_MAX_LEN)
		hang_up(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	hang_up(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *arg)
{
	struct pong *p = arg;
	struct connection *c = calloc(1, sizeof(*c));

	(void)listener;
	(void)sa;
	(void)len;
	if (c)
		c->bev = bufferevent_socket_new(p->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->bev) {
		free(c);
		(void)evutil_closesocket(fd);
		return;
	}
	c->owner = p;
	is_heard(c);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	(void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	pace_let_in(&p->pace);
}

static void set_listening(void *arg, bool on)
{
	const struct pong *p = arg;

	(void)(on ? evconnlistener_enable(p->listener) : evconnlistener_disable(p->listener));
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct pong *p = arg;

	(void)listener;
	pace_starve(&p->pace);
}

int pong_open(struct pong **out, struct event_base *base, const struct endpoint *at, struct err *e)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct sockaddr_storage ss = { 0 };
	socklen_t len = endpoint_to_sockaddr(&ss, at, false);
	struct pong *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(e, -ENOMEM, "open the probe server");
	p->base = base;
	connset_init(&p->conns, CONNECTIONS_MAX, free_connection);
	p->expiry = evtimer_new(base, on_expiry, p);
	if (!p->expiry || pace_open(&p->pace, base, &p->conns, set_listening, p) < 0) {
		pong_close(p);
		return err_set(e, -ENOMEM, "open the probe server");
	}
	p->listener = evconnlistener_new_bind(base, on_accept, p,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
						      LEV_OPT_REUSEABLE,
					      BACKLOG, (struct sockaddr *)&ss, (int)len);
	if (!p->listener) {
		int saved = errno;

		pong_close(p);
		return err_set(e, -saved, "listen on %s", endpoint_format(text, at));
	}
	evconnlistener_set_error_cb(p->listener, on_accept_error);
	*out = p;
	return 0;
}

void pong_close(struct pong *p)
{
	if (!p)
		return;
	connset_clear(&p->conns);
	pace_close(&p->pace);
	if (p->expiry)
		event_free(p->expiry);
	if (p->listener)
		evconnlistener_free(p->listener);
	free(p);
}

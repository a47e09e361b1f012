/* SPDX-License-Identifier: MIT */
#include "daemon/pong.h"
#include "daemon/peers.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SILENCE_S	10
#define LINE_MAX_LEN	16
#define CONNECTIONS_MAX PEERS_MAX
#define BACKLOG		64
#define UNREAD_MAX	1024 /* bytes of answers; who does not read them is no prober */

struct connection {
	struct pong *owner;
	struct bufferevent *bev;
	struct connection *next;
	struct connection *prev;
};

struct pong {
	struct event_base *base;
	struct evconnlistener *listener;
	struct connection *connections;
	size_t n_connections;
};

static void hang_up(struct connection *c)
{
	struct pong *p = c->owner;

	if (c->prev)
		c->prev->next = c->next;
	else
		p->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	p->n_connections--;
	bufferevent_free(c->bev);
	free(c);
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
	static const struct timeval silence = { .tv_sec = SILENCE_S };
	struct pong *p = arg;
	struct connection *c = p->n_connections < CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;

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
	c->next = p->connections;
	if (c->next)
		c->next->prev = c;
	p->connections = c;
	p->n_connections++;
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_set_timeouts(c->bev, &silence, &silence);
	(void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/*
 * Without a free descriptor the listener would stay readable and the loop would spin. Probers come
 * back; whoever has been here longest makes room.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	const struct pong *p = arg;
	struct connection *oldest = p->connections;

	(void)listener;
	while (oldest && oldest->next)
		oldest = oldest->next;
	if (oldest)
		hang_up(oldest);
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
	p->listener = evconnlistener_new_bind(base, on_accept, p,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
						      LEV_OPT_REUSEABLE,
					      BACKLOG, (struct sockaddr *)&ss, (int)len);
	if (!p->listener) {
		int saved = errno;

		free(p);
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
	while (p->connections)
		hang_up(p->connections);
	evconnlistener_free(p->listener);
	free(p);
}

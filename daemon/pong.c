/* SPDX-License-Identifier: MIT */
#include "daemon/pong.h"
#include "daemon/clock.h"
#include "daemon/connset.h"
#include "daemon/pace.h"
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
	struct conn conn;
	struct bufferevent *bev;
};

struct pong {
	struct event_base *base;
	struct evconnlistener *listener;
	struct connset connections;
	struct pace pace;
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
	connset_add(&p->connections, &c->conn, c, clock_now().mono_ms);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_set_timeouts(c->bev, &silence, &silence);
	(void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	pace_let_in(&p->pace);
}

/* Probers come back; whoever has been here longest makes room. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct pong *p = arg;

	(void)listener;
	pace_starve(&p->pace);
}

static void set_listening(void *arg, bool on)
{
	struct pong *p = arg;

	(void)(on ? evconnlistener_enable(p->listener) : evconnlistener_disable(p->listener));
}

static void free_server(struct pong *p)
{
	pace_close(&p->pace);
	if (p->listener)
		evconnlistener_free(p->listener);
	free(p);
}

int pong_open(struct pong **out, struct event_base *base, const struct endpoint *at, struct err *e)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct sockaddr_storage ss = { 0 };
	socklen_t len = endpoint_to_sockaddr(&ss, at, false);
	struct pong *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_set(e, -ENOMEM, "open the probe server");
	p->base = base;
	connset_init(&p->connections, CONNECTIONS_MAX, free_connection);
	p->listener = evconnlistener_new_bind(base, on_accept, p,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
						      LEV_OPT_REUSEABLE,
					      BACKLOG, (struct sockaddr *)&ss, (int)len);
	r = p->listener ? pace_open(&p->pace, base, &p->connections, set_listening, p) : -errno;
	if (r < 0) {
		free_server(p);
		return err_set(e, r, "listen on %s", endpoint_format(text, at));
	}
	evconnlistener_set_error_cb(p->listener, on_accept_error);
	*out = p;
	return 0;
}

void pong_close(struct pong *p)
{
	if (!p)
		return;
	connset_clear(&p->connections);
	free_server(p);
}

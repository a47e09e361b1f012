/* SPDX-License-Identifier: MIT */
#include "daemon/rpc/rpc_server.h"
#include "common/defs.h"
#include "daemon/net/connset.h"
#include "daemon/net/pace.h"
#include "daemon/net/unixlisten.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG	   512
#define UNREAD_MAX (64 * 1024) /* answers that wait to be read; then no request is taken */

struct client {
	struct rpc_server *server;
	struct conn conn;
	struct bufferevent *bev;
	struct event *limit;   /* no request, or an answer unread, for so long: it has to go */
	struct rpc_call *call; /* being answered; what comes behind it waits */
	struct view_waiter waiter;
	bool is_leaving; /* it has closed its side, and waits for its last answers */
};

struct rpc_server {
	struct event_base *base;
	struct evconnlistener *listener;
	struct view_source from;
	struct connset clients;
	struct pace pace;
};

static void free_client(void *owner)
{
	struct client *c = owner;

	if (c->call)
		c->server->from.cancel(c->server->from.arg, &c->waiter);
	rpc_drop(c->call);
	if (c->limit)
		event_free(c->limit);
	if (c->bev)
		bufferevent_free(c->bev);
	free(c);
}

static void hang_up(struct client *c)
{
	connset_remove(&c->conn);
	free_client(c);
}

static void restart_limit(struct client *c)
{
	static const struct timeval silence = { .tv_sec = RPC_SERVER_SILENCE_S };

	(void)event_add(c->limit, &silence);
}

/* Return: false when the client has to go */
static bool answer(struct client *c, const struct view *v)
{
	char *line = rpc_finish(c->call, v);
	bool ok = line && bufferevent_write(c->bev, line, strlen(line)) == 0;

	c->call = NULL;
	c->conn.is_served = false;
	free(line);
	restart_limit(c);
	return ok;
}

static void answer_lines(struct client *c);

static void on_view(const struct view *v, void *arg)
{
	struct client *c = arg;

	if (answer(c, v))
		answer_lines(c);
	else
		hang_up(c);
}

/* Return: false when the client has to go */
static bool take_line(struct client *c, const char *line, size_t len)
{
	struct rpc_server *s = c->server;

	c->call = rpc_begin(line, len, &s->from);
	if (!c->call)
		return false;
	return rpc_needs_view(c->call) || answer(c, NULL);
}

static void await_view(struct client *c)
{
	c->conn.is_served = true;
	c->server->from.fresh(c->server->from.arg, &c->waiter);
}

/*
 * Answers what has come, in order, as long as the answers are read; may hang up. Asking for a view is
 * the last thing done here: it may call back at once, and then all of this has happened again.
 */
static void answer_lines(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer *out = bufferevent_get_output(c->bev);
	bool ok = true;

	while (ok && !c->call && evbuffer_get_length(out) < UNREAD_MAX) {
		size_t len = 0;
		char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

		if (!line) {
			if (evbuffer_get_length(in) >= RPC_LINE_MAX ||
			    (c->is_leaving && evbuffer_get_length(out) == 0))
				hang_up(c);
			return;
		}
		ok = take_line(c, line, len);
		free(line);
	}
	if (!ok)
		hang_up(c);
	else if (c->call)
		await_view(c);
}

/* Bytes have come, or gone, which may have made room for an answer. */
static void go_on(struct client *c)
{
	if (!c->call)
		answer_lines(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	go_on(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	go_on(arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	if (!(what & BEV_EVENT_EOF)) {
		hang_up(c);
		return;
	}
	c->is_leaving = true;
	(void)bufferevent_disable(bev, EV_READ);
	go_on(c);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	c->server->clients.n_evicted++;
	hang_up(c);
}

static bool may_ask(int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	return cred.uid == 0 || cred.uid == geteuid();
}

/* Takes the descriptor over. */
static void add_client(struct rpc_server *s, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		(void)evutil_closesocket(fd);
		return;
	}
	c->server = s;
	c->waiter = (struct view_waiter) { .done = on_view, .arg = c };
	c->limit = evtimer_new(s->base, on_limit, c);
	c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->limit || !c->bev) {
		if (!c->bev)
			(void)evutil_closesocket(fd);
		free_client(c);
		return;
	}
	connset_add(&s->clients, &c->conn, c, clock_now().mono_ms);
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, RPC_LINE_MAX);
	(void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	restart_limit(c);
	pace_let_in(&s->pace);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *arg)
{
	struct rpc_server *s = arg;

	(void)listener;
	(void)sa;
	(void)len;
	if (may_ask(fd))
		add_client(s, fd);
	else
		(void)evutil_closesocket(fd);
}

static void set_listening(void *arg, bool on)
{
	struct rpc_server *s = arg;

	(void)(on ? evconnlistener_enable(s->listener) : evconnlistener_disable(s->listener));
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct rpc_server *s = arg;

	(void)listener;
	pace_starve(&s->pace);
}

/* Takes the descriptor over, also when it fails. */
static int listen_on(struct rpc_server *s, int fd)
{
	s->listener = evconnlistener_new(s->base, on_accept, s,
					 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!s->listener) {
		(void)close(fd);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	return pace_open(&s->pace, s->base, &s->clients, set_listening, s);
}

static void free_server(struct rpc_server *s)
{
	pace_close(&s->pace);
	if (s->listener)
		evconnlistener_free(s->listener);
	free(s);
}

int rpc_server_listen(const char *path, struct err *e)
{
	int fd = unixlisten_open(path, BACKLOG);

	return fd < 0 ? err_set(e, fd, "open the control socket %s", path) : fd;
}

int rpc_server_open(struct rpc_server **out, struct event_base *base, int fd,
		    const struct view_source *from, struct err *e)
{
	struct rpc_server *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)close(fd);
		return err_set(e, -ENOMEM, "serve the control socket");
	}
	s->base = base;
	s->from = *from;
	connset_init(&s->clients, RPC_SERVER_CLIENTS_MAX, free_client);
	if (listen_on(s, fd) < 0) {
		free_server(s);
		return err_set(e, -ENOMEM, "serve the control socket");
	}
	*out = s;
	return 0;
}

void rpc_server_close(struct rpc_server *s)
{
	if (!s)
		return;
	connset_clear(&s->clients);
	free_server(s);
}

uint64_t rpc_server_evicted(const struct rpc_server *s)
{
	return s ? s->clients.n_evicted : 0;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/rpc_server.h"
#include "common/defs.h"
#include "common/str.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 32
#define SILENCE_S   30
#define BACKLOG	    16
#define UNREAD_MAX  (1024 * 1024) /* answers that wait to be read; then no request is taken */

struct client {
	struct rpc_server *server;
	struct bufferevent *bev;
	bool is_leaving; /* it has closed its side, and waits for its last answers */
	struct client *next;
	struct client *prev;
};

struct rpc_server {
	struct event_base *base;
	struct evconnlistener *listener;
	struct rpc_provider from;
	struct client *clients;
	size_t n_clients;
	struct sockaddr_un at;
};

static void hang_up(struct client *c)
{
	struct rpc_server *s = c->server;

	if (c->prev)
		c->prev->next = c->next;
	else
		s->clients = c->next;
	if (c->next)
		c->next->prev = c->prev;
	s->n_clients--;
	bufferevent_free(c->bev);
	free(c);
}

/* Return: false when the client has to go */
static bool answer_line(struct client *c, const char *line, size_t len)
{
	struct rpc_source src = { .now = clock_now() };
	bool ok;
	char *answer;

	c->server->from.fill(c->server->from.arg, &src);
	answer = rpc_answer(line, len, &src);
	ok = answer && bufferevent_write(c->bev, answer, strlen(answer)) == 0;
	free(answer);
	return ok;
}

/* Answers what has come, as long as the answers are read; may hang up. */
static void answer_lines(struct client *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer *out = bufferevent_get_output(c->bev);
	bool ok = true;

	while (ok && evbuffer_get_length(out) < UNREAD_MAX) {
		size_t len = 0;
		char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

		if (!line) {
			if (evbuffer_get_length(in) >= RPC_LINE_MAX ||
			    (c->is_leaving && evbuffer_get_length(out) == 0))
				hang_up(c);
			return;
		}
		ok = answer_line(c, line, len);
		free(line);
	}
	if (!ok)
		hang_up(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	answer_lines(arg);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	answer_lines(arg);
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
	answer_lines(c);
}

static bool may_ask(int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	return cred.uid == 0 || cred.uid == geteuid();
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *arg)
{
	static const struct timeval silence = { .tv_sec = SILENCE_S };
	struct rpc_server *s = arg;
	struct client *c = s->n_clients < CLIENTS_MAX && may_ask(fd) ? calloc(1, sizeof(*c)) : NULL;

	(void)listener;
	(void)sa;
	(void)len;
	if (c)
		c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->bev) {
		free(c);
		(void)evutil_closesocket(fd);
		return;
	}
	c->server = s;
	c->next = s->clients;
	if (c->next)
		c->next->prev = c;
	s->clients = c;
	s->n_clients++;
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_set_timeouts(c->bev, &silence, &silence);
	bufferevent_setwatermark(c->bev, EV_READ, 0, RPC_LINE_MAX);
	(void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* Removes a socket that a dead node left; anything else at the path stays (protocol.md B20). */
static int clear_path(const struct sockaddr_un *at)
{
	struct stat st;
	auto_close int fd = -1;

	if (lstat(at->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A hung node with a full backlog is alive too. */
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlink(at->sun_path) < 0 ? -errno : 0;
}

static void make_directory(const char *path)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (str_copy(copy, sizeof(copy), path) == 0)
		(void)mkdir(dirname(copy), 0755);
}

static int listen_at(struct rpc_server *s)
{
	mode_t old;
	int r = clear_path(&s->at);

	if (r < 0)
		return r;
	/* Whoever may connect is decided by credentials: root in a container often lacks the
	 * capability to pass a mode that names another user. */
	old = umask(0111);
	s->listener = evconnlistener_new_bind(
		s->base, on_accept, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG,
		(struct sockaddr *)&s->at, (int)sizeof(s->at));
	r = s->listener ? 0 : -errno;
	(void)umask(old);
	return r;
}

int rpc_server_open(struct rpc_server **out, struct event_base *base, const char *path,
		    const struct rpc_provider *from, struct err *e)
{
	struct rpc_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(e, -ENOMEM, "open the control socket");
	s->base = base;
	s->from = *from;
	s->at.sun_family = AF_UNIX;
	r = str_copy(s->at.sun_path, sizeof(s->at.sun_path), path);
	if (r == 0) {
		make_directory(path);
		r = listen_at(s);
	}
	if (r < 0) {
		free(s);
		return err_set(e, r, "open the control socket %s", path);
	}
	*out = s;
	return 0;
}

void rpc_server_close(struct rpc_server *s)
{
	if (!s)
		return;
	while (s->clients)
		hang_up(s->clients);
	evconnlistener_free(s->listener);
	(void)unlink(s->at.sun_path);
	free(s);
}

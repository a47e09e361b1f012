/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * evhttp 2.1 bounds neither the number of its connections nor their time, and tells nobody of one
 * that has not asked anything yet. What it offers is to have its bufferevents made by us
 * (evhttp_set_bevcb()). Each of them is therefore made here, with a second reference that is ours:
 *
 * - A connection is ended by telling its bufferevent of an error: evhttp takes it for one of the
 *   network, and frees the connection and what belongs to it.
 * - Of a connection that evhttp has freed, by itself or because of us, our reference is left: a
 *   bufferevent without callbacks. Dropping it closes the descriptor. That happens when an answer has
 *   been sent, before a new connection is let in, and four times a second while there are any.
 *
 * A bufferevent_filter() would tell of its end, but evhttp takes what is written to a filter for sent,
 * and hangs up before it is.
 */
#include "daemon/http/server.h"
#include "common/log.h"
#include "daemon/clock.h"
#include "daemon/http/endpoints.h"
#include "daemon/http/keep.h"
#include "daemon/http/listen.h"
#include "daemon/net/addr.h"
#include "daemon/net/connset.h"
#include "daemon/net/pace.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX 8192
#define INPUT_MAX \
	(2 * HEADERS_MAX) /* what is read ahead; evhttp itself has no limit while it writes */
#define SWEEP_MS      250
#define RETRY_FIRST_S 5
#define RETRY_MAX_S   320

/**
 * struct client - One connection
 * @conn:	Its place among the others
 * @owner:	Server
 * @bev:	Its bufferevent, evhttp's too; our reference
 * @waiter:	Waits for a fresh view
 * @req:	What is to be answered then; NULL while nothing is
 * @id:		What was asked for
 */
struct client {
	struct conn conn;
	struct http *owner;
	struct bufferevent *bev;
	struct view_waiter waiter;
	struct evhttp_request *req;
	enum http_endpoint id;
};

/**
 * struct http - Server
 * @cfg:	What it was told
 * @from:	The node
 * @base:	Event loop
 * @evhttp:	libevent's server
 * @bound:	Listeners, by address; NULL for one that could not be opened yet
 * @conns:	Connections
 * @pace:	How fast others are let in
 * @sweep:	Looks for those that have ended
 * @retry:	Tries addresses again
 * @retry_s:	After so long; each time twice as long, since a second node on a host may wait for good
 * @kept:	The last answer of /health, whose peers may be many
 * @next:	Next server
 * @trouble:	Why an address is not listened at; empty when all are
 */
struct http {
	struct http_config cfg;
	struct view_source from;
	struct event_base *base;
	struct evhttp *evhttp;
	struct evhttp_bound_socket *bound[HTTP_ADDRESSES_MAX];
	struct connset conns;
	struct pace pace;
	struct event *sweep;
	struct event *retry;
	int retry_s;
	struct keep kept;
	struct http *next;
	char trouble[240];
};

/* A listener's error callback is told of the evhttp that it belongs to, and of nothing of ours. */
static struct http *servers;

/* --- connections ------------------------------------------------------------------------------ */

static bool is_over(const struct client *c)
{
	bufferevent_event_cb on_event = NULL;

	bufferevent_getcb(c->bev, NULL, NULL, &on_event, NULL);
	return !on_event;
}

static void hang_up(void *owner)
{
	struct client *c = owner;
	struct http *h = c->owner;

	if (c->req)
		h->from.cancel(h->from.arg, &c->waiter);
	if (!is_over(c))
		bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR | BEV_EVENT_READING, 0);
	/* evhttp leaves a request that we have not answered to us. */
	if (c->req)
		evhttp_request_free(c->req);
	(void)bufferevent_decref(c->bev);
	free(c);
}

/* Drops what evhttp has done with. */
static void sweep(struct http *h)
{
	struct conn *next;

	for (struct conn *conn = h->conns.oldest; conn; conn = next) {
		next = conn->newer;
		if (!is_over(conn->owner))
			continue;
		connset_remove(conn);
		hang_up(conn->owner);
	}
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval period = { .tv_usec = SWEEP_MS * 1000 };
	struct http *h = arg;

	(void)fd;
	(void)what;
	sweep(h);
	if (connset_expire(&h->conns, clock_now().mono_ms, HTTP_LIFETIME_MS) >= 0)
		(void)event_add(h->sweep, &period);
}

/* An answer is on its way, and right after this callback evhttp frees the connection. */
static void on_answered(struct evhttp_request *req, void *arg)
{
	const struct http *h = arg;

	(void)req;
	event_active(h->sweep, 0, 0);
}

static struct bufferevent *make_connection(struct event_base *base, void *arg)
{
	struct http *h = arg;
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->owner = h;
	c->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		free(c);
		return NULL;
	}
	bufferevent_incref(c->bev);
	bufferevent_setwatermark(c->bev, EV_READ, 0, INPUT_MAX);
	sweep(h);
	connset_add(&h->conns, &c->conn, c, clock_now().mono_ms);
	if (!evtimer_pending(h->sweep, NULL))
		event_active(h->sweep, 0, 0);
	pace_let_in(&h->pace);
	return c->bev;
}

static struct client *find_client(const struct http *h, struct evhttp_request *req)
{
	const struct bufferevent *bev =
		evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));

	for (struct conn *conn = h->conns.oldest; conn; conn = conn->newer) {
		struct client *c = conn->owner;

		if (c->bev == bev)
			return c;
	}
	return NULL;
}

/* --- answers --------------------------------------------------------------------------------- */

static void add_header(struct evhttp_request *req, const char *name, const char *value)
{
	(void)evhttp_add_header(evhttp_request_get_output_headers(req), name, value);
}

static void free_body(const void *data, size_t len, void *extra)
{
	(void)data;
	(void)len;
	keep_release(extra);
}

/* Takes the reference to the body, which may be NULL for want of memory. */
static void send_answer(struct http *h, struct evhttp_request *req, const struct http_answer *a,
			struct kept_body *body)
{
	struct evbuffer *out = evbuffer_new();
	char len[24];

	if (!out || !body || evbuffer_add_reference(out, a->body, a->len, free_body, body) < 0) {
		if (body)
			keep_release(body);
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
	} else {
		(void)snprintf(len, sizeof(len), "%zu", a->len);
		if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD)
			(void)evbuffer_drain(out, a->len);
		/* With keep-alive asked for, evhttp would promise both. */
		(void)evhttp_remove_header(evhttp_request_get_input_headers(req), "Connection");
		add_header(req, "Content-Type", a->type);
		add_header(req, "Content-Length", len);
		add_header(req, "Cache-Control", "no-store");
		add_header(req, "X-Content-Type-Options", "nosniff");
		add_header(req, "Connection", "close");
		evhttp_request_set_on_complete_cb(req, on_answered, h);
		evhttp_send_reply(req, a->status, NULL, out);
	}
	if (out)
		evbuffer_free(out);
}

static void send_text(struct http *h, struct evhttp_request *req, int status, const char *text)
{
	struct http_answer a = { .status = status,
				 .type = "text/plain; charset=utf-8",
				 .body = strdup(text),
				 .len = strlen(text) };

	if (a.body)
		send_answer(h, req, &a, keep_wrap(a.body));
	else
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
}

static void answer(struct http *h, struct evhttp_request *req, enum http_endpoint id,
		   const struct view *v)
{
	struct process_facts process;
	const struct http_request asked = {
		.query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req)),
		.accept = evhttp_find_header(evhttp_request_get_input_headers(req), "Accept"),
		.view = v,
		.process = &process,
		.n_peers = h->cfg.n_peers,
	};
	const uint64_t began_us = clock_monotonic_us();
	struct kept_body *body;
	struct http_answer a;

	body = id == HTTP_HEALTH ? keep_get(&h->kept, began_us, &a) : NULL;
	if (body) {
		send_answer(h, req, &a, body);
		return;
	}
	if (id == HTTP_METRICS || id == HTTP_STATS)
		process_look(&process);
	if (http_answer_make(&a, id, &asked) < 0) {
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	body = keep_wrap(a.body);
	if (body && id == HTTP_HEALTH)
		keep_put(&h->kept, &a, body, began_us, clock_monotonic_us());
	send_answer(h, req, &a, body);
}

static void on_fresh_view(const struct view *v, void *arg)
{
	struct client *c = arg;
	struct evhttp_request *req = c->req;

	c->req = NULL;
	answer(c->owner, req, c->id, v);
}

static void answer_with(struct client *c, struct evhttp_request *req, enum http_endpoint id,
			enum http_needs needs)
{
	struct http *h = c->owner;
	struct view v = { .phase = VIEW_STARTING };

	switch (needs) {
	case NEEDS_NOTHING:
		answer(h, req, id, NULL);
		break;
	case NEEDS_VIEW:
		h->from.now(h->from.arg, &v);
		answer(h, req, id, &v);
		break;
	case NEEDS_FRESH:
		c->req = req;
		c->id = id;
		c->waiter = (struct view_waiter) { .done = on_fresh_view, .arg = c };
		h->from.fresh(h->from.arg, &c->waiter);
		break;
	}
}

/* --- requests -------------------------------------------------------------------------------- */

static bool came_by_loopback(struct bufferevent *bev)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct endpoint local;

	if (getsockname(bufferevent_getfd(bev), (struct sockaddr *)&ss, &len) < 0 ||
	    endpoint_from_sockaddr(&local, (const struct sockaddr *)&ss) < 0)
		return false;
	if (local.ip.family == AF_INET)
		return local.ip.b[0] == IN_LOOPBACKNET;
	return memcmp(local.ip.b, &in6addr_loopback, sizeof(local.ip.b)) == 0;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct http *h = arg;
	struct client *c = find_client(h, req);
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const char *host = evhttp_request_get_host(req);
	enum http_endpoint id =
		http_endpoint_find(evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req)));

	if (!c) {
		evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	c->conn.is_served = true;
	if (method == EVHTTP_REQ_CONNECT) {
		/* evhttp would keep the connection, as that of a proxy. */
		c->req = req;
		connset_remove(&c->conn);
		hang_up(c);
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		add_header(req, "Allow", "GET, HEAD");
		send_text(h, req, HTTP_BADMETHOD,
			  "only GET and HEAD, nothing can be changed here\n");
	} else if (came_by_loopback(c->bev) && !http_host_is_local(host, h->cfg.hostname)) {
		send_text(h, req, 403,
			  "ask by address, or as localhost: the name in Host is not ours\n");
	} else {
		answer_with(c, req, id,
			    id == HTTP_ENDPOINT_COUNT ? NEEDS_NOTHING
						      : http_endpoints_table()[id].needs);
	}
}

/* --- listening ------------------------------------------------------------------------------- */

static void set_listening(void *arg, bool on)
{
	const struct http *h = arg;

	for (size_t i = 0; i < h->cfg.at->n; i++) {
		struct evconnlistener *l =
			h->bound[i] ? evhttp_bound_socket_get_listener(h->bound[i]) : NULL;

		if (l)
			(void)(on ? evconnlistener_enable(l) : evconnlistener_disable(l));
	}
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct http *h = servers;

	(void)listener;
	while (h && (void *)h->evhttp != arg)
		h = h->next;
	if (h)
		pace_starve(&h->pace);
}

static int listen_at(struct http *h, size_t i, struct err *e)
{
	int fd = http_listen(&h->cfg.at->list[i], e);
	struct evconnlistener *l;

	if (fd < 0)
		return fd;
	l = evconnlistener_new(h->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
			       0, fd);
	if (!l) {
		(void)close(fd);
		return err_set(e, -ENOMEM, "make a listener");
	}
	h->bound[i] = evhttp_bind_listener(h->evhttp, l);
	if (!h->bound[i]) {
		evconnlistener_free(l);
		return err_set(e, -ENOMEM, "make a listener");
	}
	evconnlistener_set_error_cb(l, on_accept_error);
	return 0;
}

/* Later, this process can make no file (daemon/confine/confine.h). */
static int try_to_listen(struct http *h, size_t i, bool is_first, struct err *e)
{
	const char *path = h->cfg.at->list[i].path;

	if (is_first || path[0] == '\0')
		return listen_at(h, i, e);
	return err_set(
		e, -EPERM,
		"cannot serve health and metrics at %s, which can only be made at the start: "
		"restart the node",
		path);
}

/* Tries those that are not open; the first time that one fails is an error, the next ones are not. */
static void listen_everywhere(struct http *h, bool is_first)
{
	const struct timeval later = { .tv_sec = h->retry_s };
	bool is_complete = true;

	h->trouble[0] = '\0';
	for (size_t i = 0; i < h->cfg.at->n; i++) {
		char text[HTTP_PATH_SIZE];
		struct err e = { 0 };
		int r = h->bound[i] ? 1 : try_to_listen(h, i, is_first, &e);

		if (r == 0)
			log_event(EVENT_HTTP_LISTENS, NULL, "health and metrics at %s",
				  http_address_format(text, &h->cfg.at->list[i]));
		else if (r < 0 && is_first)
			log_event(EVENT_HTTP_OFF, NULL, "%s: %s", e.msg, strerror(-r));
		if (r < 0)
			(void)snprintf(h->trouble, sizeof(h->trouble), "%.190s: %.40s", e.msg,
				       strerror(-r));
		is_complete &= r >= 0;
	}
	if (is_complete)
		return;
	(void)event_add(h->retry, &later);
	if (h->retry_s < RETRY_MAX_S)
		h->retry_s *= 2;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	listen_everywhere(arg, false);
}

/* --- the server ------------------------------------------------------------------------------ */

static void set_up_evhttp(struct http *h)
{
	/* For a connection that there was no memory to keep track of. */
	static const struct timeval fallback = { .tv_sec = HTTP_LIFETIME_MS / 1000 + 1 };

	evhttp_set_bevcb(h->evhttp, make_connection, h);
	evhttp_set_gencb(h->evhttp, on_request, h);
	/* All that there are and will be: what is not allowed is to be answered by us. */
	evhttp_set_allowed_methods(h->evhttp, UINT16_MAX);
	evhttp_set_max_headers_size(h->evhttp, HEADERS_MAX);
	evhttp_set_max_body_size(h->evhttp, 0);
	evhttp_set_timeout_tv(h->evhttp, &fallback);
}

static void free_event(struct event *ev)
{
	if (ev)
		event_free(ev);
}

static void free_server(struct http *h)
{
	free_event(h->sweep);
	pace_close(&h->pace);
	free_event(h->retry);
	if (h->evhttp)
		evhttp_free(h->evhttp);
	free(h);
}

int http_open(struct http **out, struct event_base *base, const struct http_config *cfg,
	      struct err *e)
{
	struct http *h;

	*out = NULL;
	if (cfg->at->n == 0)
		return 0;
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_set(e, -ENOMEM, "make the HTTP server");
	h->cfg = *cfg;
	h->from = *cfg->from;
	h->base = base;
	connset_init(&h->conns, HTTP_CLIENTS_MAX, hang_up);
	h->evhttp = evhttp_new(base);
	h->sweep = evtimer_new(base, on_sweep, h);
	h->retry = evtimer_new(base, on_retry, h);
	if (pace_open(&h->pace, base, &h->conns, set_listening, h) < 0 || !h->evhttp || !h->sweep ||
	    !h->retry) {
		free_server(h);
		return err_set(e, -ENOMEM, "make the HTTP server");
	}
	set_up_evhttp(h);
	h->next = servers;
	servers = h;
	h->retry_s = RETRY_FIRST_S;
	listen_everywhere(h, true);
	*out = h;
	return 0;
}

void http_close(struct http *h)
{
	struct http **at = &servers;

	if (!h)
		return;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	connset_clear(&h->conns);
	keep_close(&h->kept);
	free_server(h);
}

uint32_t http_sockets(const struct http *h)
{
	uint32_t made = 0;

	for (size_t i = 0; h && i < h->cfg.at->n; i++)
		if (h->bound[i] && h->cfg.at->list[i].path[0] != '\0')
			made |= 1U << i;
	return made;
}

const char *http_trouble(const struct http *h)
{
	return h && h->trouble[0] != '\0' ? h->trouble : NULL;
}

uint64_t http_evicted(const struct http *h)
{
	return h ? h->conns.n_evicted : 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * stunclient_ask() looks up all names and asks all literals. Each address that comes back joins the
 * round and is asked at once. The timer sends again what is due; the round is over when nobody is
 * waited for any more, or its time is.
 */
#include "daemon/nat/stunclient.h"
#include "common/defs.h"
#include "daemon/clock.h"
#include "daemon/net/resolve.h"
#include "daemon/net/udp.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH_MAX 32  /* datagrams taken before other events get their turn */
#define JUNK_MAX  256 /* datagrams of a round that nobody asked for, before it is given up */

static const struct {
	const char *name;
	uint16_t port;
} public_servers[] = {
	{ "stun.l.google.com", 19302 },
	{ "stun1.l.google.com", 19302 },
	{ "stun.cloudflare.com", 3478 },
};

/**
 * struct question - A name that is being looked up
 * @c:		Back reference
 * @q:		The resolver's; NULL when it is answered
 * @port:	Of the server
 */
struct question {
	struct stunclient *c;
	struct resolve *q;
	uint16_t port;
};

struct stunclient {
	struct stunclient_config cfg;
	struct event_base *base;
	struct event *timer;
	struct event *readable;
	struct udp udp;
	struct stunround round;
	int64_t end_ms;
	unsigned int n_junk;
	struct question question[HOSTPORTS_MAX];
};

static bool is_asking(const struct stunclient *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->question); i++)
		if (c->question[i].q)
			return true;
	return false;
}

static uint16_t local_port(const struct stunclient *c)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct endpoint at;

	if (c->udp.fd < 0 || getsockname(c->udp.fd, (struct sockaddr *)&ss, &len) < 0 ||
	    endpoint_from_sockaddr(&at, (const struct sockaddr *)&ss) < 0)
		return 0;
	return at.port;
}

static void stop(struct stunclient *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->question); i++) {
		resolve_cancel(c->question[i].q);
		c->question[i].q = NULL;
	}
	if (c->readable)
		event_free(c->readable);
	c->readable = NULL;
	udp_close(&c->udp);
	(void)event_del(c->timer);
}

static void finish(struct stunclient *c)
{
	struct stunround over = c->round;
	uint16_t port = local_port(c);

	stop(c);
	c->cfg.done(c->cfg.arg, &over, port);
}

static void send_to(struct stunclient *c, struct stunround_server *s)
{
	uint8_t request[STUN_REQUEST_LEN];
	int r;

	stun_request(request, &s->transaction);
	r = udp_send(&c->udp, request, sizeof(request), &s->at, NULL);
	/* No way there now is no way there in a second; a firewall's refusal may be a matter of luck. */
	if (r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
		s->state = STUNROUND_UNSENT;
}

/* Sends what is due, and sets the timer for the rest; ends a round that has nothing to wait for. */
static void pump(struct stunclient *c)
{
	int64_t now_ms = clock_now().mono_ms;
	struct stunround_server *s;
	struct timeval tv;
	int64_t due_ms;

	while ((s = stunround_next(&c->round, now_ms)))
		send_to(c, s);
	due_ms = stunround_due_ms(&c->round);
	if (now_ms >= c->end_ms || (due_ms == INT64_MAX && !is_asking(c))) {
		finish(c);
		return;
	}
	if (due_ms > c->end_ms)
		due_ms = c->end_ms;
	tv.tv_sec = (due_ms - now_ms) / 1000;
	tv.tv_usec = ((due_ms - now_ms) % 1000) * 1000;
	(void)event_add(c->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pump(arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct stunclient *c = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < BATCH_MAX; i++) {
		uint8_t datagram[STUN_ANSWER_MAX];
		struct udp_local local;
		struct endpoint from;
		ssize_t n = udp_receive(&c->udp, datagram, sizeof(datagram), &from, &local);

		if (n == -EAGAIN)
			break;
		if (n < 0 || !stunround_take(&c->round, datagram, (size_t)n, &from))
			c->n_junk++;
	}
	/* Somebody knows the port, and fills it: what has come so far has to do. */
	if (c->n_junk > JUNK_MAX)
		finish(c);
	else
		pump(c);
}

static int open_socket(struct stunclient *c)
{
	struct err e = { 0 };
	int r = udp_open_any(&c->udp, 0, false, &e);

	if (r < 0)
		return r;
	c->readable = event_new(c->base, c->udp.fd, EV_READ | EV_PERSIST, on_readable, c);
	if (!c->readable || event_add(c->readable, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static void add_server(struct stunclient *c, const struct ip *ip, uint16_t port)
{
	struct endpoint at = { .ip = *ip, .port = port };
	struct stun_transaction t;

	if (c->cfg.no_ipv6 && ip->family == AF_INET6)
		return;
	crypto_random(t.b, sizeof(t.b));
	(void)stunround_add(&c->round, &at, &t, clock_now().mono_ms);
}

/* One address of each family is enough: the others are the same service. */
static void on_resolved(void *arg, const struct ip *list, size_t n, const char *error)
{
	struct question *q = arg;
	bool has_v4 = false;
	bool has_v6 = false;

	(void)error;
	q->q = NULL;
	for (size_t i = 0; i < n; i++) {
		bool *has = list[i].family == AF_INET ? &has_v4 : &has_v6;

		if (!*has)
			add_server(q->c, &list[i], q->port);
		*has = true;
	}
	pump(q->c);
}

static void look_up(struct stunclient *c, size_t i, const char *name, uint16_t port)
{
	struct question *q = &c->question[i];

	q->c = c;
	q->port = port;
	if (c->cfg.resolver)
		q->q = resolver_ask(c->cfg.resolver, name, c->cfg.no_ipv6, on_resolved, q);
}

static void ask_servers(struct stunclient *c)
{
	const struct hostports *given = c->cfg.servers;

	for (size_t i = 0; i < given->n; i++) {
		const struct hostport *h = &given->at[i];
		uint16_t port = h->port != 0 ? h->port : STUNCLIENT_PORT;

		if (h->ip.family != 0)
			add_server(c, &h->ip, port);
		else
			look_up(c, i, h->name, port);
	}
	for (size_t i = 0; given->n == 0 && i < ARRAY_LEN(public_servers); i++)
		look_up(c, i, public_servers[i].name, public_servers[i].port);
}

void stunclient_ask(struct stunclient *c)
{
	struct timeval now = { 0 };

	stop(c);
	memset(&c->round, 0, sizeof(c->round));
	c->n_junk = 0;
	c->end_ms = clock_now().mono_ms + STUNCLIENT_ROUND_MS;
	if (open_socket(c) < 0)
		c->end_ms = 0;
	else
		ask_servers(c);
	/* Whoever asks is not called back before it has asked. */
	(void)event_add(c->timer, &now);
}

int stunclient_open(struct stunclient **out, struct event_base *base,
		    const struct stunclient_config *cfg, struct err *e)
{
	struct stunclient *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return err_set(e, -ENOMEM, "make the STUN client");
	c->cfg = *cfg;
	c->base = base;
	c->udp.fd = -1;
	c->timer = evtimer_new(base, on_timer, c);
	if (!c->timer) {
		free(c);
		return err_set(e, -ENOMEM, "make the STUN client");
	}
	*out = c;
	return 0;
}

void stunclient_close(struct stunclient *c)
{
	if (!c)
		return;
	stop(c);
	event_free(c->timer);
	free(c);
}

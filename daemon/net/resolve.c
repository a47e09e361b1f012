/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * evdns reads /etc/resolv.conf and /etc/hosts once. Search domains and ndots are the machine's own,
 * so that a name means here what it means to every other program in the container.
 *
 * evdns may answer before its call returns (a literal, the hosts file). No caller expects that, so
 * such an answer waits in the question until the loop turns.
 */
#include "daemon/net/resolve.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS	    "/etc/hosts"

/**
 * struct resolve - One question
 * @r:		Resolver
 * @done:	Who asked
 * @arg:	Passed to @done
 * @request:	While evdns works on it
 * @turn:	Fires when the answer may be handed over
 * @is_asking:	The call to evdns has not returned yet
 * @list:	Answer
 * @n:		Entries in @list
 * @error:	Why there is none; NULL for success
 * @next:	Next question of the same resolver
 */
struct resolve {
	struct resolver *r;
	resolve_fn *done;
	void *arg;
	struct evdns_getaddrinfo_request *request;
	struct event *turn;
	struct ip list[RESOLVE_MAX];
	size_t n;
	const char *error;
	struct resolve *next;
};

struct resolver {
	struct event_base *base;
	struct evdns_base *dns;
	struct resolve *asked;
};

static void question_free(struct resolve *q)
{
	struct resolve **link = &q->r->asked;

	while (*link != q)
		link = &(*link)->next;
	*link = q->next;
	event_free(q->turn);
	free(q);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *q = arg;
	resolve_fn *done = q->done;

	(void)fd;
	(void)what;
	/* Whoever is told may ask again, and may not cancel what is over. */
	if (done)
		done(q->arg, q->list, q->n, q->error);
	question_free(q);
}

static bool is_listed(const struct resolve *q, const struct ip *ip)
{
	for (size_t i = 0; i < q->n; i++)
		if (ip_equal(&q->list[i], ip))
			return true;
	return false;
}

static void on_answer(int result, struct evutil_addrinfo *res, void *arg)
{
	struct resolve *q = arg;
	struct endpoint at;

	q->request = NULL;
	for (const struct evutil_addrinfo *ai = res; ai && q->n < RESOLVE_MAX; ai = ai->ai_next)
		if (endpoint_from_sockaddr(&at, ai->ai_addr) == 0 && !is_listed(q, &at.ip))
			q->list[q->n++] = at.ip;
	if (res)
		evutil_freeaddrinfo(res);
	if (q->n == 0)
		q->error = result ? evutil_gai_strerror(result) : "the name has no address";
	/* A cancelled question is freed in the next turn, too: evdns may still be using it. */
	event_active(q->turn, EV_TIMEOUT, 0);
}

struct resolve *resolver_ask(struct resolver *r, const char *name, bool no_ipv6, resolve_fn *done,
			     void *arg)
{
	const struct evutil_addrinfo hints = {
		.ai_family = no_ipv6 ? AF_INET : AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_protocol = IPPROTO_UDP,
	};
	struct resolve *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->r = r;
	q->done = done;
	q->arg = arg;
	q->turn = event_new(r->base, -1, 0, on_turn, q);
	if (!q->turn) {
		free(q);
		return NULL;
	}
	q->next = r->asked;
	r->asked = q;
	q->request = evdns_getaddrinfo(r->dns, name, NULL, &hints, on_answer, q);
	return q;
}

uint32_t resolve_ttl_s(const struct resolve *q)
{
	(void)q;
	return 0;
}

void resolve_cancel(struct resolve *q)
{
	if (!q)
		return;
	q->done = NULL;
	if (q->request)
		evdns_getaddrinfo_cancel(q->request);
}

static void settle(struct evdns_base *dns)
{
	static const char *const options[][2] = {
		{ "timeout", "3" },
		{ "attempts", "3" },
		/* A server that failed once is asked again soon: often the network has just come. */
		{ "max-timeouts", "3" },
		{ "initial-probe-timeout", "5" },
		{ "max-inflight", "64" },
		/* Some servers answer with the name in their own case. */
		{ "randomize-case", "0" },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)evdns_base_set_option(dns, options[i][0], options[i][1]);
}

int resolver_open_from(struct resolver **out, struct event_base *base, const char *resolv_conf,
		       const char *hosts, struct err *e)
{
	struct resolver *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (!r)
		return err_set(e, -ENOMEM, "make the resolver");
	r->base = base;
	r->dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (!r->dns) {
		free(r);
		return err_set(e, -ENOMEM, "make the resolver");
	}
	/* Without the file, and without an entry, the server of this machine is asked, as ever. */
	(void)evdns_base_resolv_conf_parse(r->dns, DNS_OPTIONS_ALL & ~DNS_OPTION_HOSTSFILE,
					   resolv_conf);
	settle(r->dns);
	(void)evdns_base_load_hosts(r->dns, hosts);
	*out = r;
	return 0;
}

int resolver_open(struct resolver **out, struct event_base *base, struct err *e)
{
	return resolver_open_from(out, base, RESOLV_CONF, HOSTS, e);
}

void resolver_close(struct resolver *r)
{
	if (!r)
		return;
	for (struct resolve *q = r->asked; q; q = q->next)
		resolve_cancel(q);
	/* evdns hands over what it cancelled when the loop turns. */
	while (r->asked)
		(void)event_base_loop(r->base, EVLOOP_NONBLOCK);
	evdns_base_free(r->dns, 0);
	free(r);
}

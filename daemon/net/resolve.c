/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A name is looked up as every other program of the container does it: hosts file, then the name
 * with each search domain and as it is, in the order that ndots gives, until one has an address. A
 * name that ends with a dot is whole, and costs two questions instead of ten in a pod.
 *
 * Each question has a socket of its own, connected to the server: the kernel draws its port, keeps
 * datagrams of others away, and tells at once when nobody listens. Nothing is asked but what was
 * asked for; libevent's own resolver asks for a name of its maker's choice to find out whether a
 * server is back, and throws away answers that were cut to fit.
 */
#include "daemon/net/resolve.h"
#include "common/defs.h"
#include "common/io.h"
#include "daemon/net/dnsconf.h"
#include "daemon/net/dnsmsg.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS	    "/etc/hosts"
#define FILE_MAX    65536
#define PAUSE_MS    200 /* after a server that could not be asked */
#define FAMILIES    2

/**
 * struct lookup - The addresses of one family
 * @q:		Question it belongs to
 * @family:	AF_INET or AF_INET6
 * @fd:		Socket of the question that is under way, -1 for none
 * @event:	An answer has come, or its time is over
 * @id:		Of that question
 * @n_tries:	Servers that were asked
 * @is_plain:	This server understands only plain questions
 * @is_done:	@answer is final
 * @verdict:	Why there is none
 * @answer:	What was found
 */
struct lookup {
	struct resolve *q;
	uint8_t family;
	int fd;
	struct event *event;
	uint16_t id;
	unsigned int n_tries;
	bool is_plain;
	bool is_done;
	enum dnsmsg_verdict verdict;
	struct dnsmsg_answer answer;
};

/**
 * struct resolve - One question of a caller
 * @r:		Resolver
 * @done:	Who asked; NULL when the answer is not wanted any more
 * @arg:	Passed to @done
 * @turn:	Asks for the next form of the name, or hands the answer over, when the loop turns
 * @base:	Name as it was given, without a last dot
 * @is_whole:	It had one
 * @step:	Which form of the name is tried
 * @full:	That form
 * @lookup:	A and AAAA
 * @n_lookups:	1 without IPv6
 * @has_failed:	Some server could not tell
 * @n:		Entries in @list
 * @list:	Answer
 * @ttl_s:	How long it holds
 * @next:	Next question of the same resolver
 */
struct resolve {
	struct resolver *r;
	resolve_fn *done;
	void *arg;
	struct event *turn;
	char base[DNSMSG_NAME_SIZE];
	bool is_whole;
	size_t step;
	char full[DNSMSG_NAME_SIZE];
	struct lookup lookup[FAMILIES];
	size_t n_lookups;
	bool has_failed;
	size_t n;
	struct ip list[RESOLVE_MAX];
	uint32_t ttl_s;
	struct resolve *next;
};

/**
 * struct resolver - What is known of this machine
 * @base:	Event loop
 * @conf_fd:	resolv.conf, -1 where there is none
 * @hosts_fd:	hosts file, -1 where there is none
 * @conf:	What the one says
 * @hosts:	What the other says
 * @asked:	Questions
 */
struct resolver {
	struct event_base *base;
	int conf_fd;
	int hosts_fd;
	struct dnsconf conf;
	char *hosts;
	struct resolve *asked;
};

/* --- one question to one server -------------------------------------------------------------- */

static void hang_up(struct lookup *l)
{
	if (l->event)
		event_free(l->event);
	if (l->fd >= 0)
		(void)close(l->fd);
	l->event = NULL;
	l->fd = -1;
}

static void lookup_done(struct lookup *l, enum dnsmsg_verdict verdict)
{
	struct resolve *q = l->q;

	hang_up(l);
	l->is_done = true;
	l->verdict = verdict;
	q->has_failed |= verdict == DNSMSG_FAILED;
	for (size_t i = 0; i < q->n_lookups; i++)
		if (!q->lookup[i].is_done)
			return;
	event_active(q->turn, EV_TIMEOUT, 0);
}

static int open_socket(const struct endpoint *server)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ss, server, false);
	auto_close int fd = socket(server->ip.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&ss, len) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* Sends the question to the server whose turn it is; a negative errno value when that is not possible. */
static int send_question(struct lookup *l)
{
	const struct dnsconf *conf = &l->q->r->conf;
	struct dnsmsg_question ask = { .name = l->q->full,
				       .family = l->family,
				       .is_plain = l->is_plain };
	uint8_t bytes[DNSMSG_QUERY_MAX];
	long len;

	crypto_random(&l->id, sizeof(l->id));
	ask.id = l->id;
	len = dnsmsg_ask(bytes, &ask);
	if (len < 0)
		return (int)len;
	l->fd = open_socket(&conf->server[(l->n_tries - 1) % conf->n_servers]);
	if (l->fd < 0)
		return l->fd;
	return send(l->fd, bytes, (size_t)len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void on_lookup(evutil_socket_t fd, short what, void *arg);

static void ask_server(struct lookup *l)
{
	const struct dnsconf *conf = &l->q->r->conf;
	struct timeval limit = { .tv_sec = conf->timeout_s };

	hang_up(l);
	/* There may have been more of them when it began. */
	if (l->n_tries >= conf->attempts * conf->n_servers) {
		lookup_done(l, DNSMSG_FAILED);
		return;
	}
	l->n_tries++;
	if (send_question(l) < 0) {
		/* The next one has its turn a little later: there may be no network at all. */
		hang_up(l);
		limit = (struct timeval) { .tv_usec = PAUSE_MS * 1000 };
	}
	l->event = event_new(l->q->r->base, l->fd, l->fd >= 0 ? EV_READ : 0, on_lookup, l);
	if (!l->event || event_add(l->event, &limit) < 0)
		lookup_done(l, DNSMSG_FAILED);
}

static enum dnsmsg_verdict read_answer(struct lookup *l)
{
	const struct dnsmsg_question asked = {
		.name = l->q->full, .family = l->family, .id = l->id, .is_plain = l->is_plain
	};
	uint8_t bytes[DNSMSG_ANSWER_MAX];
	ssize_t len = recv(l->fd, bytes, sizeof(bytes), 0);

	if (len < 0)
		return errno == EAGAIN ? DNSMSG_NOT_AN_ANSWER : DNSMSG_FAILED;
	return dnsmsg_read(&l->answer, bytes, (size_t)len, &asked);
}

static void on_lookup(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *l = arg;
	enum dnsmsg_verdict verdict = what & EV_READ ? read_answer(l) : DNSMSG_FAILED;
	struct timeval limit = { .tv_sec = l->q->r->conf.timeout_s };

	(void)fd;
	switch (verdict) {
	case DNSMSG_FOUND:
	case DNSMSG_NONE:
		lookup_done(l, verdict);
		break;
	case DNSMSG_NO_EDNS:
		l->is_plain = true;
		l->n_tries--;
		ask_server(l);
		break;
	case DNSMSG_FAILED:
		l->is_plain = false;
		ask_server(l);
		break;
	case DNSMSG_NOT_AN_ANSWER:
		(void)event_add(l->event, &limit);
		break;
	}
}

/* --- one form of a name after the other ------------------------------------------------------ */

static size_t count_dots(const char *name)
{
	size_t n = 0;

	for (; *name; name++)
		n += *name == '.' ? 1 : 0;
	return n;
}

/* Writes form number @step of the name; false when there are no more. */
static bool make_form(struct resolve *q)
{
	const struct dnsconf *conf = &q->r->conf;
	size_t n_search = q->is_whole ? 0 : conf->n_search;
	size_t bare = count_dots(q->base) >= conf->ndots ? 0 : n_search;
	size_t len = strlen(q->base);
	const char *domain;

	if (q->step > n_search)
		return false;
	memcpy(q->full, q->base, len + 1);
	if (q->step == bare)
		return true;
	domain = conf->search[q->step - (bare == 0 ? 1 : 0)];
	/* What is too long with this domain is tried without: that does no harm. */
	if (len + 1 + strlen(domain) < sizeof(q->full) - 2) {
		q->full[len] = '.';
		memcpy(q->full + len + 1, domain, strlen(domain) + 1);
	}
	return true;
}

static void take_answers(struct resolve *q)
{
	for (size_t i = 0; i < q->n_lookups; i++) {
		const struct dnsmsg_answer *a = &q->lookup[i].answer;

		if (!q->lookup[i].is_done || q->lookup[i].verdict != DNSMSG_FOUND)
			continue;
		if (q->n == 0 || a->ttl_s < q->ttl_s)
			q->ttl_s = a->ttl_s;
		for (size_t j = 0; j < a->n && q->n < RESOLVE_MAX; j++)
			q->list[q->n++] = a->ip[j];
	}
}

static void begin_lookup(struct lookup *l)
{
	l->is_done = false;
	l->n_tries = 0;
	l->answer.n = 0;
}

/* Asks for the next form of the name; false when the last one has brought an answer, or was the last. */
static bool ask_next(struct resolve *q)
{
	take_answers(q);
	if (q->n > 0 || !make_form(q))
		return false;
	q->step++;
	for (size_t i = 0; i < q->n_lookups; i++)
		begin_lookup(&q->lookup[i]);
	for (size_t i = 0; i < q->n_lookups; i++)
		ask_server(&q->lookup[i]);
	return true;
}

/* --- what this machine says ------------------------------------------------------------------ */

/* The text of a file, cut where it is too long; owned by the caller. NULL when there is none now. */
static char *read_text(int fd)
{
	auto_free char *text = calloc(1, FILE_MAX + 1);
	ssize_t len = text && lseek(fd, 0, SEEK_SET) == 0 ? io_read_bounded(fd, text, FILE_MAX) : 0;

	return len > 0 || len == -EFBIG ? strdup(text) : NULL;
}

/*
 * Engines write into the files of a container that is running, when it joins or leaves a network. A
 * file that is empty is being written.
 */
static void refresh(struct resolver *r)
{
	auto_free char *conf = read_text(r->conf_fd);
	char *hosts = read_text(r->hosts_fd);

	if (conf)
		dnsconf_parse(&r->conf, conf);
	if (!hosts)
		return;
	free(r->hosts);
	r->hosts = hosts;
}

/* --- questions ------------------------------------------------------------------------------- */

static void question_free(struct resolve *q)
{
	struct resolve **link = &q->r->asked;

	while (*link != q)
		link = &(*link)->next;
	*link = q->next;
	for (size_t i = 0; i < FAMILIES; i++)
		hang_up(&q->lookup[i]);
	event_free(q->turn);
	free(q);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *q = arg;
	const char *error = NULL;

	(void)fd;
	(void)what;
	if (ask_next(q))
		return;
	if (q->n == 0)
		error = q->has_failed ? "no name server could tell" : "there is no such name";
	/* Whoever is told may ask again. */
	q->done(q->arg, q->list, q->n, error);
	question_free(q);
}

static void take_literal(struct resolve *q, const char *name, bool no_ipv6)
{
	if (ip_parse(&q->list[0], name) == 0)
		q->n = 1;
	else
		q->n = dnsconf_hosts(q->r->hosts ? q->r->hosts : "", q->base, q->list, RESOLVE_MAX);
	for (size_t i = q->n; no_ipv6 && i-- > 0;)
		if (q->list[i].family == AF_INET6)
			q->list[i] = q->list[--q->n];
}

static struct resolve *question_new(struct resolver *r, const char *name, bool no_ipv6)
{
	struct resolve *q = calloc(1, sizeof(*q));
	size_t len = strlen(name);

	if (!q)
		return NULL;
	q->r = r;
	q->turn = event_new(r->base, -1, 0, on_turn, q);
	if (!q->turn) {
		free(q);
		return NULL;
	}
	q->is_whole = len > 0 && name[len - 1] == '.';
	len -= q->is_whole ? 1 : 0;
	/* A name that is too long is none, and is not found. */
	if (len < sizeof(q->base))
		memcpy(q->base, name, len);
	q->n_lookups = no_ipv6 ? 1 : FAMILIES;
	for (size_t i = 0; i < FAMILIES; i++) {
		q->lookup[i].q = q;
		q->lookup[i].fd = -1;
		q->lookup[i].family = i == 0 ? AF_INET : AF_INET6;
	}
	q->next = r->asked;
	r->asked = q;
	return q;
}

struct resolve *resolver_ask(struct resolver *r, const char *name, bool no_ipv6, resolve_fn *done,
			     void *arg)
{
	struct resolve *q = question_new(r, name, no_ipv6);

	if (!q)
		return NULL;
	q->done = done;
	q->arg = arg;
	refresh(r);
	take_literal(q, name, no_ipv6);
	event_active(q->turn, EV_TIMEOUT, 0);
	return q;
}

uint32_t resolve_ttl_s(const struct resolve *q)
{
	return q->ttl_s;
}

void resolve_cancel(struct resolve *q)
{
	if (q)
		question_free(q);
}

/* --- the resolver ---------------------------------------------------------------------------- */

int resolver_open_from(struct resolver **out, struct event_base *base, const char *resolv_conf,
		       const char *hosts, struct err *e)
{
	struct resolver *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return err_set(e, -ENOMEM, "make the resolver");
	r->base = base;
	r->conf_fd = open(resolv_conf, O_RDONLY | O_CLOEXEC);
	r->hosts_fd = open(hosts, O_RDONLY | O_CLOEXEC);
	dnsconf_parse(&r->conf, "");
	refresh(r);
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
	while (r->asked)
		question_free(r->asked);
	if (r->conf_fd >= 0)
		(void)close(r->conf_fd);
	if (r->hosts_fd >= 0)
		(void)close(r->hosts_fd);
	free(r->hosts);
	free(r);
}

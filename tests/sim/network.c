/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A datagram is one buffer with as many ways as it has receivers. A socket has the room that a kernel
 * gives one by default, counted as the kernel does; what comes while it is full is lost. A host takes
 * time for each datagram it receives or sends, so a crowd that talks to one host overruns it here as
 * it would there.
 */
#include "tests/sim/network.h"
#include "daemon/net/udp.h"
#include "tests/sim/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MAX   212992 /* net.core.rmem_default */
#define RECEIVE_US 40	  /* recvmsg(2), opening, parsing, on a slow machine */
#define SEND_US	   20
#define MTU	   1472 /* bytes of a datagram that need no second fragment */
#define FD_FIRST   100000
#define MILLION	   1000000

/* A datagram, shared by all who receive it. */
struct parcel {
	unsigned int n_holders;
	struct endpoint from;
	struct ip to;
	size_t len;
	char bytes[];
};

/* One way of a parcel. */
struct passage {
	struct item item;
	struct parcel *parcel;
	struct host *to;
	uint16_t port;
	bool is_group;
	struct passage *next; /* in the socket */
};

struct socket {
	int fd;
	struct host *host;
	uint16_t port;
	bool is_group; /* bound to a group's address */
	bool is_member;
	struct ip group;
	struct event *reader;
	struct passage *head;
	struct passage **tail;
	size_t room;
	struct socket *next;
};

static struct {
	size_t n;
	struct socket **at; /* by descriptor */
	uint16_t port;	    /* the next ephemeral one */
} sockets = { .port = 32768 };

struct weather *weather(void)
{
	static struct weather now;

	return &now;
}

/* --- parcels ----------------------------------------------------------------------------------- */

static struct parcel *parcel_new(const struct endpoint *from, const struct ip *to, const void *buf,
				 size_t len)
{
	struct parcel *p = world_keep(malloc(sizeof(*p) + len));

	p->n_holders = 1;
	p->from = *from;
	p->to = *to;
	p->len = len;
	memcpy(p->bytes, buf, len);
	return p;
}

static void parcel_drop(struct parcel *p)
{
	if (--p->n_holders == 0)
		free(p);
}

static void passage_free(struct passage *w)
{
	parcel_drop(w->parcel);
	free(w);
}

/* What the kernel counts for one: its buffer with headers, in powers of two, and its sk_buff. */
static size_t room_of(size_t len)
{
	size_t need = len + 448;
	size_t buffer = 512;

	while (buffer < need)
		buffer *= 2;
	return buffer + 256;
}

/* --- sockets ----------------------------------------------------------------------------------- */

static struct socket *socket_of(int fd)
{
	return sockets.at[fd - FD_FIRST];
}

static int socket_open(struct udp *u, const struct socket *like)
{
	struct socket *s = world_keep(malloc(sizeof(*s)));

	*s = *like;
	s->host = world()->current;
	s->tail = &s->head;
	s->next = s->host->sockets;
	s->host->sockets = s;
	s->fd = FD_FIRST;
	while ((size_t)(s->fd - FD_FIRST) < sockets.n && socket_of(s->fd))
		s->fd++;
	if ((size_t)(s->fd - FD_FIRST) == sockets.n) {
		sockets.n++;
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are meant */
		sockets.at = world_keep(realloc(sockets.at, sockets.n * sizeof(*sockets.at)));
	}
	sockets.at[s->fd - FD_FIRST] = s;
	u->fd = s->fd;
	u->is_v6 = false;
	return 0;
}

static struct socket *socket_at(const struct host *h, uint16_t port)
{
	for (struct socket *s = h->sockets; s; s = s->next)
		if (s->port == port && !s->is_group)
			return s;
	return NULL;
}

int udp_open_any(struct udp *u, uint16_t port, bool may_join, struct err *e)
{
	(void)may_join;
	if (port != 0 && socket_at(world()->current, port))
		return err_set(e, -EADDRINUSE, "listen on UDP port %u", port);
	return socket_open(u, &(struct socket) { .port = port ? port : sockets.port++ });
}

int udp_open_group(struct udp *u, const struct endpoint *group, struct err *e)
{
	bool is_group = !ip_is_wildcard(&group->ip);

	(void)e;
	return socket_open(u, &(struct socket) { .port = group->port ? group->port : sockets.port++,
						 .is_group = is_group,
						 .group = group->ip });
}

int udp_join(const struct udp *u, const struct ip *group, int ifindex)
{
	(void)group;
	(void)ifindex;
	socket_of(u->fd)->is_member = true;
	return 0;
}

int udp_ifindex(const struct udp *u, const char *name)
{
	(void)u;
	(void)name;
	return 1;
}

int udp_report_errors(const struct udp *u)
{
	(void)u;
	return 0;
}

int udp_take_error(const struct udp *u)
{
	(void)u;
	return 0;
}

static struct passage *take(struct socket *s)
{
	struct passage *w = s->head;

	s->head = w->next;
	if (!s->head)
		s->tail = &s->head;
	s->room -= room_of(w->parcel->len);
	return w;
}

void udp_close(struct udp *u)
{
	struct socket *s = u->fd < 0 ? NULL : socket_of(u->fd);
	struct socket **link;

	u->fd = -1;
	if (!s)
		return;
	while (s->head)
		passage_free(take(s));
	for (link = &s->host->sockets; *link != s; link = &(*link)->next)
		;
	*link = s->next;
	sockets.at[s->fd - FD_FIRST] = NULL;
	free(s);
}

void network_listen(int fd, struct event *ev)
{
	struct socket *s = fd < FD_FIRST ? NULL : socket_of(fd);

	if (!s)
		return;
	s->reader = ev;
	if (ev && s->head)
		event_fire_readable(ev);
}

static void spend(struct host *h, int64_t us)
{
	int64_t from_us = h->busy_us > queue_now_us() ? h->busy_us : queue_now_us();

	h->busy_us = from_us + us;
}

ssize_t udp_receive(const struct udp *u, void *buf, size_t size, struct endpoint *from,
		    struct udp_local *local)
{
	struct socket *s = socket_of(u->fd);
	struct passage *w;
	ssize_t n;

	if (!s->head)
		return -EAGAIN;
	w = take(s);
	spend(s->host, RECEIVE_US);
	s->host->tally.received++;
	*from = w->parcel->from;
	*local = (struct udp_local) { .ip = w->parcel->to, .ifindex = 1 };
	n = w->parcel->len > size ? -EMSGSIZE : (ssize_t)w->parcel->len;
	if (n > 0)
		memcpy(buf, w->parcel->bytes, w->parcel->len);
	passage_free(w);
	/* The loop comes back for the rest, after others had their turn. */
	if (s->head && s->reader)
		event_fire_readable(s->reader);
	return n;
}

/* --- on the way -------------------------------------------------------------------------------- */

int64_t network_way_us(const struct host *a, const struct host *b, size_t len)
{
	int64_t spread = weather()->delay_max_us - weather()->delay_min_us;

	if (a->side != b->side)
		return -1;
	for (size_t done = 0; done < len; done += MTU)
		if (weather()->loss_ppm > 0 && world_random(MILLION) < weather()->loss_ppm)
			return -1;
	return weather()->delay_min_us + (int64_t)world_random((uint64_t)spread + 1);
}

static void put_in(struct socket *s, struct passage *w)
{
	size_t room = room_of(w->parcel->len);

	if (s->room + room > ROOM_MAX) {
		s->host->tally.overrun++;
		passage_free(w);
		return;
	}
	w->next = NULL;
	*s->tail = w;
	s->tail = &w->next;
	s->room += room;
	if (s->reader)
		event_fire_readable(s->reader);
}

static struct socket *receiver_of(const struct passage *w)
{
	if (!w->is_group)
		return socket_at(w->to, w->port);
	for (struct socket *s = w->to->sockets; s; s = s->next)
		if (s->is_member && s->port == w->port && ip_equal(&s->group, &w->parcel->to))
			return s;
	return NULL;
}

static void arrive(struct item *i)
{
	struct passage *w = (struct passage *)i;
	const struct ip at = world_ip(w->to->address);
	/* It may have moved since. */
	struct socket *s = w->is_group || ip_equal(&at, &w->parcel->to) ? receiver_of(w) : NULL;

	if (s)
		put_in(s, w);
	else
		passage_free(w);
}

static void post_once(struct parcel *p, const struct host *from, struct host *to, uint16_t port)
{
	int64_t way_us = from == to ? 0 : network_way_us(from, to, p->len);
	struct passage *w;

	if (way_us < 0)
		return;
	w = world_keep(calloc(1, sizeof(*w)));
	w->item.fire = arrive;
	w->parcel = p;
	w->to = to;
	w->port = port;
	w->is_group = p->to.b[0] >= 224;
	p->n_holders++;
	queue_put(&w->item,
		  (from->busy_us > queue_now_us() ? from->busy_us : queue_now_us()) + way_us);
}

static void post(struct parcel *p, const struct host *from, struct host *to, uint16_t port)
{
	post_once(p, from, to, port);
	if (weather()->copy_ppm > 0 && world_random(MILLION) < weather()->copy_ppm)
		post_once(p, from, to, port);
}

static bool is_listening(const struct host *h, const struct ip *group, uint16_t port)
{
	for (const struct socket *s = h->sockets; s; s = s->next)
		if (s->is_member && s->port == port && ip_equal(&s->group, group))
			return true;
	return false;
}

void network_send(struct host *from, uint16_t port, const void *buf, size_t len,
		  const struct endpoint *to)
{
	const struct endpoint source = { .ip = world_ip(from->address), .port = port };
	struct parcel *p = parcel_new(&source, &to->ip, buf, len);
	struct host *one = world_host_at(&to->ip);

	from->tally.sent++;
	from->tally.sent_bytes += len;
	if (len > from->tally.longest)
		from->tally.longest = len;
	if (one)
		post(p, from, one, to->port);
	for (size_t i = 0; to->ip.b[0] >= 224 && i < world()->n; i++)
		if (is_listening(&world()->hosts[i], &to->ip, to->port))
			post(p, from, &world()->hosts[i], to->port);
	parcel_drop(p);
}

int udp_send(const struct udp *u, const void *buf, size_t len, const struct endpoint *to,
	     const struct udp_local *local)
{
	const struct socket *s = socket_of(u->fd);

	(void)local;
	spend(s->host, SEND_US);
	network_send(s->host, s->port, buf, len, to);
	return 0;
}

void network_free(void)
{
	free(sockets.at);
	sockets.at = NULL;
	sockets.n = 0;
	sockets.port = 32768;
}

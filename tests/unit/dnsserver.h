/* SPDX-License-Identifier: MIT */
/* dnsserver - a little DNS server on the loopback, in the test's own event loop */
#ifndef TESTS_UNIT_DNSSERVER_H
#define TESTS_UNIT_DNSSERVER_H

#include "daemon/net/addr.h"
#include "tests/unit/fixtures.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define DNSSERVER_NAMES	    4
#define DNSSERVER_ADDRESSES 80
#define DNSSERVER_NAME_SIZE 128

/**
 * struct dnsserver_name - One name it knows
 * @name:	In dots
 * @n:		Entries in @ip
 * @ip:		Its addresses
 * @ttl_s:	How long they hold
 */
struct dnsserver_name {
	const char *name;
	size_t n;
	struct ip ip[DNSSERVER_ADDRESSES];
	uint32_t ttl_s;
};

/**
 * struct dnsserver - The server
 * @fd:		Its socket
 * @port:	Where it listens, on 127.0.0.1
 * @readable:	A question has come
 * @n_asked:	Questions so far
 * @first:	Name of the first question
 * @n_plain:	Of these, how many had nothing behind the question
 * @is_silent:	It answers nothing
 * @is_old:	It understands no EDNS, and cannot tell anything either
 * @names:	What it knows; every other name does not exist
 */
struct dnsserver {
	int fd;
	uint16_t port;
	struct event *readable;
	size_t n_asked;
	size_t n_plain;
	char first[DNSSERVER_NAME_SIZE];
	bool is_silent;
	bool is_old;
	struct dnsserver_name names[DNSSERVER_NAMES];
};

/* Name of the question, which begins at byte 12; returns where it ends. */
static inline size_t dnsserver_name(char out[static DNSSERVER_NAME_SIZE], const uint8_t *b,
				    size_t len)
{
	size_t used = 0;
	size_t i = 12;

	while (i < len && b[i] != 0 && used + b[i] + 1 < DNSSERVER_NAME_SIZE) {
		if (used > 0)
			out[used++] = '.';
		memcpy(out + used, b + i + 1, b[i]);
		used += b[i];
		i += 1U + b[i];
	}
	out[used] = '\0';
	return i + 1;
}

static inline size_t dnsserver_record(uint8_t *out, const struct ip *ip, uint32_t ttl_s)
{
	uint8_t size = ip->family == AF_INET ? 4 : 16;
	const uint8_t head[] = { 0xc0,
				 12,
				 0,
				 ip->family == AF_INET ? 1 : 28,
				 0,
				 1,
				 (uint8_t)(ttl_s >> 24),
				 (uint8_t)(ttl_s >> 16),
				 (uint8_t)(ttl_s >> 8),
				 (uint8_t)ttl_s,
				 0,
				 size };

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), ip->b, size);
	return sizeof(head) + size;
}

/* Turns the question in @b into its answer; returns its length. */
static inline size_t dnsserver_answer(const struct dnsserver *s, uint8_t *b, size_t end,
				      const char *name)
{
	uint8_t type = b[end + 1];
	size_t used = end + 4;
	bool exists = false;
	uint8_t count = 0;

	for (size_t i = 0; i < DNSSERVER_NAMES; i++) {
		const struct dnsserver_name *known = &s->names[i];

		if (!known->name || strcasecmp(known->name, name) != 0)
			continue;
		exists = true;
		for (size_t j = 0; j < known->n; j++) {
			if ((known->ip[j].family == AF_INET ? 1 : 28) != type)
				continue;
			used += dnsserver_record(b + used, &known->ip[j], known->ttl_s);
			count++;
		}
	}
	b[2] = 0x81;
	b[3] = exists ? 0x80 : 0x83;
	if (s->is_old)
		b[3] = b[11] != 0 ? 0x81 : 0x82;
	memset(b + 6, 0, 6);
	b[7] = count;
	return used;
}

static inline void dnsserver_readable(evutil_socket_t fd, short what, void *arg)
{
	struct dnsserver *s = arg;
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	uint8_t b[4096];
	char name[DNSSERVER_NAME_SIZE];
	ssize_t len = recvfrom((int)fd, b, 512, 0, (struct sockaddr *)&from, &from_len);
	size_t end;

	(void)what;
	if (len < 17)
		return;
	end = dnsserver_name(name, b, (size_t)len);
	if (s->n_asked++ == 0)
		memcpy(s->first, name, sizeof(name));
	s->n_plain += b[11] == 0;
	if (s->is_silent || end + 4 > (size_t)len)
		return;
	(void)sendto((int)fd, b, dnsserver_answer(s, b, end, name), 0, (struct sockaddr *)&from,
		     from_len);
}

static inline void dnsserver_open(struct dnsserver *s, struct event_base *base)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
	s->readable = event_new(base, s->fd, EV_READ | EV_PERSIST, dnsserver_readable, s);
	assert_non_null(s->readable);
	assert_int_equal(event_add(s->readable, NULL), 0);
}

static inline void dnsserver_close(struct dnsserver *s)
{
	event_free(s->readable);
	(void)close(s->fd);
}

#endif /* TESTS_UNIT_DNSSERVER_H */

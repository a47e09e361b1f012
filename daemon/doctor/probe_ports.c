/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/discovery/peertest.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define PATIENCE_MS 200
#define ANSWER_MS   700

static const struct ip loopback = { AF_INET, { 127, 0, 0, 1 } };

/* UDP without SO_REUSEADDR: whoever has the port, sharing it or not, is noticed. */
static int bind_one(int family, int type, const struct endpoint *at, int *fd)
{
	struct sockaddr_storage ss;
	struct endpoint any = *at;
	socklen_t len;
	int on = 1;

	if (any.ip.family == 0)
		any.ip.family = (uint8_t)family;
	len = endpoint_to_sockaddr(&ss, &any, false);
	*fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	if (family == AF_INET6)
		(void)setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* Of TCP it lets in only those who come after a connection that has ended. */
	if (type == SOCK_STREAM)
		(void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(*fd, (const struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

static int connect_to(uint16_t port)
{
	const struct endpoint at = { .ip = loopback, .port = port };
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ss, &at, false);
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&ss, len) < 0)
		return -1;
	return steal_fd(&fd);
}

/* To ourselves over the loopback, which a rule for the port meets like any other datagram. */
static enum port_echo try_echo(int fd, uint16_t port)
{
	auto_close int sender = connect_to(port);
	uint8_t word[16];
	uint8_t heard[sizeof(word)];
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = sender } };

	crypto_random(word, sizeof(word));
	if (sender < 0)
		return ECHO_UNKNOWN;
	if (send(sender, word, sizeof(word), MSG_NOSIGNAL) < 0)
		return errno == EPERM || errno == EACCES ? ECHO_NOT_SENT : ECHO_UNKNOWN;
	while (poll(fds, ARRAY_LEN(fds), PATIENCE_MS) > 0) {
		if (fds[1].revents & POLLERR)
			return ECHO_REFUSED;
		if (recv(fd, heard, sizeof(heard), 0) == sizeof(heard) &&
		    memcmp(heard, word, sizeof(word)) == 0)
			return ECHO_CAME;
	}
	return ECHO_LOST;
}

/* A multicast with a time to live of 0 passes the firewall, and then goes nowhere. */
static bool is_mute(int fd, const struct ip *group, uint16_t port)
{
	static const int none;
	const struct endpoint at = { .ip = *group, .port = port };
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&ss, &at, false);

	(void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &none, sizeof(none));
	(void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &none, sizeof(none));
	return sendto(fd, "", 0, MSG_NOSIGNAL, (const struct sockaddr *)&ss, len) < 0 &&
	       errno == EPERM;
}

static void try_udp(struct port_facts *p, const struct ip *group)
{
	auto_close int fd4 = -1;
	auto_close int fd6 = -1;
	int r = bind_one(AF_INET, SOCK_DGRAM, &p->at, &fd4);
	int r6 = bind_one(AF_INET6, SOCK_DGRAM, &p->at, &fd6);

	/* A host without IPv6 needs no port there. */
	p->bind = r < 0 ? r : (r6 == -EADDRINUSE ? r6 : 0);
	/* Who cannot send from it may still try to send to it: rules for both are common. */
	p->is_mute = fd4 >= 0 && is_mute(fd4, group, p->at.port);
	if (p->bind == 0)
		p->echo = try_echo(fd4, p->at.port);
}

static void try_tcp(struct port_facts *p)
{
	int family = p->at.ip.family != 0 ? p->at.ip.family : AF_INET;
	auto_close int fd = -1;

	p->bind = bind_one(family, SOCK_STREAM, &p->at, &fd);
}

static void add(struct ports_facts *f, enum port_use use, const struct endpoint *at)
{
	struct port_facts *p = &f->p[f->n];

	if (f->n == FACTS_PORTS_MAX)
		return;
	f->n++;
	p->use = use;
	p->is_udp = use == PORT_WIREGUARD || use == PORT_GOSSIP;
	p->at = *at;
}

static void add_port(struct ports_facts *f, enum port_use use, uint16_t port)
{
	const struct endpoint at = { .port = port };

	add(f, use, &at);
}

/* A node answers whoever knows the secret, and forgets a visitor; over the loopback at once. */
static enum port_echo ask_node(const struct facts *known)
{
	const struct peertest q = { .keys = &known->keys,
				    .to = { .ip = loopback, .port = known->keys.gossip_port },
				    .limit_ms = ANSWER_MS };
	struct peertest_result result;
	enum port_echo echo = ECHO_UNKNOWN;

	if (peertest_run(&result, &q, NULL) < 0)
		return ECHO_UNKNOWN;
	if (result.outcome == PEERTEST_ANSWERED)
		echo = ECHO_CAME;
	else if (result.outcome == PEERTEST_SILENT)
		echo = ECHO_LOST;
	else if (result.outcome == PEERTEST_REFUSED)
		echo = ECHO_REFUSED;
	else if (result.outcome == PEERTEST_UNREACHABLE)
		echo = ECHO_NOT_SENT;
	peertest_free(&result);
	return echo;
}

/* Ports that a node holds cannot be tried by binding them. */
static void ask(struct ports_facts *f, const struct facts *known)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->p[i].use == PORT_GOSSIP && f->p[i].bind == -EADDRINUSE &&
		    facts_has_node(known) && known->node.gossip_port == f->p[i].at.port)
			f->p[i].echo = ask_node(known);
}

void probe_ports(void *out, const void *arg)
{
	const struct facts *known = arg;
	const struct http_addresses *http = &known->wanted.http;
	uint16_t gossip = known->keys.gossip_port;
	struct ports_facts *f = out;
	struct ip group = known->keys.group;

	if (group.family == 0)
		group = (struct ip) { AF_INET, { 239, 192, 0, 1 } };
	add_port(f, PORT_WIREGUARD, known->wanted.listen_port);
	if (gossip > 0) {
		add_port(f, PORT_GOSSIP, gossip);
		add_port(f, PORT_PROBE, (uint16_t)(gossip + DERIVE_PROBE_OFFSET));
	}
	for (size_t i = 0; i < http->n; i++)
		if (http->list[i].path[0] == '\0')
			add(f, PORT_HTTP, &http->list[i].at);
	for (size_t i = 0; i < f->n; i++) {
		if (f->p[i].is_udp)
			try_udp(&f->p[i], &group);
		else
			try_tcp(&f->p[i]);
	}
	ask(f, known);
}

/* SPDX-License-Identifier: MIT */
#include "common/defs.h"
#include "daemon/doctor/facts.h"
#include "daemon/doctor/probe.h"
#include "daemon/net/udp.h"
#include "daemon/wire/crypto.h"

#include <errno.h>
#include <ifaddrs.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define PATIENCE_MS 300

/* Those that LAN discovery uses (daemon/discovery/lan.c), our own interface left out. */
static bool is_suitable(const struct ifaddrs *ifa, const char *own)
{
	unsigned int need = IFF_UP | IFF_RUNNING | IFF_MULTICAST;

	return ifa->ifa_addr && ifa->ifa_addr->sa_family == AF_INET &&
	       (ifa->ifa_flags & need) == need &&
	       !(ifa->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) &&
	       strcmp(ifa->ifa_name, own) != 0;
}

static int find_link(struct multicast_facts *f, const char *own)
{
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
		if (!is_suitable(ifa, own))
			continue;
		if (f->n_links++ == 0)
			(void)snprintf(f->link, sizeof(f->link), "%s", ifa->ifa_name);
	}
	freeifaddrs(list);
	return (int)if_nametoindex(f->link);
}

/* A port of our own: what goes to the mesh's port would be heard, and refused, by its nodes. */
static int bind_any(struct udp *u, struct endpoint *group)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	int r = udp_open_group(u, group, NULL);

	if (r < 0)
		return r;
	if (getsockname(u->fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	return endpoint_from_sockaddr(group, (struct sockaddr *)&ss);
}

static bool hears(const struct udp *u, const uint8_t *word, size_t len)
{
	struct pollfd fds = { .fd = u->fd, .events = POLLIN };
	struct udp_local local;
	struct endpoint from;
	uint8_t buf[64];

	while (poll(&fds, 1, PATIENCE_MS) > 0) {
		ssize_t n = udp_receive(u, buf, sizeof(buf), &from, &local);

		if (n == (ssize_t)len && memcmp(buf, word, len) == 0)
			return true;
	}
	return false;
}

/* With a time to live of 0 nothing leaves this host, but a copy comes back to those who listen. */
static void try_group(struct multicast_facts *f, struct endpoint group, int ifindex)
{
	static const int none;
	struct udp receiver = { .fd = -1 };
	struct udp sender = { .fd = -1 };
	struct udp_local local = { .ifindex = ifindex };
	uint8_t word[16];

	crypto_random(word, sizeof(word));
	f->join = bind_any(&receiver, &group);
	if (f->join == 0)
		f->join = udp_join(&receiver, &group.ip, ifindex);
	f->send = udp_open_group(&sender, &(struct endpoint) { .ip.family = AF_INET }, NULL);
	if (f->send == 0 &&
	    setsockopt(sender.fd, IPPROTO_IP, IP_MULTICAST_TTL, &none, sizeof(none)) < 0)
		f->send = -errno;
	if (f->send == 0)
		f->send = udp_send(&sender, word, sizeof(word), &group, &local);
	if (f->join == 0 && f->send == 0)
		f->came_back = hears(&receiver, word, sizeof(word));
	udp_close(&sender);
	udp_close(&receiver);
}

void probe_multicast(void *out, const void *arg)
{
	const struct facts *known = arg;
	struct multicast_facts *f = out;
	struct endpoint group = { .ip = known->keys.group };
	int ifindex = find_link(f, known->wanted.ifname);

	/* Any group of the same range will do where the secret does not say which. */
	if (group.ip.family == 0)
		group.ip = (struct ip) { AF_INET, { 239, 192, 0, 1 } };
	if (ifindex > 0)
		try_group(f, group, ifindex);
}

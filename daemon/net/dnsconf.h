/* SPDX-License-Identifier: MIT */
/* dnsconf - what resolv.conf(5) and hosts(5) say; pure */
#ifndef DAEMON_NET_DNSCONF_H
#define DAEMON_NET_DNSCONF_H

#include "daemon/net/addr.h"

#include <stddef.h>

#define DNSCONF_SERVERS_MAX 3
#define DNSCONF_SEARCH_MAX  8
#define DNSCONF_DOMAIN_SIZE 254

/**
 * struct dnsconf - How names are looked up on this machine
 * @n_servers:	Entries in @server; at least 1
 * @server:	Name servers; without any, the one of this machine
 * @n_search:	Entries in @search
 * @search:	Domains that a short name is tried in, without the last dot
 * @ndots:	A name with so many dots is tried as it is first
 * @timeout_s:	How long a server has for its answer
 * @attempts:	How often all servers are asked
 */
struct dnsconf {
	size_t n_servers;
	struct endpoint server[DNSCONF_SERVERS_MAX];
	size_t n_search;
	char search[DNSCONF_SEARCH_MAX][DNSCONF_DOMAIN_SIZE];
	unsigned int ndots;
	unsigned int timeout_s;
	unsigned int attempts;
};

/**
 * dnsconf_parse() - Read resolv.conf
 * @out:	Receives what it says; what it does not say has its usual value
 * @text:	NUL-terminated; borrowed; lines that are not understood are passed over
 *
 * A name server may have a port ("127.0.0.1:5353"), which other programs do not know.
 */
void dnsconf_parse(struct dnsconf *out, const char *text);

/**
 * dnsconf_hosts() - Look a name up in the hosts file
 * @text:	The file, NUL-terminated; borrowed
 * @name:	Name without the last dot; the case does not matter
 * @list:	Receives the addresses
 * @max:	Room in @list
 *
 * Return: how many there are
 */
size_t dnsconf_hosts(const char *text, const char *name, struct ip *list, size_t max);

#endif /* DAEMON_NET_DNSCONF_H */

/* SPDX-License-Identifier: MIT */
/* hostport - lists of hosts with ports, as a person writes them; pure */
#ifndef DAEMON_NET_HOSTPORT_H
#define DAEMON_NET_HOSTPORT_H

#include "common/err.h"
#include "daemon/net/addr.h"

#include <stddef.h>
#include <stdint.h>

#define HOSTPORTS_MAX	  32
#define HOSTPORT_NAME_MAX 253 /* RFC 1035 section 2.3.4, without the trailing dot */

/**
 * struct hostport - A host, and perhaps a port
 * @name:	What was written: a DNS name, or an address literal without brackets
 * @ip:		The address when @name is a literal; otherwise "none"
 * @port:	1..65535; 0 when none was written
 */
struct hostport {
	char name[HOSTPORT_NAME_MAX + 1];
	struct ip ip;
	uint16_t port;
};

/**
 * struct hostports - Several of them
 * @n:		Entries in @at
 * @at:		In the order they were written
 */
struct hostports {
	size_t n;
	struct hostport at[HOSTPORTS_MAX];
};

/* What a list may hold. */
enum hostport_kind {
	HOSTPORT_LITERAL, /* only addresses */
	HOSTPORT_NAME,	  /* only names */
	HOSTPORT_ANY,
};

/**
 * hostports_parse() - Read "192.0.2.1,[2001:db8::1]:52101,node.example.org:52101"
 * @out:	Receives the list; not to be used after a failure
 * @text:	Entries, separated by commas or spaces; none at all is an empty list
 * @kind:	What may stand there
 * @origin:	What a person has to correct, such as "--peer"
 * @e:		Names the entry and what is wrong
 *
 * Return: 0, or -EINVAL or -E2BIG with exit code 64
 */
int hostports_parse(struct hostports *out, const char *text, enum hostport_kind kind,
		    const char *origin, struct err *e);

#endif /* DAEMON_NET_HOSTPORT_H */

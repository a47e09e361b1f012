/* SPDX-License-Identifier: MIT */
/*
 * resolve - addresses of a name, without ever waiting: a stub resolver in the node's loop
 *
 * resolv.conf and the hosts file are opened with the resolver, before the process gives up the right
 * to open files, and read for every question: what is written into them counts. A file that is put in
 * the place of one of them, as some programs of a host do, counts from the next start. A machine
 * without any can still have a resolver: its answers are errors.
 */
#ifndef DAEMON_NET_RESOLVE_H
#define DAEMON_NET_RESOLVE_H

#include "common/err.h"
#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESOLVE_MAX 64 /* addresses of one name that are handed over, of both families together */

struct event_base;
struct resolver;
struct resolve;

/* Is called once, never before resolver_ask() has returned; @error tells why @n is 0. */
typedef void resolve_fn(void *arg, const struct ip *list, size_t n, const char *error);

/**
 * resolver_open() - Read the configuration of this machine
 * @out:	Receives the resolver, to be closed with resolver_close()
 * @base:	Event loop; borrowed
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int resolver_open(struct resolver **out, struct event_base *base, struct err *e);

/**
 * resolver_open_from() - The same with files of one's own
 * @out:	Receives the resolver
 * @base:	Event loop; borrowed
 * @resolv_conf: As resolv.conf(5); may be missing
 * @hosts:	As hosts(5); may be missing
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int resolver_open_from(struct resolver **out, struct event_base *base, const char *resolv_conf,
		       const char *hosts, struct err *e);

/**
 * resolver_close() - Ends; no question is answered any more. NULL is harmless
 */
void resolver_close(struct resolver *r);

/**
 * resolver_ask() - Look up the addresses of a name, A and AAAA
 * @r:		Resolver
 * @name:	DNS name or literal; copied. One that ends with a dot is not searched for
 * @no_ipv6:	Only A
 * @done:	Called with the answer
 * @arg:	Passed to @done
 *
 * Return: the question, for resolve_cancel() until @done is called; NULL without memory, and then
 *         @done is not called
 */
struct resolve *resolver_ask(struct resolver *r, const char *name, bool no_ipv6, resolve_fn *done,
			     void *arg);

/**
 * resolve_ttl_s() - How long the answer holds; only while it is handed over
 *
 * Return: seconds, 0 when that is not known
 */
uint32_t resolve_ttl_s(const struct resolve *q);

/**
 * resolve_cancel() - The answer is not wanted any more; NULL is harmless
 */
void resolve_cancel(struct resolve *q);

#endif /* DAEMON_NET_RESOLVE_H */

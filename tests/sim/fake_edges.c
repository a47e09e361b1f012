/* SPDX-License-Identifier: MIT */
/* What a simulated node has not, and the few facts of a machine that it asks for. */
#include "daemon/clock.h"
#include "daemon/discovery/pong.h"
#include "daemon/http/server.h"
#include "daemon/net/ifwatch.h"
#include "daemon/net/resolve.h"
#include "daemon/rpc/rpc_server.h"
#include "tests/sim/world.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define UPTIME_MS INT64_C(1000000000) /* of the machines, at the beginning */

struct now clock_now(void)
{
	return (struct now) {
		.mono_ms = UPTIME_MS + queue_now_us() / MS,
		.unix_s = WORLD_EPOCH_S + queue_now_us() / S,
	};
}

uint64_t clock_monotonic_us(void)
{
	return (uint64_t)(UPTIME_MS * MS + queue_now_us());
}

/* --- one interface ----------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's are reserved */
int getifaddrs(struct ifaddrs **out)
{
	static struct sockaddr_in sin;
	static char name[] = "eth0";
	static struct ifaddrs one;
	struct ip ip = world_ip(world()->current->address);

	sin = (struct sockaddr_in) { .sin_family = AF_INET };
	memcpy(&sin.sin_addr, ip.b, sizeof(sin.sin_addr));
	one = (struct ifaddrs) { .ifa_name = name,
				 .ifa_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST,
				 .ifa_addr = (struct sockaddr *)(void *)&sin };
	*out = &one;
	return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
void freeifaddrs(struct ifaddrs *list)
{
	(void)list;
}

/* --- servers that nobody asks ------------------------------------------------------------------ */

int http_open(struct http **out, struct event_base *base, const struct http_config *cfg,
	      struct err *e)
{
	(void)base;
	(void)cfg;
	(void)e;
	*out = NULL;
	return 0;
}

void http_close(struct http *h)
{
	(void)h;
}

const char *http_trouble(const struct http *h)
{
	(void)h;
	return NULL;
}

uint32_t http_sockets(const struct http *h)
{
	(void)h;
	return 0;
}

uint64_t http_evicted(const struct http *h)
{
	(void)h;
	return 0;
}

int rpc_server_open(struct rpc_server **out, struct event_base *base, int fd,
		    const struct view_source *from, struct err *e)
{
	(void)base;
	(void)fd;
	(void)from;
	(void)e;
	*out = NULL;
	return 0;
}

void rpc_server_close(struct rpc_server *s)
{
	(void)s;
}

uint64_t rpc_server_evicted(const struct rpc_server *s)
{
	(void)s;
	return 0;
}

int pong_open(struct pong **out, struct event_base *base, const struct endpoint *at, struct err *e)
{
	(void)base;
	(void)at;
	(void)e;
	*out = NULL;
	return 0;
}

void pong_close(struct pong *p)
{
	(void)p;
}

int ifwatch_open(struct ifwatch **out, struct event_base *base, int ifindex,
		 const struct ifwatch_handler *h, struct err *e)
{
	(void)base;
	(void)ifindex;
	(void)h;
	(void)e;
	*out = NULL;
	return 0;
}

void ifwatch_close(struct ifwatch *w)
{
	(void)w;
}

const struct ifstate *ifwatch_state(const struct ifwatch *w)
{
	static const struct ifstate up = { .is_known = true, .exists = true };

	(void)w;
	return &up;
}

int resolver_open(struct resolver **out, struct event_base *base, struct err *e)
{
	(void)base;
	(void)e;
	*out = NULL;
	return 0;
}

void resolver_close(struct resolver *r)
{
	(void)r;
}

struct resolve *resolver_ask(struct resolver *r, const char *name, bool no_ipv6, resolve_fn *done,
			     void *arg)
{
	(void)r;
	(void)name;
	(void)no_ipv6;
	(void)done;
	(void)arg;
	return NULL;
}

uint32_t resolve_ttl_s(const struct resolve *q)
{
	(void)q;
	return 0;
}

void resolve_cancel(struct resolve *q)
{
	(void)q;
}

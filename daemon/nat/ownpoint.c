/* SPDX-License-Identifier: MIT */
#include "daemon/nat/ownpoint.h"
#include "common/defs.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SCORE_BASE   10
#define SCORE_GLOBAL 20 /* 2000::/3 */
#define SCORE_EUI64  (-5)

enum family_index { V4, V6 };

int ownpoint_ip6_score(const struct ip *ip)
{
	int score = SCORE_BASE;

	if ((ip->b[0] & 0xe0) == 0x20)
		score += SCORE_GLOBAL;
	if (ip->b[11] == 0xff && ip->b[12] == 0xfe)
		score += SCORE_EUI64;
	return score;
}

bool ownpoint_ip6_is_public(const struct ip *ip)
{
	static const char *const never[] = { "2001:db8::/32", "200::/7", "::/8" };

	if (ip->family != AF_INET6 || !ip_is_global(ip))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		struct prefix p;

		if (prefix_parse(&p, never[i]) == 0 && prefix_contains(&p, ip))
			return false;
	}
	return true;
}

bool ownpoint_ip4_is_public(const struct ip *ip)
{
	bool is_carrier = ip->b[0] == 100 && (ip->b[1] & 0xc0) == 64;

	return ip->family == AF_INET && ip_is_global(ip) && !is_carrier;
}

static bool is_public(const struct ip *ip)
{
	return ip->family == AF_INET6 ? ownpoint_ip6_is_public(ip) : ownpoint_ip4_is_public(ip);
}

/* Is @a the better one? The lower address wins at last: it must not depend on the kernel's order. */
static bool is_better(const struct hostaddr *a, const struct hostaddr *b)
{
	int score_a = ownpoint_ip6_score(&a->net.ip);
	int score_b = ownpoint_ip6_score(&b->net.ip);

	if (a->is_temporary != b->is_temporary)
		return b->is_temporary;
	if (a->net.ip.family == AF_INET6 && score_a != score_b)
		return score_a > score_b;
	return memcmp(a->net.ip.b, b->net.ip.b, sizeof(a->net.ip.b)) < 0;
}

/* The best public address of our interfaces; "none" when there is none. */
static struct ip best_of_host(const struct hostaddrs *host, uint8_t family)
{
	const struct hostaddr *best = NULL;

	for (size_t i = 0; i < host->n; i++) {
		const struct hostaddr *a = &host->at[i];

		if (a->net.ip.family != family || a->is_tentative || a->is_deprecated ||
		    !is_public(&a->net.ip))
			continue;
		if (!best || is_better(a, best))
			best = a;
	}
	return best ? best->net.ip : (struct ip) { .family = 0 };
}

/* An address that a STUN server may name: others reach it, or it is another network's view of us. */
static bool is_worth_telling(const struct ownpoint_facts *f, const struct ip *ip)
{
	return is_public(ip) && !(f->no_ipv6 && ip->family == AF_INET6);
}

static struct ip choose_v6(const struct ownpoint_facts *f)
{
	const struct ip *seen = &f->stun[V6].mapped.ip;
	struct ip own = best_of_host(f->host, AF_INET6);

	if (f->no_ipv6)
		return (struct ip) { .family = 0 };
	if (own.family != 0)
		return own;
	return is_worth_telling(f, seen) ? *seen : f->observed[V6];
}

static struct ip choose_v4(const struct ownpoint_facts *f)
{
	const struct stunview *stun = &f->stun[V4];
	struct ip own = best_of_host(f->host, AF_INET);
	bool has_stun = is_worth_telling(f, &stun->mapped.ip);

	if (has_stun &&
	    (own.family == 0 || stun->n_agreeing > 1 || hostaddrs_have(f->host, &stun->mapped.ip)))
		return stun->mapped.ip;
	return own.family != 0 ? own : f->observed[V4];
}

static struct endpoint with_port(struct ip ip, uint16_t port)
{
	return (struct endpoint) { .ip = ip, .port = ip.family == 0 ? 0 : port };
}

void ownpoint_decide(struct ownpoint *out, const struct ownpoint_facts *f)
{
	memset(out, 0, sizeof(*out));
	out->v4 = with_port(choose_v4(f), f->port);
	out->v6 = with_port(choose_v6(f), f->port);
	if (f->source.family == AF_INET && !is_public(&f->source))
		out->near = with_port(f->source, f->port);
	out->nat = f->stun[V4].nat != NAT_UNKNOWN ? f->stun[V4].nat : f->nat;
	if (out->nat == NAT_UNKNOWN)
		out->nat = f->stun[V6].nat;
}

bool ownpoint_equal(const struct ownpoint *a, const struct ownpoint *b)
{
	return endpoint_equal(&a->v4, &b->v4) && endpoint_equal(&a->v6, &b->v6) &&
	       endpoint_equal(&a->near, &b->near) && a->nat == b->nat;
}

static void write_wildcard(struct known_peer *self, uint16_t port)
{
	(void)snprintf(self->endpoint, sizeof(self->endpoint), "0.0.0.0:%u", port);
}

static void write_literal(struct known_peer *self, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_SIZE];

	(void)snprintf(self->endpoint, sizeof(self->endpoint), "%s", endpoint_format(text, e));
}

/* Existing nodes prefer IPv6 wherever they hear of it, also where they have none. */
static void tell_inside(struct known_peer *self, const struct ownpoint *own, uint16_t port,
			const struct ip *on_link)
{
	struct endpoint near = with_port(*on_link, port);

	if (near.ip.family != 0)
		write_literal(self, &near);
	else if (own->v4.ip.family != 0)
		write_literal(self, &own->v4);
	else if (own->v6.ip.family != 0)
		write_literal(self, &own->v6);
}

static void add(struct announcement *out, const struct endpoint *e)
{
	if (e->ip.family != 0 && out->n_endpoints < ANNOUNCE_ENDPOINTS_MAX)
		out->endpoints[out->n_endpoints++] = *e;
}

/* Existing nodes have no word for "no NAT", and would call it a cone. */
static const char *nat_text(enum view_nat nat)
{
	return view_nat_name(nat == NAT_NONE ? NAT_CONE : nat);
}

void ownpoint_tell(struct announcement *out, const struct ownpoint *own, uint16_t port,
		   const struct ownpoint_receiver *who)
{
	const struct endpoint *same = who->to.ip.family == AF_INET6 ? &own->v6 : &own->v4;

	/* On a private network a receiver sees an address that is better than the outer one. */
	if (who->is_inside)
		tell_inside(&out->self, own, port, &who->on_link);
	else if (same->ip.family != 0 && is_public(&who->to.ip))
		write_literal(&out->self, same);
	else
		write_wildcard(&out->self, port);
	out->n_endpoints = 0;
	add(out, &own->v6);
	add(out, &own->v4);
	add(out, &own->near);
	(void)snprintf(out->self.nat_type, sizeof(out->self.nat_type), "%s", nat_text(own->nat));
}

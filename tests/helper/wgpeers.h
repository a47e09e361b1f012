/* SPDX-License-Identifier: MIT */
/* wgpeers - made-up WireGuard peers, and a check that a dump gives them back */
#ifndef TESTS_HELPER_WGPEERS_H
#define TESTS_HELPER_WGPEERS_H

#include "daemon/wg/wg.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t wgpeers_psk[WG_KEY_LEN] = "a preshared key of thirty-two..";

/* Peer @i: odd ones have an IPv6 endpoint; every hundredth has the most prefixes there can be. */
static inline void wgpeers_make(struct wg_peer_config *p, uint32_t i)
{
	uint8_t hi = (uint8_t)(i >> 8);
	uint8_t lo = (uint8_t)i;

	memset(p, 0, sizeof(*p));
	memset(p->key.b, 0x41, sizeof(p->key.b));
	memcpy(p->key.b, &i, sizeof(i));
	p->flags = WG_PEER_HAS_ENDPOINT | WG_PEER_HAS_KEEPALIVE | WG_PEER_HAS_PSK |
		   WG_PEER_REPLACE_ALLOWED;
	p->keepalive_s = 25;
	p->psk = wgpeers_psk;
	p->endpoint.port = (uint16_t)(10000 + i % 50000);
	if (i % 2 == 0)
		p->endpoint.ip = (struct ip) { AF_INET, { 198, 51, 100, lo } };
	else
		p->endpoint.ip =
			(struct ip) { AF_INET6, { 0x20, 0x01, 0x0d, 0xb8, [14] = hi, lo } };
	p->allowed[0] = (struct prefix) { { AF_INET, { 10, 1, hi, lo } }, 32 };
	p->allowed[1] = (struct prefix) { { AF_INET6, { 0xfd, 1, [14] = hi, lo } }, 128 };
	p->n_allowed = 2;
	while (i % 100 == 0 && p->n_allowed < WG_ALLOWED_MAX) {
		p->allowed[p->n_allowed] = (struct prefix) {
			{ AF_INET, { 10, (uint8_t)(100 + i / 100), (uint8_t)p->n_allowed } }, 24
		};
		p->n_allowed++;
	}
}

/* Return: @n peers, owned by the caller */
static inline struct wg_peer_config *wgpeers_make_all(uint32_t n)
{
	struct wg_peer_config *peers = calloc(n, sizeof(*peers));

	for (uint32_t i = 0; peers && i < n; i++)
		wgpeers_make(&peers[i], i);
	return peers;
}

static inline bool wgpeers_has_prefix(const struct wg_peer_state *s, const struct prefix *p)
{
	for (size_t i = 0; i < s->n_allowed; i++) {
		if (prefix_equal(&s->allowed[i], p))
			return true;
	}
	return false;
}

/* Is what the implementation says of a peer what was asked for? Prefixes may come in any order. */
static inline bool wgpeers_match(const struct wg_peer_config *p, const struct wg_peer_state *s)
{
	if (memcmp(&p->key, &s->key, sizeof(p->key)) != 0 || p->keepalive_s != s->keepalive_s ||
	    !endpoint_equal(&p->endpoint, &s->endpoint) || p->n_allowed != s->n_allowed)
		return false;
	for (size_t i = 0; i < p->n_allowed; i++) {
		if (!wgpeers_has_prefix(s, &p->allowed[i]))
			return false;
	}
	return true;
}

/* What a dump is compared with; peers come in any order. */
struct wgpeers_check {
	const struct wg_peer_config *peers;
	size_t n;
	size_t seen;
	size_t wrong;
};

static inline int wgpeers_check_one(const struct wg_peer_state *s, void *arg)
{
	struct wgpeers_check *c = arg;

	c->seen++;
	for (size_t i = 0; i < c->n; i++) {
		if (wgpeers_match(&c->peers[i], s))
			return 0;
	}
	c->wrong++;
	return 0;
}

#endif /* TESTS_HELPER_WGPEERS_H */

/* SPDX-License-Identifier: MIT */
#include "daemon/peers/reconcile.h"

#include <string.h>

bool reconcile_is_inside_mesh(const struct ip *ip, const struct reconcile_self *self)
{
	return prefix_contains(&self->subnet, ip) || prefix_contains(&self->prefix6, ip);
}

static void allow(struct reconcile_want *out, const struct prefix *p)
{
	for (size_t i = 0; i < out->n_allowed; i++)
		if (prefix_equal(&out->allowed[i], p))
			return;
	if (out->n_allowed < WG_ALLOWED_MAX)
		out->allowed[out->n_allowed++] = *p;
}

static void allow_host(struct reconcile_want *out, const struct ip *ip)
{
	struct prefix host = prefix_host(ip);

	if (ip->family != 0)
		allow(out, &host);
}

/* Is it our turn to begin the handshake? Sets *@at_ms to when it will be otherwise. */
static bool is_our_turn(const struct peer *p, const struct reconcile_self *self, struct now now,
			int64_t *at_ms)
{
	bool is_lower = strcmp(self->key_text, p->key_text) < 0;

	if (now.mono_ms < self->hold_until_ms && !peer_has_tunnel(p, now)) {
		*at_ms = self->hold_until_ms;
		return false;
	}
	if (now.mono_ms < p->punch.until_ms) {
		*at_ms = p->punch.turn_ms;
		return now.mono_ms >= p->punch.turn_ms;
	}
	*at_ms = p->first_seen_ms + RECONCILE_PATIENCE_MS;
	if (is_lower && p->replied_ms != INT64_MIN)
		*at_ms = p->replied_ms + RECONCILE_SETTLE_MS;
	if (p->applied.keepalive_s != 0 || p->handshake_s != 0)
		return true;
	/* A peer from the cache may have forgotten us, too, and would drop what we begin too soon. */
	return now.mono_ms >= *at_ms;
}

static bool should_be_present(const struct peer *p, const struct reconcile_self *self,
			      struct now now)
{
	if (p->said_goodbye)
		return false;
	/* Who was just named by an introducer need not have an address yet. */
	if (now.mono_ms < p->punch.until_ms)
		return true;
	if (p->info.mesh_ip.family == 0)
		return false;
	if (peer_has_tunnel(p, now))
		return true;
	if (peer_is_verified(p))
		return now.mono_ms - peer_alive_ms(p) < PEER_FORGET_MS;
	/* Nobody vouches for a cached peer but our own disk; what others tell must be heard first. */
	return (p->methods & METHOD_CACHE) && now.mono_ms - self->start_ms < RECONCILE_CACHED_MS;
}

void reconcile_allowed(struct reconcile_want *out, const struct peer *p,
		       const struct reconcile_self *self)
{
	out->n_allowed = 0;
	/* In the other member's place it would be an address that nobody has settled. */
	if (!p->lost_ip && p->info.mesh_ip.family == AF_INET)
		allow_host(out, &p->info.mesh_ip);
	if (!p->lost_ip6 && p->info.mesh_ip6.family == AF_INET6)
		allow_host(out, &p->info.mesh_ip6);
	for (size_t i = 0; i < p->n_routes; i++)
		if (route_is_used(p->route_verdict[i]) &&
		    reconcile_route_is_sane(&p->routes[i], self))
			allow(out, &p->routes[i]);
}

void reconcile_want(struct reconcile_want *out, const struct peer *p,
		    const struct reconcile_self *self, struct now now)
{
	int64_t turn_ms = 0;

	memset(out, 0, sizeof(*out));
	out->again_ms = INT64_MAX;
	out->present = should_be_present(p, self, now);
	if (!out->present)
		return;
	if (!reconcile_is_inside_mesh(&p->endpoint.ip, self))
		out->endpoint = p->endpoint;
	if (now.mono_ms < p->punch.until_ms && p->punch.endpoint.ip.family != 0)
		out->endpoint = p->punch.endpoint;
	/* A stranger whom an introducer knows may knock, and gets its addresses when that was answered. */
	if (peer_is_verified(p) || (p->methods & METHOD_CACHE) || peer_has_tunnel(p, now))
		reconcile_allowed(out, p, self);
	if (is_our_turn(p, self, now, &turn_ms))
		out->keepalive_s = RECONCILE_KEEPALIVE_S;
	else
		out->again_ms = turn_ms;
}

static bool endpoint_needs_setting(const struct peer *p, const struct reconcile_want *want,
				   struct now now)
{
	if (want->endpoint.ip.family == 0)
		return false;
	if (!p->applied.present || !endpoint_equal(&want->endpoint, &p->applied.endpoint))
		return true;
	return p->tunnel.ip.family != 0 && !endpoint_equal(&want->endpoint, &p->tunnel) &&
	       p->handshake_s != 0 && !peer_has_tunnel(p, now);
}

static uint64_t hash_of(const struct reconcile_want *want)
{
	return reconcile_allowed_hash(want->allowed, want->n_allowed) + want->relayed_hash;
}

bool reconcile_diff(struct wg_peer_config *out, const struct peer *p,
		    const struct reconcile_want *want, struct now now)
{
	memset(out, 0, sizeof(*out));
	out->key = p->info.key;
	if (!want->present) {
		out->flags = WG_PEER_REMOVE;
		return p->applied.present;
	}
	if (!p->applied.present)
		out->flags |= WG_PEER_HAS_PSK;
	if (endpoint_needs_setting(p, want, now)) {
		out->flags |= WG_PEER_HAS_ENDPOINT;
		out->endpoint = want->endpoint;
	}
	if (!p->applied.present || p->applied.keepalive_s != want->keepalive_s) {
		out->flags |= WG_PEER_HAS_KEEPALIVE;
		out->keepalive_s = want->keepalive_s;
	}
	if (!p->applied.present || p->applied.allowed_hash != hash_of(want)) {
		out->flags |= WG_PEER_REPLACE_ALLOWED;
		memcpy(out->allowed, want->allowed, want->n_allowed * sizeof(out->allowed[0]));
		out->n_allowed = want->n_allowed;
	}
	return out->flags != 0;
}

void reconcile_applied(struct peer *p, const struct reconcile_want *want)
{
	struct peer_applied *a = &p->applied;

	a->present = want->present;
	a->keepalive_s = want->keepalive_s;
	a->allowed_hash = hash_of(want);
	a->endpoint = want->endpoint;
	/* Only a new report from WireGuard tells where the tunnel really goes now. */
	memset(&p->tunnel, 0, sizeof(p->tunnel));
}

/* FNV-1a over one prefix. */
static uint64_t hash_prefix(const struct prefix *p)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	h = (h ^ p->ip.family) * UINT64_C(0x100000001b3);
	h = (h ^ p->bits) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < sizeof(p->ip.b); i++)
		h = (h ^ p->ip.b[i]) * UINT64_C(0x100000001b3);
	return h;
}

uint64_t reconcile_allowed_hash(const struct prefix *list, size_t n)
{
	/* A sum does not depend on the order, and a second equal entry still counts. */
	uint64_t sum = n;

	for (size_t i = 0; i < n; i++)
		sum += hash_prefix(&list[i]);
	return sum;
}

bool reconcile_route_is_sane(const struct prefix *route, const struct reconcile_self *self)
{
	static const char *const never[] = { "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
					     "0.0.0.0/8",   "::/127",	      "fe80::/10",
					     "ff00::/8" };

	if (route->bits == 0 || prefix_overlaps(route, &self->subnet) ||
	    prefix_overlaps(route, &self->prefix6))
		return false;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct prefix bad;

		if (prefix_parse(&bad, never[i]) == 0 && prefix_overlaps(route, &bad))
			return false;
	}
	return true;
}

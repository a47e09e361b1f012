/* SPDX-License-Identifier: MIT */
#include "daemon/peers/peers.h"
#include "common/defs.h"
#include "daemon/peers/slotset.h"
#include "daemon/wire/derive.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS	      1024 /* a power of two */
#define NO_SLOT	      UINT16_MAX
#define LAN_RANK_MS   30000
#define ECHO_MS	      (PEER_HANDSHAKE_S * 1000) /* a clock that was set back is believed after it */
#define RANKED_CACHE  "cache"
#define RANKED_LAN    "lan"
#define RANKED_PUNCH  "dht-rendezvous"
#define NAME_EXCHANGE "dht"

_Static_assert(PEERS_MAX < NO_SLOT && PEERS_MAX <= SLOTSET_MAX, "a slot number fits");

struct peers {
	struct wg_key self;
	struct ip own[2]; /* our mesh addresses, IPv4 and IPv6 */
	size_t count;
	struct slotset used;
	struct slotset marked;
	uint16_t bucket[BUCKETS];
	uint16_t by_ip[2][BUCKETS]; /* IPv4 and IPv6 */
	struct peer rows[PEERS_MAX];
	/* Most peers have none: what is not touched takes no memory. */
	struct prefix routes[PEERS_MAX][ANNOUNCE_ROUTES_MAX];
	uint8_t verdicts[PEERS_MAX][ANNOUNCE_ROUTES_MAX];
};

const char *peer_method_name(enum peer_method method)
{
	switch (method) {
	case METHOD_CACHE:
		return RANKED_CACHE;
	case METHOD_LAN:
		return RANKED_LAN;
	case METHOD_EXCHANGE:
		return NAME_EXCHANGE;
	case METHOD_TRANSITIVE:
		return "dht-transitive";
	case METHOD_RENDEZVOUS:
		return RANKED_PUNCH;
	case METHOD_GOSSIP:
		return "gossip";
	case METHOD_GOSSIP_TRANSITIVE:
		return "gossip-transitive";
	case METHOD_STATIC:
		return "static";
	case METHOD_DNS:
		return "dns";
	case METHOD_MAINLINE:
		return "mainline";
	}
	return "";
}

struct peers *peers_new(const struct wg_key *self)
{
	/* calloc() of so much is untouched zero pages: rows cost memory only once they are used. */
	struct peers *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->self = *self;
	memset(t->bucket, 0xff, sizeof(t->bucket));
	memset(t->by_ip, 0xff, sizeof(t->by_ip));
	return t;
}

void peers_free(struct peers *t)
{
	free(t);
}

/* Public keys are uniform already, and an attacker who can choose them must know the secret. */
static size_t bucket_of(const struct wg_key *key)
{
	return ((size_t)key->b[0] | (size_t)key->b[1] << 8) % BUCKETS;
}

struct peer *peers_find(struct peers *t, const struct wg_key *key)
{
	for (uint16_t i = t->bucket[bucket_of(key)]; i != NO_SLOT; i = t->rows[i].next)
		if (memcmp(&t->rows[i].info.key, key, sizeof(*key)) == 0)
			return &t->rows[i];
	return NULL;
}

struct peer *peers_next_with_prefix(struct peers *t, uint32_t prefix, const struct peer *prev)
{
	const struct wg_key key = { .b = { (uint8_t)(prefix >> 24), (uint8_t)(prefix >> 16) } };
	uint16_t i = prev ? prev->next : t->bucket[bucket_of(&key)];

	for (; i != NO_SLOT; i = t->rows[i].next)
		if (pex_prefix(&t->rows[i].info.key) == prefix)
			return &t->rows[i];
	return NULL;
}

/* The first row of a set behind @prev. */
static struct peer *next_of(struct peers *t, const struct slotset *set, const struct peer *prev)
{
	size_t from = prev ? (size_t)prev->slot + 1 : 0;
	size_t i = from < PEERS_MAX ? slotset_find(set, from, true) : PEERS_MAX;

	return i < PEERS_MAX ? &t->rows[i] : NULL;
}

struct peer *peers_next(struct peers *t, const struct peer *prev)
{
	return next_of(t, &t->used, prev);
}

void peers_mark(struct peers *t, const struct peer *p)
{
	slotset_add(&t->marked, p->slot);
}

void peers_unmark(struct peers *t, const struct peer *p)
{
	slotset_remove(&t->marked, p->slot);
}

bool peers_is_marked(const struct peers *t, const struct peer *p)
{
	return slotset_has(&t->marked, p->slot);
}

struct peer *peers_next_marked(struct peers *t, const struct peer *prev)
{
	return next_of(t, &t->marked, prev);
}

struct peer *peers_at(struct peers *t, uint16_t slot)
{
	return slot < PEERS_MAX && t->rows[slot].in_use ? &t->rows[slot] : NULL;
}

size_t peers_count(const struct peers *t)
{
	return t->count;
}

static bool is_from_others(enum peer_method method)
{
	return method == METHOD_TRANSITIVE || method == METHOD_GOSSIP_TRANSITIVE;
}

/*
 * A free row, or the one of the peer that is missed least; NULL when all are in WireGuard. Who was only
 * told of takes the place of nobody but such.
 */
static struct peer *find_room(struct peers *t, bool is_told)
{
	struct peer *oldest = NULL;

	if (t->count < PEERS_MAX)
		return &t->rows[slotset_find(&t->used, 0, false)];
	for (struct peer *p = peers_next(t, NULL); p; p = peers_next(t, p))
		if (!p->applied.present && (!is_told || peer_is_hearsay(p)) &&
		    (!oldest || p->seen_unix_s < oldest->seen_unix_s))
			oldest = p;
	if (oldest)
		peers_remove(t, oldest);
	return oldest;
}

static struct peer *insert(struct peers *t, const struct sighting *s, struct now now)
{
	const struct wg_key *key = &s->who->key;
	struct peer *p = find_room(t, is_from_others(s->method));
	uint16_t *head = &t->bucket[bucket_of(key)];

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->slot = (uint16_t)(p - t->rows);
	p->in_use = true;
	p->routes = t->routes[p->slot];
	p->route_verdict = t->verdicts[p->slot];
	slotset_add(&t->used, p->slot);
	p->info.key = *key;
	(void)wg_key_format(p->key_text, key);
	p->first_seen_ms = now.mono_ms;
	p->heard_ms = INT64_MIN;
	p->replied_ms = INT64_MIN;
	p->next = *head;
	*head = p->slot;
	t->count++;
	return p;
}

static const struct ip *mesh_ip_of(const struct peer *p, uint8_t family)
{
	return family == AF_INET6 ? &p->info.mesh_ip6 : &p->info.mesh_ip;
}

static bool *lost_flag(struct peer *p, uint8_t family)
{
	return family == AF_INET6 ? &p->lost_ip6 : &p->lost_ip;
}

/* Mesh addresses are hashes of keys: their last bytes are as good as any. */
static uint16_t *ip_bucket(struct peers *t, const struct ip *ip, uint8_t family)
{
	size_t last = ip->family == AF_INET6 ? 15 : 3;
	size_t i = (size_t)ip->b[last] | (size_t)ip->b[last - 1] << 8;

	return &t->by_ip[family == AF_INET6][i % BUCKETS];
}

/* The first row behind @prev with this mesh address. */
static struct peer *next_with_ip(struct peers *t, const struct ip *ip, uint8_t family,
				 const struct peer *prev)
{
	uint16_t i = prev ? prev->next_ip[family == AF_INET6] : *ip_bucket(t, ip, family);

	while (i != NO_SLOT && !ip_equal(mesh_ip_of(&t->rows[i], family), ip))
		i = t->rows[i].next_ip[family == AF_INET6];
	return i == NO_SLOT ? NULL : &t->rows[i];
}

static void link_ip(struct peers *t, struct peer *p, uint8_t family)
{
	uint16_t *head = ip_bucket(t, mesh_ip_of(p, family), family);

	p->next_ip[family == AF_INET6] = *head;
	*head = p->slot;
}

static void unlink_ip(struct peers *t, const struct peer *p, uint8_t family)
{
	uint16_t *link = ip_bucket(t, mesh_ip_of(p, family), family);

	if (mesh_ip_of(p, family)->family == 0)
		return;
	while (*link != p->slot)
		link = &t->rows[*link].next_ip[family == AF_INET6];
	*link = p->next_ip[family == AF_INET6];
}

/* What a claim to a mesh address rests on; see peers_settle(). */
static int claim_of(const struct peer *p)
{
	if (peer_is_hearsay(p) || p->has_left)
		return 0;
	return p->tunnel_ms != 0 ? 2 : 1;
}

static bool is_better(const struct peer *p, const struct peer *than)
{
	if (claim_of(p) != claim_of(than))
		return claim_of(p) > claim_of(than);
	return derive_collision_winner(p->key_text, than->key_text) == p->key_text;
}

/*
 * Two keys with one mesh address: the lower key text keeps it (protocol.md section 3), and nobody
 * has ours. What was said in the member for IPv4 is compared with the same member of others, whatever its family is.
 */
static void settle(struct peers *t, const struct ip *ip, uint8_t family)
{
	bool is_ours = ip_equal(&t->own[family == AF_INET6], ip);
	const struct peer *winner = NULL;

	if (ip->family == 0)
		return;
	for (struct peer *p = next_with_ip(t, ip, family, NULL); p && !is_ours;
	     p = next_with_ip(t, ip, family, p))
		if (claim_of(p) > 0 && (!winner || is_better(p, winner)))
			winner = p;
	for (struct peer *p = next_with_ip(t, ip, family, NULL); p;
	     p = next_with_ip(t, ip, family, p)) {
		bool *lost = lost_flag(p, family);
		bool has_lost = is_ours || (winner && p != winner);

		if (*lost == has_lost)
			continue;
		*lost = has_lost;
		peers_mark(t, p);
	}
}

void peers_settle(struct peers *t, const struct peer *p)
{
	settle(t, &p->info.mesh_ip, AF_INET);
	settle(t, &p->info.mesh_ip6, AF_INET6);
}

void peers_claim(struct peers *t, const struct ip *mesh_ip, const struct ip *mesh_ip6)
{
	const struct ip before[2] = { t->own[0], t->own[1] };

	t->own[0] = *mesh_ip;
	t->own[1] = *mesh_ip6;
	settle(t, &before[0], AF_INET);
	settle(t, &before[1], AF_INET6);
	settle(t, mesh_ip, AF_INET);
	settle(t, mesh_ip6, AF_INET6);
}

bool peers_has_ip(struct peers *t, const struct ip *mesh_ip)
{
	return next_with_ip(t, mesh_ip, AF_INET, NULL) != NULL;
}

void peers_remove(struct peers *t, struct peer *p)
{
	uint16_t *link = &t->bucket[bucket_of(&p->info.key)];

	while (*link != p->slot)
		link = &t->rows[*link].next;
	*link = p->next;
	unlink_ip(t, p, AF_INET);
	unlink_ip(t, p, AF_INET6);
	p->in_use = false;
	slotset_remove(&t->used, p->slot);
	slotset_remove(&t->marked, p->slot);
	t->count--;
	peers_settle(t, p);
}

static bool take_text(char *dst, size_t size, const char *src)
{
	if (*src == '\0' || strcmp(dst, src) == 0)
		return false;
	(void)strncpy(dst, src, size - 1);
	dst[size - 1] = '\0';
	return true;
}

static bool take_ip(struct peers *t, struct peer *p, const struct ip *ip, uint8_t family)
{
	struct ip *own = family == AF_INET6 ? &p->info.mesh_ip6 : &p->info.mesh_ip;
	struct ip old = *own;

	if (ip->family == 0 || ip_equal(&old, ip))
		return false;
	unlink_ip(t, p, family);
	*own = *ip;
	link_ip(t, p, family);
	*lost_flag(p, family) = false;
	settle(t, &old, family);
	settle(t, ip, family);
	return true;
}

/* What was found of a network holds wherever it stands in the next list. */
static void keep_verdicts(struct peer *p, const struct prefix *next, size_t n)
{
	uint8_t verdict[ANNOUNCE_ROUTES_MAX] = { ROUTE_UNJUDGED };

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < p->n_routes; j++)
			if (prefix_equal(&next[i], &p->routes[j]))
				verdict[i] = p->route_verdict[j];
	memcpy(p->route_verdict, verdict, n);
}

static bool take_routes(struct peer *p, const struct sighting *s)
{
	size_t n = s->n_routes < ANNOUNCE_ROUTES_MAX ? s->n_routes : ANNOUNCE_ROUTES_MAX;
	bool same = n == p->n_routes;

	if (!s->has_routes)
		return false;
	for (size_t i = 0; same && i < n; i++)
		same = prefix_equal(&p->routes[i], &s->routes[i]);
	if (same)
		return false;
	keep_verdicts(p, s->routes, n);
	for (size_t i = 0; i < n; i++)
		p->routes[i] = s->routes[i];
	p->n_routes = n;
	return true;
}

/*
 * A laptop that left the LAN must be reachable again by what others say of it, and so must a peer
 * whose address translation has forgotten the hole that was punched.
 */
static const char *ranked_method(const struct peer *p, struct now now)
{
	bool is_stale = now.mono_ms - p->endpoint_ms > LAN_RANK_MS;

	if (is_stale && (strcmp(p->endpoint_method, RANKED_LAN) == 0 ||
			 strcmp(p->endpoint_method, RANKED_PUNCH) == 0))
		return RANKED_CACHE;
	return p->endpoint_method;
}

static bool is_from_peer_itself(enum peer_method method)
{
	return method == METHOD_LAN || method == METHOD_EXCHANGE || method == METHOD_GOSSIP;
}

/* What the peer says of itself replaces what it said before; what others say is added to it. */
static void take_candidates(struct peer *p, const struct sighting *s)
{
	struct candidates *c = &p->candidates;

	if (!is_from_peer_itself(s->method)) {
		candidates_add(c, &s->endpoint, CANDIDATE_TOLD);
		return;
	}
	candidates_drop(c, CANDIDATE_SEEN);
	candidates_drop(c, CANDIDATE_OWN);
	candidates_add(c, &s->source, CANDIDATE_SEEN);
	for (size_t i = s->n_more; i-- > 0;)
		candidates_add(c, &s->more[i], CANDIDATE_OWN);
	candidates_add(c, &s->endpoint, CANDIDATE_OWN);
}

static bool take_endpoint(struct peer *p, const struct sighting *s, struct now now)
{
	const char *method = peer_method_name(s->method);
	char old[ENDPOINT_TEXT_SIZE];
	char new[ENDPOINT_TEXT_SIZE];
	bool differs = !endpoint_equal(&p->endpoint, &s->endpoint);

	if (s->endpoint.ip.family == 0)
		return false;
	/*
	 * Through the old one packets flow, and WireGuard follows a peer that roams by itself. What
	 * comes over the exchange can be a rumour, or a captured HELLO sent from somewhere else.
	 */
	if (s->method != METHOD_LAN && peer_has_tunnel(p, now))
		return false;
	/* Another one gave a handshake where this one did not: it has its turn, but not the first. */
	if (p->endpoint.ip.family != 0 &&
	    candidates_has_failed(&p->candidates, &s->endpoint, now.mono_ms))
		return false;
	(void)endpoint_format(old, &p->endpoint);
	(void)endpoint_format(new, &s->endpoint);
	if (!endpoint_replaces(old, ranked_method(p, now), new, method))
		return false;
	if (differs)
		candidates_restart(&p->candidates);
	p->endpoint = s->endpoint;
	p->endpoint_ms = now.mono_ms;
	(void)strncpy(p->endpoint_method, method, sizeof(p->endpoint_method) - 1);
	return differs;
}

/* Others guess the port behind a NAT; the address a peer was heard from is the one that works. */
static void take_control(struct peer *p, const struct sighting *s, struct now now)
{
	bool is_heard = peer_is_verified(p) && now.mono_ms - peer_alive_ms(p) < PEER_ACTIVE_MS;

	if (s->control.ip.family == 0)
		return;
	if (is_from_peer_itself(s->method) || !is_heard || p->control.ip.family == 0)
		p->control = s->control;
}

static enum peer_change take_age(struct peer *p, const struct sighting *s, struct now now)
{
	enum peer_change change = PEER_UNCHANGED;

	if (s->method == METHOD_CACHE && p->seen_unix_s < s->seen_unix_s)
		p->seen_unix_s = s->seen_unix_s;
	if (!is_from_peer_itself(s->method))
		return PEER_UNCHANGED;
	if (p->said_goodbye || p->heard_ms == INT64_MIN ||
	    now.mono_ms - peer_alive_ms(p) > PEER_FORGET_MS)
		change = peer_has_tunnel(p, now) ? PEER_CHANGED : PEER_BACK;
	if (change == PEER_BACK) {
		/* Who begins the handshake is open again. */
		p->first_seen_ms = now.mono_ms;
		p->replied_ms = INT64_MIN;
		p->handshake_s = 0;
	}
	p->said_goodbye = false;
	p->has_left = false;
	p->heard_ms = now.mono_ms;
	p->seen_unix_s = now.unix_s;
	return change;
}

static bool take_info(struct peers *t, struct peer *p, const struct sighting *s)
{
	const struct known_peer *who = s->who;
	bool changed = take_ip(t, p, &who->mesh_ip, AF_INET);

	changed |= take_ip(t, p, &who->mesh_ip6, AF_INET6);
	changed |= take_text(p->info.hostname, sizeof(p->info.hostname), who->hostname);
	(void)take_text(p->info.nat_type, sizeof(p->info.nat_type), who->nat_type);
	(void)take_text(p->info.endpoint, sizeof(p->info.endpoint), who->endpoint);
	changed |= take_routes(p, s);
	p->info.introducer = who->introducer;
	return changed;
}

/*
 * Nothing that it says is news, and that it comes from another address proves nothing. But a container
 * that said goodbye can be back, with another address, within the second.
 */
static bool is_echo(const struct peer *p, const struct sighting *s, struct now now)
{
	int64_t newest_s = p->said_goodbye ? p->said_s - 1 : p->said_s;
	bool is_old = s->said_s != 0 && s->said_s <= newest_s;

	return is_old && s->control.ip.family != 0 && !ip_equal(&s->control.ip, &p->control.ip) &&
	       now.mono_ms - p->heard_ms < ECHO_MS;
}

enum peer_change peers_sight(struct peers *t, const struct sighting *s, struct now now,
			     struct peer **out)
{
	const struct known_peer *who = s->who;
	struct peer *p = peers_find(t, &who->key);
	bool is_new = !p;
	enum peer_change change;
	int claim;
	bool changed = false;

	*out = NULL;
	if (memcmp(&who->key, &t->self, sizeof(t->self)) == 0)
		return PEER_IGNORED;
	if (!p)
		p = insert(t, s, now);
	if (!p)
		return PEER_IGNORED;
	*out = p;
	if (is_echo(p, s, now))
		return PEER_UNCHANGED;
	if (s->said_s > p->said_s)
		p->said_s = s->said_s;
	p->methods |= s->method;
	if (s->method != METHOD_CACHE)
		p->told_ms = now.mono_ms;
	take_candidates(p, s);
	changed |= take_endpoint(p, s, now);
	/*
	 * What others tell never overrides what the peer itself, or our own disk, said. But of one that is
	 * known by its key only, whatever is told is more.
	 */
	if (is_new || !is_from_others(s->method) || p->info.mesh_ip.family == 0)
		changed |= take_info(t, p, s);
	take_control(p, s, now);
	claim = claim_of(p);
	change = take_age(p, s, now);
	if (claim != claim_of(p))
		peers_settle(t, p);
	if (is_new)
		return PEER_NEW;
	return changed && change == PEER_UNCHANGED ? PEER_CHANGED : change;
}

bool peer_is_verified(const struct peer *p)
{
	return p->heard_ms != INT64_MIN;
}

bool peer_is_hearsay(const struct peer *p)
{
	return !peer_is_verified(p) && !(p->methods & METHOD_CACHE);
}

int64_t peer_alive_ms(const struct peer *p)
{
	return p->heard_ms > p->tunnel_ms ? p->heard_ms : p->tunnel_ms;
}

bool peer_has_tunnel(const struct peer *p, struct now now)
{
	return p->handshake_s != 0 && now.unix_s - p->handshake_s < PEER_HANDSHAKE_S;
}

bool peer_is_on_lan(const struct peer *p, struct now now)
{
	return strcmp(p->endpoint_method, RANKED_LAN) == 0 &&
	       now.mono_ms - p->endpoint_ms <= LAN_RANK_MS;
}

void peer_use_tunnel(struct peer *p, struct now now)
{
	if (p->tunnel.ip.family == 0)
		return;
	p->endpoint = p->tunnel;
	p->endpoint_ms = now.mono_ms;
	(void)strncpy(p->endpoint_method, RANKED_PUNCH, sizeof(p->endpoint_method) - 1);
}

bool peer_is_active(const struct peer *p, struct now now)
{
	if (p->said_goodbye)
		return false;
	if (peer_has_tunnel(p, now))
		return true;
	return peer_is_verified(p) && now.mono_ms - peer_alive_ms(p) < PEER_ACTIVE_MS;
}

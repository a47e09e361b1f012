/* SPDX-License-Identifier: MIT */
#include "tests/sim/wireguard.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS		256
#define INLINE		3
#define RETRY_US	(5 * S)
#define RETRY_RANDOM_US (333 * MS)
#define REKEY_US	(120 * S)
#define KEEPALIVE_US	(25 * S)
#define REJECT_US	(180 * S)
#define KEEPALIVE_BYTES 32
#define PACKET_BYTES	148

struct tunnel {
	struct item timer; /* begin a handshake */
	struct wireguard *wg;
	struct wg_key key;
	struct endpoint endpoint;
	uint16_t keepalive_s;
	int64_t handshake_us; /* -1 for never */
	uint32_t begun;	      /* number of the handshake that waits for its answer, 0 for none */
	int64_t counted_us;
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	size_t n_allowed;
	struct prefix few[INLINE];
	struct prefix *many;
	struct tunnel *next;
};

struct wireguard {
	struct host *host;
	size_t n;
	uint32_t last; /* handshake begun */
	struct tunnel *bucket[BUCKETS];
};

enum packet_kind { PACKET_BEGIN, PACKET_ANSWER, PACKET_CONFIRM };

struct packet {
	struct item item;
	enum packet_kind kind;
	uint32_t number;
	struct wg_key from;
	struct endpoint source;
	struct endpoint to;
};

static void send_packet(struct tunnel *t, enum packet_kind kind, uint32_t number);

static struct tunnel **slot_of(struct wireguard *wg, const struct wg_key *key)
{
	struct tunnel **link = &wg->bucket[key->b[1]];

	while (*link && memcmp(&(*link)->key, key, sizeof(*key)) != 0)
		link = &(*link)->next;
	return link;
}

static void begin(struct tunnel *t)
{
	if (t->endpoint.ip.family == 0 || t->keepalive_s == 0)
		return;
	t->begun = ++t->wg->last;
	send_packet(t, PACKET_BEGIN, t->begun);
	queue_put(&t->timer, queue_now_us() + RETRY_US + (int64_t)world_random(RETRY_RANDOM_US));
}

static void on_timer(struct item *i)
{
	begin((struct tunnel *)i);
}

static void established(struct tunnel *t, bool is_ours)
{
	t->handshake_us = queue_now_us();
	t->begun = 0;
	/* Renewed by the first keepalive that is sent later than that. */
	queue_put(&t->timer, queue_now_us() + (is_ours ? REKEY_US : REJECT_US) +
				     (int64_t)world_random(KEEPALIVE_US));
}

static void take_packet(struct tunnel *t, const struct packet *p)
{
	switch (p->kind) {
	case PACKET_BEGIN:
		/* One handshake at a time: what we have begun is answered in vain. */
		t->begun = 0;
		t->endpoint = p->source;
		send_packet(t, PACKET_ANSWER, p->number);
		break;
	case PACKET_ANSWER:
		if (t->begun != p->number)
			break;
		t->endpoint = p->source;
		established(t, true);
		send_packet(t, PACKET_CONFIRM, p->number);
		break;
	case PACKET_CONFIRM:
		established(t, false);
		break;
	}
}

static void on_packet(struct item *i)
{
	struct packet *p = (struct packet *)i;
	struct host *h = world_host_at(&p->to.ip);
	struct wireguard *wg = h && p->to.port == WORLD_WG_PORT ? world_wireguard(h) : NULL;
	struct tunnel *t = wg ? *slot_of(wg, &p->from) : NULL;

	if (t)
		take_packet(t, p);
	free(p);
}

static void send_packet(struct tunnel *t, enum packet_kind kind, uint32_t number)
{
	struct host *from = t->wg->host;
	struct host *to = world_host_at(&t->endpoint.ip);
	int64_t way_us = to ? network_way_us(from, to, PACKET_BYTES) : -1;
	struct packet *p;

	if (way_us < 0)
		return;
	p = world_keep(calloc(1, sizeof(*p)));
	p->item.fire = on_packet;
	p->kind = kind;
	p->number = number;
	p->from = from->key;
	p->source = (struct endpoint) { .ip = world_ip(from->address), .port = WORLD_WG_PORT };
	p->to = t->endpoint;
	queue_put(&p->item, queue_now_us() + way_us);
}

static void set_allowed(struct tunnel *t, const struct wg_peer_config *c)
{
	struct prefix *to = t->few;

	free(t->many);
	t->many = NULL;
	if (c->n_allowed > INLINE)
		to = t->many = world_keep(calloc(c->n_allowed, sizeof(*to)));
	memcpy(to, c->allowed, c->n_allowed * sizeof(*to));
	t->n_allowed = c->n_allowed;
}

static void remove_at(struct wireguard *wg, struct tunnel **link)
{
	struct tunnel *t = *link;

	*link = t->next;
	queue_drop(&t->timer);
	free(t->many);
	free(t);
	wg->n--;
}

static struct tunnel *add_at(struct wireguard *wg, struct tunnel **link, const struct wg_key *key)
{
	struct tunnel *t = world_keep(calloc(1, sizeof(*t)));

	t->timer.fire = on_timer;
	t->wg = wg;
	t->key = *key;
	t->handshake_us = -1;
	t->counted_us = queue_now_us();
	*link = t;
	wg->n++;
	return t;
}

void wireguard_apply(struct wireguard *wg, const struct wg_peer_config *c)
{
	struct tunnel **link = slot_of(wg, &c->key);
	struct tunnel *t = *link;

	if (c->flags & WG_PEER_REMOVE) {
		if (t)
			remove_at(wg, link);
		return;
	}
	if (!t)
		t = add_at(wg, link, &c->key);
	if (c->flags & WG_PEER_REPLACE_ALLOWED)
		set_allowed(t, c);
	if (c->flags & WG_PEER_HAS_ENDPOINT)
		t->endpoint = c->endpoint;
	if (!(c->flags & WG_PEER_HAS_KEEPALIVE) || t->keepalive_s == c->keepalive_s)
		return;
	/* Turning the keepalive on sends one at once, which takes a handshake when there is none. */
	t->keepalive_s = c->keepalive_s;
	if (t->handshake_us < 0 || queue_now_us() - t->handshake_us > REJECT_US)
		begin(t);
}

size_t wireguard_count(const struct wireguard *wg)
{
	return wg->n;
}

static bool is_live(const struct tunnel *t, int64_t lapse_us)
{
	return t->handshake_us >= 0 && queue_now_us() - t->handshake_us < REJECT_US + lapse_us;
}

bool wireguard_has_tunnel(const struct wireguard *wg, const struct wg_key *key, int64_t lapse_us)
{
	const struct tunnel *t = wg->bucket[key->b[1]];

	while (t && memcmp(&t->key, key, sizeof(*key)) != 0)
		t = t->next;
	return t && is_live(t, lapse_us);
}

/* Keepalives that were sent since the last dump, and those of the other end. */
static void count_bytes(struct tunnel *t)
{
	struct host *other = world_host_of_key(&t->key);
	int64_t elapsed_us = queue_now_us() - t->counted_us;
	uint64_t n = is_live(t, 0) ? (uint64_t)(elapsed_us / (25 * S)) : 0;
	struct wireguard *theirs = other ? world_wireguard(other) : NULL;

	if (n == 0)
		return;
	t->counted_us = queue_now_us();
	t->tx_bytes += n * KEEPALIVE_BYTES;
	if (theirs && wireguard_has_tunnel(theirs, &t->wg->host->key, 0) &&
	    other->side == t->wg->host->side)
		t->rx_bytes += n * KEEPALIVE_BYTES;
}

void wireguard_dump(struct wireguard *wg, wg_peer_fn *fn, void *arg)
{
	struct wg_peer_state s;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct tunnel *t = wg->bucket[i]; t; t = t->next) {
			count_bytes(t);
			memset(&s, 0, offsetof(struct wg_peer_state, allowed));
			s.key = t->key;
			s.endpoint = t->endpoint;
			s.keepalive_s = t->keepalive_s;
			s.rx_bytes = t->rx_bytes;
			s.tx_bytes = t->tx_bytes;
			s.n_allowed = t->n_allowed;
			if (t->handshake_us >= 0)
				s.handshake_s = WORLD_EPOCH_S + t->handshake_us / S;
			memcpy(s.allowed, t->many ? t->many : t->few,
			       t->n_allowed * sizeof(s.allowed[0]));
			if (fn(&s, arg) != 0)
				return;
		}
	}
}

struct wireguard *wireguard_new(struct host *h)
{
	struct wireguard *wg = world_keep(calloc(1, sizeof(*wg)));

	wg->host = h;
	return wg;
}

void wireguard_free(struct wireguard *wg)
{
	for (size_t i = 0; wg && i < BUCKETS; i++)
		while (wg->bucket[i])
			remove_at(wg, &wg->bucket[i]);
	free(wg);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin_batch.h"

#include <errno.h>
#include <string.h>

#define KNOWN_FLAGS                                                                        \
	(WG_PEER_REMOVE | WG_PEER_HAS_ENDPOINT | WG_PEER_HAS_KEEPALIVE | WG_PEER_HAS_PSK | \
	 WG_PEER_REPLACE_ALLOWED)

/* Family, bits or port, address: the most that one address of any kind takes. */
#define ADDRESS_MAX 19
#define LARGEST	    (WG_KEY_LEN + 64 + (WG_ALLOWED_MAX + 1) * ADDRESS_MAX)

_Static_assert(LARGEST + sizeof(uint32_t) < NETADMIN_BATCH_SIZE, "any peer fits into a batch");
_Static_assert(WG_ALLOWED_MAX <= UINT16_MAX, "a count of prefixes fits");

void netadmin_batch_begin(struct netadmin_batch *b, uint32_t what)
{
	b->msg.what = what;
	b->len = sizeof(b->msg.what);
}

bool netadmin_batch_is_empty(const struct netadmin_batch *b)
{
	return b->len <= sizeof(b->msg.what);
}

/* --- writing --------------------------------------------------------------------------------- */

/* Where the next byte goes; the room is looked at once, at the end. */
struct writer {
	uint8_t *to;
	size_t len;
	size_t size;
};

static struct writer writer_of(struct netadmin_batch *b)
{
	return (struct writer) { b->msg.bytes, b->len, sizeof(b->msg.bytes) };
}

static void put(struct writer *w, const void *data, size_t len)
{
	if (w->len <= w->size && len <= w->size - w->len)
		memcpy(w->to + w->len, data, len);
	w->len += len;
}

static void put_address(struct writer *w, const struct ip *ip)
{
	put(w, &ip->family, sizeof(ip->family));
	if (ip->family != 0)
		put(w, ip->b, ip->family == AF_INET ? 4 : sizeof(ip->b));
}

static void put_endpoint(struct writer *w, const struct endpoint *e)
{
	put_address(w, &e->ip);
	put(w, &e->port, sizeof(e->port));
}

static void put_allowed(struct writer *w, const struct prefix *list, size_t n)
{
	uint16_t count = (uint16_t)n;

	put(w, &count, sizeof(count));
	for (size_t i = 0; i < n; i++) {
		put_address(w, &list[i].ip);
		put(w, &list[i].bits, sizeof(list[i].bits));
	}
}

static bool finish(struct netadmin_batch *b, const struct writer *w)
{
	if (w->len > w->size)
		return false;
	b->len = w->len;
	return true;
}

bool netadmin_batch_put_change(struct netadmin_batch *b, const struct wg_peer_config *change)
{
	struct writer w = writer_of(b);

	put(&w, change->key.b, sizeof(change->key.b));
	put(&w, &change->flags, sizeof(change->flags));
	put(&w, &change->keepalive_s, sizeof(change->keepalive_s));
	put_endpoint(&w, &change->endpoint);
	put_allowed(&w, change->allowed, change->n_allowed);
	return finish(b, &w);
}

bool netadmin_batch_put_state(struct netadmin_batch *b, const struct wg_peer_state *state)
{
	struct writer w = writer_of(b);

	put(&w, state->key.b, sizeof(state->key.b));
	put(&w, &state->keepalive_s, sizeof(state->keepalive_s));
	put(&w, &state->handshake_s, sizeof(state->handshake_s));
	put(&w, &state->rx_bytes, sizeof(state->rx_bytes));
	put(&w, &state->tx_bytes, sizeof(state->tx_bytes));
	put_endpoint(&w, &state->endpoint);
	put_allowed(&w, state->allowed, state->n_allowed);
	return finish(b, &w);
}

bool netadmin_batch_put_key(struct netadmin_batch *b, const struct wg_key *key)
{
	struct writer w = writer_of(b);

	put(&w, key->b, sizeof(key->b));
	return finish(b, &w);
}

/* --- reading --------------------------------------------------------------------------------- */

/* A missing byte makes all that follows zero, and is noticed once, at the end. */
struct reader {
	const uint8_t *from;
	size_t pos;
	size_t len;
	bool is_bad;
};

static struct reader reader_of(const struct netadmin_batch *b, size_t pos)
{
	size_t begin = pos > 0 ? pos : sizeof(b->msg.what);

	return (struct reader) {
		.from = b->msg.bytes,
		.pos = begin,
		.len = b->len,
		.is_bad = b->len > sizeof(b->msg.bytes) || begin > b->len,
	};
}

static void take(struct reader *r, void *out, size_t len)
{
	if (r->is_bad || len > r->len - r->pos) {
		memset(out, 0, len);
		r->is_bad = true;
		return;
	}
	memcpy(out, r->from + r->pos, len);
	r->pos += len;
}

static void take_address(struct reader *r, struct ip *out)
{
	memset(out, 0, sizeof(*out));
	take(r, &out->family, sizeof(out->family));
	if (out->family == AF_INET || out->family == AF_INET6)
		take(r, out->b, out->family == AF_INET ? 4 : sizeof(out->b));
	else if (out->family != 0)
		r->is_bad = true;
}

static void take_endpoint(struct reader *r, struct endpoint *out)
{
	take_address(r, &out->ip);
	take(r, &out->port, sizeof(out->port));
}

/* Return: how many there are; 0 when they are more than there can be */
static size_t take_allowed(struct reader *r, struct prefix list[static WG_ALLOWED_MAX])
{
	uint16_t n = 0;

	take(r, &n, sizeof(n));
	if (n > WG_ALLOWED_MAX) {
		r->is_bad = true;
		return 0;
	}
	for (size_t i = 0; i < n && !r->is_bad; i++) {
		take_address(r, &list[i].ip);
		take(r, &list[i].bits, sizeof(list[i].bits));
		r->is_bad |= list[i].bits > prefix_host(&list[i].ip).bits;
	}
	return r->is_bad ? 0 : n;
}

/* 1 for an item that was read whole. */
static int took(const struct reader *r, size_t *pos)
{
	if (r->is_bad)
		return -EPROTO;
	*pos = r->pos;
	return 1;
}

static bool is_at_end(const struct reader *r)
{
	return !r->is_bad && r->pos == r->len;
}

int netadmin_batch_next_change(const struct netadmin_batch *b, size_t *pos,
			       struct wg_peer_config *out)
{
	struct reader r = reader_of(b, *pos);

	if (is_at_end(&r))
		return 0;
	take(&r, out->key.b, sizeof(out->key.b));
	take(&r, &out->flags, sizeof(out->flags));
	take(&r, &out->keepalive_s, sizeof(out->keepalive_s));
	take_endpoint(&r, &out->endpoint);
	out->n_allowed = take_allowed(&r, out->allowed);
	out->psk = NULL;
	r.is_bad |= (out->flags & ~(uint32_t)KNOWN_FLAGS) != 0;
	return took(&r, pos);
}

int netadmin_batch_next_state(const struct netadmin_batch *b, size_t *pos,
			      struct wg_peer_state *out)
{
	struct reader r = reader_of(b, *pos);

	if (is_at_end(&r))
		return 0;
	take(&r, out->key.b, sizeof(out->key.b));
	take(&r, &out->keepalive_s, sizeof(out->keepalive_s));
	take(&r, &out->handshake_s, sizeof(out->handshake_s));
	take(&r, &out->rx_bytes, sizeof(out->rx_bytes));
	take(&r, &out->tx_bytes, sizeof(out->tx_bytes));
	take_endpoint(&r, &out->endpoint);
	out->n_allowed = take_allowed(&r, out->allowed);
	return took(&r, pos);
}

int netadmin_batch_next_key(const struct netadmin_batch *b, size_t *pos, struct wg_key *out)
{
	struct reader r = reader_of(b, *pos);

	if (is_at_end(&r))
		return 0;
	take(&r, out->b, sizeof(out->b));
	return took(&r, pos);
}

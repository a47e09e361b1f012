/* SPDX-License-Identifier: MIT */
#include "daemon/nat/relay.h"

#include <string.h>

#define MS_PER_S 1000

void relay_pool_add(struct relay_pool *pool, const char *key_text, uint16_t slot)
{
	size_t at = pool->n;

	while (at > 0 && strcmp(key_text, pool->at[at - 1].key_text) < 0)
		at--;
	if (at == RELAY_POOL_MAX)
		return;
	if (pool->n == RELAY_POOL_MAX)
		pool->n--;
	memmove(&pool->at[at + 1], &pool->at[at], (pool->n - at) * sizeof(pool->at[0]));
	pool->n++;
	(void)strncpy(pool->at[at].key_text, key_text, RENDEZVOUS_KEY_SIZE - 1);
	pool->at[at].key_text[RENDEZVOUS_KEY_SIZE - 1] = '\0';
	pool->at[at].slot = slot;
}

bool relay_pool_has(const struct relay_pool *pool, uint16_t slot)
{
	for (size_t i = 0; i < pool->n; i++)
		if (pool->at[i].slot == slot)
			return true;
	return false;
}

/* The finalizer of MurmurHash3: FNV leaves neighbours of its last bytes too close to rank by. */
static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

uint16_t relay_choose(const struct relay_pool *pool, const char *a, const char *b)
{
	char pair[RENDEZVOUS_PAIR_ID_SIZE];
	uint16_t best = RELAY_NONE;
	uint64_t best_rank = 0;

	(void)rendezvous_pair_id(pair, rendezvous_pair_seed(a, b));
	for (size_t i = 0; i < pool->n; i++) {
		const char *key = pool->at[i].key_text;
		uint64_t rank = mix(rendezvous_hash(pair, key));

		if (strcmp(key, a) == 0 || strcmp(key, b) == 0)
			continue;
		if (best != RELAY_NONE && rank <= best_rank)
			continue;
		best = pool->at[i].slot;
		best_rank = rank;
	}
	return best;
}

uint16_t relay_choose_as_existing(const struct relay_pool *pool, const char *peer, const char *self)
{
	struct relay_pool others = { 0 };

	for (size_t i = 0; i < pool->n; i++)
		if (strcmp(pool->at[i].key_text, peer) != 0)
			others.at[others.n++] = pool->at[i];
	if (others.n == 0)
		return RELAY_NONE;
	return others.at[rendezvous_hash(peer, self) % others.n].slot;
}

uint16_t relay_slot(const struct relay_path *path)
{
	return path->is_relayed ? path->via : RELAY_NONE;
}

static void wake_at(int64_t *again_ms, int64_t at_ms)
{
	if (at_ms < *again_ms)
		*again_ms = at_ms;
}

/* The first second from @s on that @grid divides. */
static int64_t round_up(int64_t s, int64_t grid)
{
	return (s + grid - 1) / grid * grid;
}

/* Wakes at a second of the clock on the wall, or tells that it is there. */
static bool has_come(int64_t unix_s, struct now now, int64_t *again_ms)
{
	if (now.unix_s >= unix_s)
		return true;
	wake_at(again_ms, now.mono_ms + (unix_s - now.unix_s) * MS_PER_S - now.part_ms);
	return false;
}

/* The direct way is in use. */
static uint16_t leave_direct(struct relay_path *path, const struct relay_facts *f, struct now now,
			     int64_t *again_ms)
{
	if (f->has_tunnel) {
		path->alone_ms = 0;
		return RELAY_NONE;
	}
	if (path->alone_ms == 0)
		path->alone_ms = now.mono_ms;
	/* A tunnel that stood and fell was waited for already, until it counted as fallen. */
	if (f->handshake_s != 0 || now.mono_ms - path->alone_ms >= RELAY_PATIENCE_MS)
		return f->choice;
	wake_at(again_ms, path->alone_ms + RELAY_PATIENCE_MS);
	return RELAY_NONE;
}

static int64_t back_after_s(unsigned int relapses)
{
	int64_t s = RELAY_BACK_S;

	for (unsigned int i = 0; i < relapses && s < RELAY_BACK_MAX_S; i++)
		s *= 2;
	return s;
}

/* A relay is in use. */
static bool may_go_back(struct relay_path *path, const struct relay_facts *f, struct now now,
			int64_t *again_ms)
{
	int64_t moment;

	/* The handshake that did not keep us on the direct way does not lead back to it either. */
	if (!f->has_tunnel || f->handshake_s <= path->changed_s) {
		path->direct_s = 0;
		return false;
	}
	if (path->direct_s == 0)
		path->direct_s = f->handshake_s;
	moment = round_up(path->direct_s + back_after_s(path->relapses), RELAY_GRID_S);
	return has_come(moment, now, again_ms);
}

static uint16_t choose_again(const struct relay_path *path, const struct relay_facts *f,
			     struct now now, int64_t *again_ms)
{
	if (!f->is_via_good || f->choice == path->via)
		return f->choice;
	/* Both work. The other end has to see the same, and to move in the same second. */
	if (now.unix_s % RELAY_SWAP_S < RELAY_GRID_S)
		return f->choice;
	(void)has_come(round_up(now.unix_s, RELAY_SWAP_S), now, again_ms);
	return path->via;
}

uint16_t relay_decide(struct relay_path *path, const struct relay_facts *f, struct now now,
		      int64_t *again_ms)
{
	if (f->is_exempt || f->choice == RELAY_NONE)
		return RELAY_NONE;
	if (!f->is_forced && !path->is_relayed)
		return leave_direct(path, f, now, again_ms);
	if (!path->is_relayed)
		return f->choice;
	if (!f->is_forced && may_go_back(path, f, now, again_ms))
		return RELAY_NONE;
	return choose_again(path, f, now, again_ms);
}

void relay_take(struct relay_path *path, uint16_t via, struct now now)
{
	bool is_soon = path->changed_ms != 0 && now.mono_ms - path->changed_ms < RELAY_RELAPSE_MS;

	if (via == relay_slot(path))
		return;
	if (!path->is_relayed)
		path->relapses = is_soon ? path->relapses + 1 : 0;
	path->is_relayed = via != RELAY_NONE;
	path->via = path->is_relayed ? via : 0;
	path->changed_ms = now.mono_ms;
	path->changed_s = now.unix_s;
	path->direct_s = 0;
	path->alone_ms = 0;
}

bool relay_listen(struct relay_ear *ear, uint64_t rx, uint64_t tx, int64_t now_ms)
{
	if (ear->since_ms == 0 || rx != ear->rx || tx < ear->tx) {
		*ear = (struct relay_ear) { .rx = rx, .tx = tx, .since_ms = now_ms };
		return true;
	}
	return now_ms - ear->since_ms < RELAY_MUTE_MS || tx - ear->tx < RELAY_MUTE_BYTES;
}

/* SPDX-License-Identifier: MIT */
/* slotset - a set of rows of the peer table, a bit each: to walk it is sixteen looks at most; pure */
#ifndef DAEMON_PEERS_SLOTSET_H
#define DAEMON_PEERS_SLOTSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTSET_MAX  1024
#define SLOTSET_BITS 64

/**
 * struct slotset - Slots below SLOTSET_MAX; zero is the empty set
 */
struct slotset {
	uint64_t word[SLOTSET_MAX / SLOTSET_BITS];
};

static inline void slotset_add(struct slotset *s, size_t slot)
{
	s->word[slot / SLOTSET_BITS] |= UINT64_C(1) << slot % SLOTSET_BITS;
}

static inline void slotset_remove(struct slotset *s, size_t slot)
{
	s->word[slot / SLOTSET_BITS] &= ~(UINT64_C(1) << slot % SLOTSET_BITS);
}

static inline bool slotset_has(const struct slotset *s, size_t slot)
{
	return (s->word[slot / SLOTSET_BITS] >> slot % SLOTSET_BITS & 1) != 0;
}

/* The first slot from @from on that is in the set, or that is not; SLOTSET_MAX for none. */
static inline size_t slotset_find(const struct slotset *s, size_t from, bool in)
{
	uint64_t mask = ~UINT64_C(0) << from % SLOTSET_BITS;

	for (size_t i = from / SLOTSET_BITS; i < SLOTSET_MAX / SLOTSET_BITS; i++) {
		uint64_t bits = (in ? s->word[i] : ~s->word[i]) & mask;

		if (bits != 0)
			return i * SLOTSET_BITS + (size_t)__builtin_ctzll(bits);
		mask = ~UINT64_C(0);
	}
	return SLOTSET_MAX;
}

#endif /* DAEMON_PEERS_SLOTSET_H */

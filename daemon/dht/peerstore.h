/* SPDX-License-Identifier: MIT */
/*
 * peerstore - peers that others have announced to us, for those who ask (BEP 5); bounded; pure
 *
 * Existing nodes store nothing: without this, a DHT that is made only of a mesh's own nodes would not
 * bring any two of them together. A flood of announcements cannot grow it: one source may hold only a
 * few entries, and in a full store the entry that was announced longest ago makes room.
 */
#ifndef DAEMON_DHT_PEERSTORE_H
#define DAEMON_DHT_PEERSTORE_H

#include "daemon/dht/nodeid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEERSTORE_MAX	     2048
#define PEERSTORE_PER_SOURCE 32 /* one address, or one /64 of global ones */
#define PEERSTORE_PER_HASH   8	/* of these, of one infohash: nodes behind one address */
#define PEERSTORE_AGE_MS     (40 * 60 * 1000) /* announced every 15 minutes, two of them may get lost */

/**
 * struct peerstore - The store
 * @n:		Entries
 * @entry:	In no order
 */
struct peerstore {
	size_t n;
	struct stored_peer {
		struct nodeid infohash;
		struct endpoint at;
		int64_t announced_ms;
	} entry[PEERSTORE_MAX];
};

/**
 * peerstore_add() - Store a peer, or that it is still there
 * @s:		Store
 * @infohash:	What it is announced for
 * @at:		Where it is
 * @now_ms:	Monotonic milliseconds
 *
 * Return: false when its address holds as many entries as it may
 */
bool peerstore_add(struct peerstore *s, const struct nodeid *infohash, const struct endpoint *at,
		   int64_t now_ms);

/**
 * struct peerstore_query - What is asked for
 * @infohash:	Infohash; borrowed
 * @family:	Only of this family: the DHTs of IPv4 and IPv6 are apart (BEP 32)
 * @seed:	Random: where to begin, when there are more than there is room for
 */
struct peerstore_query {
	const struct nodeid *infohash;
	uint8_t family;
	uint32_t seed;
};

/**
 * peerstore_find() - Peers of an infohash
 * @s:		Store; what is too old is dropped
 * @q:		What is asked for
 * @out:	Receives them
 * @max:	Room in @out
 * @now_ms:	Monotonic milliseconds
 *
 * Return: how many
 */
size_t peerstore_find(struct peerstore *s, const struct peerstore_query *q, struct endpoint *out,
		      size_t max, int64_t now_ms);

#endif /* DAEMON_DHT_PEERSTORE_H */

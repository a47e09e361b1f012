/* SPDX-License-Identifier: MIT */
/*
 * relay - which peers are reached directly, and which through another node; pure
 *
 * A relay is an introducer whose kernel forwards from its tunnel to its tunnel. A peer is relayed
 * when nothing of a direct tunnel has come for a while, and goes back when a direct handshake has
 * stood for a while: its direct tunnel stays configured all the time, without addresses, so that
 * handshakes are tried.
 *
 * Both ends have to take the same way in the same moment, because WireGuard drops what comes from
 * another peer than the one it would answer through. So both compute the relay from the same
 * numbers, and both go back at the same second: that of the handshake, which both know, rounded up.
 */
#ifndef DAEMON_NAT_RELAY_H
#define DAEMON_NAT_RELAY_H

#include "daemon/clock.h"
#include "daemon/nat/rendezvous.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_NONE	  UINT16_MAX
#define RELAY_POOL_MAX	  64
#define RELAY_PATIENCE_MS 10000 /* for the first direct handshake */
#define RELAY_BACK_S	  20 /* a direct handshake stands for so long; twice that after each relapse */
#define RELAY_BACK_MAX_S  640
#define RELAY_RELAPSE_MS  600000 /* a direct way that fails within this time was a relapse */
#define RELAY_GRID_S	  5	 /* going back happens in seconds that this divides */
#define RELAY_SWAP_S	  60	 /* changing between two relays that both work, likewise */

/**
 * struct relay_pool - Who may relay, sorted by key
 */
struct relay_pool {
	size_t n;
	struct {
		char key_text[RENDEZVOUS_KEY_SIZE];
		uint16_t slot;
	} at[RELAY_POOL_MAX];
};

/**
 * relay_pool_add() - Add one; of more than RELAY_POOL_MAX the lowest keys stay
 */
void relay_pool_add(struct relay_pool *pool, const char *key_text, uint16_t slot);

bool relay_pool_has(const struct relay_pool *pool, uint16_t slot);

/**
 * relay_choose() - The relay between two of our own nodes, the same from both ends
 * @pool:	Who may relay
 * @a:		Key of one end
 * @b:		Key of the other
 *
 * Each pair ranks the relays by a hash, and takes the first. Two ends whose pools differ still
 * agree as long as both have the one that ranks first, and one that comes or goes moves only the
 * pairs that rank it first.
 *
 * Return: slot, or RELAY_NONE when the pool is empty or holds only the two themselves
 */
uint16_t relay_choose(const struct relay_pool *pool, const char *a, const char *b);

/**
 * relay_choose_as_existing() - The relay that an existing node chooses towards us
 * @pool:	Who may relay
 * @peer:	Key of the existing node
 * @self:	Our key
 *
 * Existing nodes hash their own key first, so that the two directions between them differ. Towards
 * them we take theirs, so that both directions share it.
 */
uint16_t relay_choose_as_existing(const struct relay_pool *pool, const char *peer,
				  const char *self);

/**
 * struct relay_path - How a peer is reached; all zero for the direct way, never tried yet
 * @is_relayed:	Through another node
 * @via:	Slot of that node
 * @relapses:	How often in a row the direct way has failed soon
 * @changed_ms:	When the way last changed, 0 for never
 * @changed_s:	The same as Unix time
 * @alone_ms:	Since when there has been no direct tunnel, 0 while there is one
 * @direct_s:	While relayed: Unix time of the handshake since which the direct tunnel stands, 0
 *		without
 */
struct relay_path {
	bool is_relayed;
	uint16_t via;
	unsigned int relapses;
	int64_t changed_ms;
	int64_t changed_s;
	int64_t alone_ms;
	int64_t direct_s;
};

/**
 * relay_slot() - Slot of the relay in use, RELAY_NONE for the direct way
 */
uint16_t relay_slot(const struct relay_path *path);

/**
 * struct relay_facts - What is known of a peer
 * @is_exempt:	It is not to be relayed: one of us is an introducer, it is on our LAN, or it is gone
 * @is_forced:	--force-relay
 * @has_tunnel:	Its direct tunnel stands
 * @handshake_s: Unix time of its last direct handshake, 0 for never
 * @choice:	The relay for it, RELAY_NONE without one
 * @is_via_good: The relay in use may still relay
 */
struct relay_facts {
	bool is_exempt;
	bool is_forced;
	bool has_tunnel;
	int64_t handshake_s;
	uint16_t choice;
	bool is_via_good;
};

/**
 * relay_decide() - Direct, or through whom?
 * @path:	State of the peer; its clocks are moved on, the way itself is left to
 *		relay_take()
 * @f:		What is known of it
 * @now:	Time
 * @again_ms:	Lowered to the monotonic time when the answer may differ by time alone
 *
 * Return: slot of the relay, RELAY_NONE for the direct way
 */
uint16_t relay_decide(struct relay_path *path, const struct relay_facts *f, struct now now,
		      int64_t *again_ms);

/**
 * relay_take() - The addresses have moved: @via is the way now
 */
void relay_take(struct relay_path *path, uint16_t via, struct now now);

/**
 * struct relay_ear - What the bytes of a tunnel tell of it; all zero before the first look
 * @rx:		Bytes received when they last grew
 * @tx:		Bytes sent then
 * @since_ms:	When that was, 0 for never looked
 */
struct relay_ear {
	uint64_t rx;
	uint64_t tx;
	int64_t since_ms;
};

#define RELAY_MUTE_MS	 20000
#define RELAY_MUTE_BYTES 444 /* three handshake initiations: WireGuard asks, and nobody answers */

/**
 * relay_listen() - Is anybody at the other end, although the last handshake is young?
 * @ear:	What was heard so far
 * @rx:		Bytes received by now
 * @tx:		Bytes sent by now
 * @now_ms:	Monotonic time
 *
 * An idle tunnel is silent for minutes, and both ends are fine. But a peer answers data within ten
 * seconds, and handshakes at once.
 *
 * Return: false when nothing came for RELAY_MUTE_MS although more than keepalives was sent
 */
bool relay_listen(struct relay_ear *ear, uint64_t rx, uint64_t tx, int64_t now_ms);

#endif /* DAEMON_NAT_RELAY_H */

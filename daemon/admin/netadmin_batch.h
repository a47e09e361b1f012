/* SPDX-License-Identifier: MIT */
/*
 * netadmin_batch - many peers in one message between the two processes, packed and checked; pure
 *
 * A change of a peer as the rest of the daemon holds it has room for every network it may ever have;
 * in a batch it takes what it has: about seventy bytes for most. Both processes are one program, so
 * numbers stay in the order of this machine.
 */
#ifndef DAEMON_ADMIN_NETADMIN_BATCH_H
#define DAEMON_ADMIN_NETADMIN_BATCH_H

#include "daemon/wg/wg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for nearly a thousand peers with two addresses each, and for the largest one there can be. */
#define NETADMIN_BATCH_SIZE 65536

/**
 * struct netadmin_batch - A message under construction, or one that came
 * @len:	Bytes of @msg in use, @msg.what included
 * @msg:	What is sent: what it is, then one item after another
 */
struct netadmin_batch {
	size_t len;
	union {
		uint32_t what;
		uint8_t bytes[NETADMIN_BATCH_SIZE];
	} msg;
};

/**
 * netadmin_batch_begin() - Make a batch empty
 * @b:		Batch
 * @what:	NETADMIN_PEERS, NETADMIN_PEER_STATES or NETADMIN_PEERS_FAILED (netadmin.h)
 */
void netadmin_batch_begin(struct netadmin_batch *b, uint32_t what);

/**
 * netadmin_batch_is_empty() - Has nothing been added since it was begun?
 */
bool netadmin_batch_is_empty(const struct netadmin_batch *b);

/**
 * netadmin_batch_put_change() / _put_state() / _put_key() - Add an item
 *
 * A preshared key is never sent: netadmin knows it.
 *
 * Return: false when it does not fit, and the batch is as it was; into an empty one all fit
 */
bool netadmin_batch_put_change(struct netadmin_batch *b, const struct wg_peer_config *change);
bool netadmin_batch_put_state(struct netadmin_batch *b, const struct wg_peer_state *state);
bool netadmin_batch_put_key(struct netadmin_batch *b, const struct wg_key *key);

/**
 * netadmin_batch_next_change() / _next_state() / _next_key() - Take the next item
 * @b:		Batch
 * @pos:	Where to go on; 0 at first
 * @out:	Receives the item; of a change, @psk is NULL
 *
 * Return: 1, 0 at the end, or -EPROTO for bytes that are no such item
 */
int netadmin_batch_next_change(const struct netadmin_batch *b, size_t *pos,
			       struct wg_peer_config *out);
int netadmin_batch_next_state(const struct netadmin_batch *b, size_t *pos,
			      struct wg_peer_state *out);
int netadmin_batch_next_key(const struct netadmin_batch *b, size_t *pos, struct wg_key *out);

#endif /* DAEMON_ADMIN_NETADMIN_BATCH_H */

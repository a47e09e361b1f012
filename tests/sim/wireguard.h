/* SPDX-License-Identifier: MIT */
/*
 * wireguard - the simulated WireGuard of a host: peers, handshakes, roaming
 *
 * Handshakes go through the simulated network. Two that cross each other spoil each other, as they do
 * with the real one; they are repeated after five seconds, renewed after two minutes.
 */
#ifndef TESTS_SIM_WIREGUARD_H
#define TESTS_SIM_WIREGUARD_H

#include "daemon/wg/wg.h"

#include <stdbool.h>
#include <stddef.h>

struct host;
struct wireguard;

struct wireguard *wireguard_new(struct host *h);
void wireguard_free(struct wireguard *wg);

/* What netadmin would do with it. */
void wireguard_apply(struct wireguard *wg, const struct wg_peer_config *c);

size_t wireguard_count(const struct wireguard *wg);

/* Calls @fn for each peer. */
void wireguard_dump(struct wireguard *wg, wg_peer_fn *fn, void *arg);

/* Is there a tunnel to the peer with this key, or was there one until @lapse_us ago? */
bool wireguard_has_tunnel(const struct wireguard *wg, const struct wg_key *key, int64_t lapse_us);

#endif /* TESTS_SIM_WIREGUARD_H */

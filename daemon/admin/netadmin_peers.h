/* SPDX-License-Identifier: MIT */
/* netadmin_peers - a batch of changes, and what becomes of it when WireGuard refuses one; pure */
#ifndef DAEMON_ADMIN_NETADMIN_PEERS_H
#define DAEMON_ADMIN_NETADMIN_PEERS_H

#include "common/err.h"
#include "daemon/admin/netadmin_batch.h"
#include "daemon/wg/wg.h"

/**
 * struct netadmin_applier - Who writes changes, and who hears of those that fail
 * @arg:	Passed to each call
 * @psk:	Preshared key of every peer; borrowed
 * @apply:	As wg_apply()
 * @refused:	One change failed; told of the first few only
 */
struct netadmin_applier {
	void *arg;
	const uint8_t *psk;
	int (*apply)(void *arg, const struct wg_changes *changes, struct err *e);
	void (*refused)(void *arg, const struct err *e);
};

/**
 * netadmin_apply_batch() - Write all changes of a batch
 * @in:		Batch that netadmin_check_peers() passed
 * @a:		Who writes them
 * @failed:	Receives the keys of those that could not be written; empty when all were
 *
 * A batch is written in as few messages as possible. When that fails, nobody knows which change it was,
 * and they are written one by one: a bad one keeps no other from being applied. When the interface
 * itself is gone, or hangs, the first failure stands for all.
 */
void netadmin_apply_batch(const struct netadmin_batch *in, const struct netadmin_applier *a,
			  struct netadmin_batch *failed);

#endif /* DAEMON_ADMIN_NETADMIN_PEERS_H */

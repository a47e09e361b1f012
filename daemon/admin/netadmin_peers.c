/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin_peers.h"
#include "daemon/admin/netadmin.h"

#include <errno.h>

#define REFUSALS_TOLD 4

/* The changes of a batch, one after another. */
struct changes {
	const struct netadmin_batch *in;
	const uint8_t *psk;
	size_t pos;
	struct wg_peer_config peer;
};

static const struct wg_peer_config *next_change(void *arg)
{
	struct changes *c = arg;

	if (netadmin_batch_next_change(c->in, &c->pos, &c->peer) <= 0)
		return NULL;
	if (c->peer.flags & WG_PEER_HAS_PSK)
		c->peer.psk = c->psk;
	return &c->peer;
}

/* Would every other change fail in the same way, perhaps after a long wait? */
static bool is_about_the_interface(int code)
{
	switch (-code) {
	case ENODEV:
	case ENOENT:
	case ENOMEM:
	case ENOBUFS:
	case EPERM:
	case ETIMEDOUT:
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
		return true;
	default:
		return false;
	}
}

static void tell(const struct netadmin_applier *a, const struct wg_key *key, const struct err *why)
{
	char text[45];
	struct err e = { 0 };

	(void)err_set(&e, why->code, "peer %s: %.300s", wg_key_format(text, key), why->msg);
	a->refused(a->arg, &e);
}

static void apply_one_by_one(struct changes *c, const struct netadmin_applier *a,
			     struct netadmin_batch *failed)
{
	struct err e = { 0 };
	size_t n_told = 0;

	c->pos = 0;
	while (next_change(c)) {
		struct wg_change_array array = { &c->peer, &c->peer + 1 };
		const struct wg_changes one = wg_changes_of(&array);

		if (!is_about_the_interface(e.code) && a->apply(a->arg, &one, &e) == 0)
			continue;
		(void)netadmin_batch_put_key(failed, &c->peer.key);
		if (n_told++ < REFUSALS_TOLD)
			tell(a, &c->peer.key, &e);
	}
}

void netadmin_apply_batch(const struct netadmin_batch *in, const struct netadmin_applier *a,
			  struct netadmin_batch *failed)
{
	struct changes c = { .in = in, .psk = a->psk };
	const struct wg_changes all = { .arg = &c, .next = next_change };
	struct err e = { 0 };

	netadmin_batch_begin(failed, NETADMIN_PEERS_FAILED);
	if (a->apply(a->arg, &all, &e) < 0)
		apply_one_by_one(&c, a, failed);
}

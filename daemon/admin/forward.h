/* SPDX-License-Identifier: MIT */
/* forward - let the kernel pass packets on between the mesh and networks, and undo that at the stop */
#ifndef DAEMON_ADMIN_FORWARD_H
#define DAEMON_ADMIN_FORWARD_H

#include "common/err.h"
#include "daemon/admin/forwardlog.h"
#include "daemon/net/rtnl.h"

#include <stdbool.h>
#include <stddef.h>

#define FORWARD_NETS_MAX  100
#define FORWARD_NOTES_MAX 4
#define FORWARD_NOTE_SIZE 400

/**
 * struct forward_want - What may be forwarded
 * @mesh:	Between peers: --introducer
 * @n:		Entries in @net
 * @net:	Networks behind this node, to and from which peers may: --forward
 */
struct forward_want {
	bool mesh;
	uint32_t n;
	struct prefix net[FORWARD_NETS_MAX];
};

/**
 * struct forward_found - What the kernel does now
 * @v4:		Forwards IPv4
 * @v6:		Forwards IPv6
 * @n_notes:	Entries in @note
 * @note:	What is not as it was asked for, each a sentence with the cure
 */
struct forward_found {
	bool v4;
	bool v6;
	uint32_t n_notes;
	char note[FORWARD_NOTES_MAX][FORWARD_NOTE_SIZE];
};

/**
 * struct forward - What has been switched, and where that is noted
 * @rtnl:	Borrowed
 * @dirfd:	State directory; borrowed
 * @ifname:	Our interface; borrowed
 * @ifindex:	Our interface
 * @has_ip6:	It has an IPv6 mesh address
 * @log:	What has been switched on
 */
struct forward {
	struct rtnl *rtnl;
	int dirfd;
	const char *ifname;
	int ifindex;
	bool has_ip6;
	struct forwardlog log;
};

/**
 * forward_begin() - Take over what an earlier run has left
 * @f:		All but @log is set
 * @was_adopted: Our interface is still that of the earlier run
 *
 * What was noted in another boot or network namespace is gone with that, and forgotten.
 */
void forward_begin(struct forward *f, bool was_adopted);

/**
 * forward_apply() - Forward what is wanted, and nothing more than that because of us
 * @f:		Begun
 * @want:	What may be forwarded; may be called again with something else
 * @out:	Receives what the kernel does
 */
void forward_apply(struct forward *f, const struct forward_want *want, struct forward_found *out);

/**
 * forward_undo() - Switch everything back that we have switched on
 */
void forward_undo(struct forward *f);

#endif /* DAEMON_ADMIN_FORWARD_H */

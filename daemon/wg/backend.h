/* SPDX-License-Identifier: MIT */
/* backend - what wg.c asks of an implementation of WireGuard; internal to daemon/wg */
#ifndef DAEMON_WG_BACKEND_H
#define DAEMON_WG_BACKEND_H

#include "common/err.h"
#include "daemon/net/rtnl.h"
#include "daemon/wg/wg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ifalias of every interface of ours. */
#define WG_TAG "wgmesh"

struct wg_impl;

/* The calls of wg.h; arguments have been checked by then. */
struct wg_ops {
	enum wg_backend backend;
	int (*set_device)(struct wg_impl *impl, const uint8_t *private_key, uint16_t listen_port,
			  struct err *e);
	int (*set_peers)(struct wg_impl *impl, const struct wg_changes *changes, struct err *e);
	int (*dump)(struct wg_impl *impl, struct wg_device_state *dev, wg_peer_fn *fn, void *arg,
		    struct err *e);
	void (*close)(struct wg_impl *impl);
};

/* The first member of each implementation's own struct. */
struct wg_impl {
	const struct wg_ops *ops;
};

/**
 * struct wg_found - What there is of an interface's name
 * @exists:	There is an interface
 * @is_ours:	Its alias is WG_TAG, or a start of ours was interrupted before it had one
 * @kind:	Its kind; borrowed
 * @answers:	A userspace implementation answers for it; looked at for tun links only
 */
struct wg_found {
	bool exists;
	bool is_ours;
	const char *kind;
	bool answers;
};

enum wg_plan {
	WG_PLAN_CREATE,
	WG_PLAN_ADOPT_KERNEL,
	WG_PLAN_ADOPT_USERSPACE,
	WG_PLAN_REPLACE, /* ours, but dead or of the other back end: delete, then create */
	WG_PLAN_REFUSE,	 /* somebody else's */
};

/**
 * wg_plan() - Decide what becomes of the interface that may be there; pure
 * @found:	What there is
 * @backend:	What the operator asked for
 */
enum wg_plan wg_plan(const struct wg_found *found, enum wg_backend backend);

/**
 * wg_kernel_open() - Attach to a kernel interface that exists
 * @out:	Receives the implementation, owned by the caller
 * @ifname:	Interface name
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int wg_kernel_open(struct wg_impl **out, const char *ifname, struct err *e);

/**
 * wg_user_attach() - Attach to a userspace implementation that runs
 * @out:	Receives the implementation, owned by the caller
 * @ifname:	Interface name
 * @e:		Receives the reason on failure
 *
 * Return: 0; -ENOENT or -ECONNREFUSED when nothing listens, -ETIMEDOUT when nothing answers, or
 *         another negative errno value
 */
int wg_user_attach(struct wg_impl **out, const char *ifname, struct err *e);

/**
 * wg_user_start() - Start a userspace implementation, and wait until it answers
 * @out:	Receives the implementation, owned by the caller
 * @rtnl:	To look for its interface and to tag it; borrowed
 * @ifname:	Interface name
 * @program:	A path, or a name for PATH
 * @e:		Receives the reason on failure
 *
 * Return: 0; -EOPNOTSUPP with exit code 69 when the system lacks what it needs; or another negative
 *         errno value, in which case no program and no interface of its making are left
 */
int wg_user_start(struct wg_impl **out, struct rtnl *rtnl, const char *ifname, const char *program,
		  struct err *e);

#endif /* DAEMON_WG_BACKEND_H */

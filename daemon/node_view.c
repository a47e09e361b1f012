/* SPDX-License-Identifier: MIT */
/*
 * DOC: Theory of operation
 *
 * A view is made when somebody asks, and only then netadmin is asked for a dump and PID 1 for its
 * lines: an idle node stays asleep. What the node knows by itself is filled in at any time.
 */
#include "daemon/node_impl.h"

#include <errno.h>
#include <string.h>

#define NETWORK_ID_SHOWN 8

static const char *identity_name(uint32_t origin)
{
	static const char *const names[] = {
		[IDENTITY_LOADED] = "loaded",
		[IDENTITY_RESTORED] = "restored",
		[IDENTITY_CREATED] = "created",
	};

	return names[origin];
}

/* What netadmin told when it was ready. */
static void fill_ready(const struct node *n, struct view *out)
{
	memcpy(out->pubkey, n->self.key_text, sizeof(out->pubkey));
	out->mesh_ip = n->ready.mesh_ip;
	out->mesh_ip6 = n->ready.mesh_ip6;
	out->backend = n->ready.backend == WG_BACKEND_KERNEL ? "kernel" : "userspace";
	out->was_adopted = n->ready.was_adopted;
	out->identity = identity_name(n->ready.origin);
	out->peers = n->peers;
}

static enum view_phase phase_of(const struct node *n)
{
	static const enum view_phase phases[] = { [NODE_STARTING] = VIEW_STARTING,
						  [NODE_RUNNING] = VIEW_RUNNING,
						  [NODE_STOPPING] = VIEW_STOPPING };

	return phases[n->phase];
}

static void fill(void *arg, struct view *out)
{
	struct node *n = arg;
	const struct config *c = n->cfg;

	memset(out, 0, sizeof(*out));
	out->phase = phase_of(n);
	out->now = clock_now();
	out->started_unix_s = n->began.unix_s;
	out->uptime_ms = out->now.mono_ms - n->began.mono_ms;
	out->hostname = c->hostname;
	out->ifname = c->ifname;
	out->mesh_subnet = c->has_custom_subnet ? c->custom_subnet : c->keys.subnet;
	crypto_hex(out->network_id, sizeof(out->network_id), c->keys.network_id, NETWORK_ID_SHOWN);
	out->gossip_port = c->keys.gossip_port;
	out->listen_port = c->listen_port;
	out->backend = "";
	out->identity = "";
	if (n->peers)
		fill_ready(n, out);
	out->counters = &n->counters;
}

static unsigned int begin(void *arg)
{
	struct node *n = arg;

	if (n->phase != NODE_RUNNING)
		return 0;
	node_request_dump(n);
	return GATHER_NETADMIN;
}

static void fresh(void *arg, struct view_waiter *w)
{
	struct node *n = arg;

	gather_ask(&n->gather, w);
}

static void cancel(void *arg, struct view_waiter *w)
{
	struct node *n = arg;

	gather_cancel(&n->gather, w);
}

static int set_log_levels(void *arg, const char *levels, struct err *e)
{
	(void)arg;
	(void)levels;
	return err_set(e, -ENOSYS, "log levels cannot be changed yet");
}

static int reload(void *arg, struct err *e)
{
	(void)arg;
	return err_set(e, -ENOSYS, "there is nothing to reload yet");
}

int node_view_init(struct node *n)
{
	const struct gather_handler h = { .arg = n, .begin = begin, .fill = fill };

	n->source = (struct view_source) {
		.arg = n,
		.now = fill,
		.fresh = fresh,
		.cancel = cancel,
		.set_log_levels = set_log_levels,
		.reload = reload,
	};
	return gather_open(&n->gather, n->base, &h);
}

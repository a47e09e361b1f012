/* SPDX-License-Identifier: MIT */
#include "daemon/node/node_impl.h"

#include <stdio.h>

static size_t count_found_by(struct peers *peers, enum peer_method method)
{
	size_t total = 0;

	for (const struct peer *p = peers_next(peers, NULL); p; p = peers_next(peers, p))
		total += p->methods & (unsigned int)method ? 1 : 0;
	return total;
}

/* What a layer has to say that is on, or why it is off. */
static void add(const struct node *n, struct view *out, enum peer_method method, bool is_on,
		const char *text)
{
	const char *name = peer_method_name(method);
	size_t found = n->peers ? count_found_by(n->peers, method) : 0;

	if (is_on)
		view_add_layer(out, name, true, "%s, %zu peer%s found so", text, found,
			       found == 1 ? "" : "s");
	else
		view_add_layer(out, name, false, "%s", text);
}

static void describe_lan(const struct node *n, struct view *out)
{
	bool is_on = n->lan || n->phase == NODE_STARTING;
	const char *why = "the socket could not be opened, see the log";

	if (n->cfg->no_lan)
		why = "by --no-lan-discovery";
	add(n, out, METHOD_LAN, is_on && !n->cfg->no_lan, is_on ? "multicast" : why);
}

static void describe_static(const struct node *n, struct view *out)
{
	size_t total = n->static_peers.n;
	char text[40];

	(void)snprintf(text, sizeof(text), "%zu address%s", total, total == 1 ? "" : "es");
	add(n, out, METHOD_STATIC, total > 0, total > 0 ? text : "no --peer is set");
}

static void describe_dns(const struct node *n, struct view *out)
{
	size_t total = n->dns_peers.n;
	char text[40];

	(void)snprintf(text, sizeof(text), "%zu name%s", total, total == 1 ? "" : "s");
	add(n, out, METHOD_DNS, total > 0, total > 0 ? text : "no --peer-dns is set");
}

void node_ways_describe(const struct node *n, struct view *out)
{
	describe_lan(n, out);
	describe_static(n, out);
	describe_dns(n, out);
}

void node_ways_start(struct node *n)
{
	node_ways_reload(n);
}

void node_ways_reload(struct node *n)
{
	for (size_t i = 0; i < n->static_peers.n; i++) {
		struct endpoint at = { n->static_peers.at[i].ip, n->static_peers.at[i].port };

		if (at.port == 0)
			at.port = n->cfg->keys.gossip_port;
		node_prospect(n, &at, METHOD_STATIC);
	}
}

void node_ways_stop(struct node *n)
{
	(void)n;
}

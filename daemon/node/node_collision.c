/* SPDX-License-Identifier: MIT */
/* Somebody else announces our mesh address. */
#include "common/log.h"
#include "daemon/node/node_impl.h"

#include <stdio.h>
#include <string.h>

/* The first address that nobody is known to have; 0 when all are taken. */
static unsigned int free_nonce(const struct node *n)
{
	const struct config *c = n->cfg;
	const struct prefix *custom = c->has_custom_subnet ? &c->custom_subnet : NULL;

	for (unsigned int nonce = 1; nonce <= COLLISION_NONCE_MAX; nonce++) {
		struct ip ip =
			derive_mesh_ip(&c->secret, &c->keys, custom, n->self.key_text, nonce);

		if (!ip_equal(&ip, &n->ready.mesh_ip) && !peers_has_ip(n->peers, &ip))
			return nonce;
	}
	return 0;
}

static void stay(struct node *n, const struct announcement *a, const char *why)
{
	char text[IP_TEXT_SIZE];
	char key[PEER_TEXT_SIZE];

	(void)snprintf(n->contested, sizeof(n->contested),
		       "%.64s (%.44s) announces this node's mesh address %s, and %s: look who that "
		       "is; whoever knows the secret can take an address",
		       a->self.hostname[0] != '\0' ? a->self.hostname : "a node without a name",
		       wg_key_format(key, &a->self.key), ip_format(text, &n->ready.mesh_ip), why);
	if (!n->collision.is_on)
		log_event(EVENT_ADDRESS_CONTESTED, NULL, "%s", n->contested);
	n->collision.is_on = true;
}

static void give_way(struct node *n, const struct announcement *a)
{
	struct netadmin_request req = { .op = NETADMIN_ADDRESS, .nonce = free_nonce(n) };
	char text[IP_TEXT_SIZE];

	if (req.nonce == 0) {
		collision_moved(&n->collision, false, clock_now().mono_ms);
		n->collision.claimed_ms = clock_now().mono_ms;
		stay(n, a, "all addresses that this node could take instead are taken, too");
		return;
	}
	log_event(EVENT_ADDRESS_COLLISION, LOG_FIELDS({ "host", a->self.hostname }),
		  "%.64s has the mesh address %s, too, and the lower key: this node takes another "
		  "address",
		  a->self.hostname, ip_format(text, &n->ready.mesh_ip));
	adminlink_send(n->admin, &req, -1);
}

void node_collision_heard(struct node *n, const struct announcement *a)
{
	char key[PEER_TEXT_SIZE];
	char text[IP_TEXT_SIZE];

	if (!ip_equal(&a->self.mesh_ip, &n->ready.mesh_ip))
		return;
	(void)wg_key_format(key, &a->self.key);
	switch (collision_judge(&n->collision, n->self.key_text, key, clock_now().mono_ms)) {
	case COLLISION_WAIT:
		break;
	case COLLISION_KEEP:
		log_event(
			EVENT_ADDRESS_COLLISION, LOG_FIELDS({ "host", a->self.hostname }),
			"%.64s has this node's mesh address %s, too, but the higher key: it has to "
			"take another one; an existing node does not, and needs a new identity",
			a->self.hostname, ip_format(text, &n->ready.mesh_ip));
		break;
	case COLLISION_MOVE:
		give_way(n, a);
		break;
	case COLLISION_STAY:
		stay(n, a, "this node has given way often enough");
		break;
	}
}

/* Did a person name this very address for health and metrics? Nothing listens there once it is gone. */
static bool is_served_at(const struct node *n, const struct ip *ip)
{
	const struct http_addresses *http = &n->cfg->http;

	for (size_t i = 0; i < http->n; i++)
		if (http->list[i].path[0] == '\0' && !http->list[i].is_any &&
		    ip_equal(&http->list[i].at.ip, ip))
			return true;
	return false;
}

void node_collision_moved(struct node *n, const struct ip *mesh_ip, const struct err *e)
{
	char text[IP_TEXT_SIZE];
	bool is_served;

	collision_moved(&n->collision, e->code == 0, clock_now().mono_ms);
	if (e->code != 0) {
		log_event(EVENT_NETADMIN_FAILED, NULL,
			  "this node keeps its mesh address, which another one has, too: %s: %s",
			  e->msg, strerror(-e->code));
		node_routes_restore(n);
		return;
	}
	is_served = is_served_at(n, &n->ready.mesh_ip);
	n->ready.mesh_ip = *mesh_ip;
	log_event(EVENT_ADDRESS_MOVED, LOG_FIELDS({ "mesh_ip", ip_format(text, mesh_ip) }),
		  "this node has the mesh address %s now, and keeps it%s", text,
		  is_served ? "; --http or --metrics names the old one, where nobody answers any "
			      "more: name the new one"
			    : "");
	peers_claim(n->peers, &n->ready.mesh_ip, &n->ready.mesh_ip6);
	node_layers_moved(n);
	lan_announce(n->lan);
	node_peers_greet(n);
	node_peers_flush(n);
	node_notify_changed(n);
}

/* SPDX-License-Identifier: MIT */
/*
 * dht - find members by the mainline DHT, and be found: dhtcore.h on a socket, in the node's loop
 *
 * Optional: without a network it tries again, with pauses up to a minute, for ever.
 */
#ifndef DAEMON_DHT_DHT_H
#define DAEMON_DHT_DHT_H

#include "common/err.h"
#include "daemon/dht/dhtcore.h"
#include "daemon/net/hostport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dht;
struct event_base;
struct resolver;

/**
 * struct dht_handler - Who is told
 * @arg:	Passed to each call
 * @found:	A member may be at this address
 * @count_peers: How many peers are there?
 * @joined:	Somebody is in the table now, or nobody is any more; @why is the last thing that went
 *		wrong, NULL for nothing in particular
 */
struct dht_handler {
	void *arg;
	void (*found)(void *arg, const struct endpoint *at);
	unsigned int (*count_peers)(void *arg);
	void (*joined)(void *arg, bool is_joined, const char *why);
};

/**
 * struct dht_config - What it is told
 * @port:	UDP port to listen on, if it is free; 0 for any
 * @announced:	Port of the exchange, under which the node is announced
 * @secret:	Mesh secret; borrowed for good
 * @no_ipv6:	IPv4 only
 * @bootstrap:	Where to begin; none: the public routers; borrowed for good
 * @avoid:	Networks of the mesh
 * @n_avoid:	Entries in @avoid
 * @resolver:	For names; NULL leaves them out; borrowed for good
 * @handler:	Who is told; copied
 */
struct dht_config {
	uint16_t port;
	uint16_t announced;
	const struct secret *secret;
	bool no_ipv6;
	const struct hostports *bootstrap;
	struct prefix avoid[DHTCORE_AVOID_MAX];
	size_t n_avoid;
	struct resolver *resolver;
	struct dht_handler handler;
};

/**
 * struct dht_seeds - Nodes to begin with
 * @n:		Entries in @node
 * @node:	Nodes; borrowed
 */
struct dht_seeds {
	size_t n;
	const struct krpc_node *node;
};

/**
 * dht_open() - Begin
 * @out:	Receives the handle, to be closed with dht_close()
 * @base:	Event loop; borrowed
 * @cfg:	Configuration; copied
 * @seeds:	Nodes of the last run; borrowed for the call
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int dht_open(struct dht **out, struct event_base *base, const struct dht_config *cfg,
	     const struct dht_seeds *seeds, struct err *e);

/**
 * dht_close() - End; NULL is harmless
 */
void dht_close(struct dht *d);

/**
 * dht_save() - Nodes for the next run; see dhtcore_save()
 */
size_t dht_save(const struct dht *d, struct krpc_node *out, size_t max);

/**
 * dht_status() - How it is
 */
void dht_status(const struct dht *d, struct dhtcore_status *out);

#endif /* DAEMON_DHT_DHT_H */

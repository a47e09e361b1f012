/* SPDX-License-Identifier: MIT */
/*
 * dhtcore - a node of the mainline DHT without a socket and without a clock; pure
 *
 * Datagrams, names' addresses and the time come in; datagrams, addresses of members and the wish for
 * names' addresses go out, by the calls of struct dhtcore_ops. dht.h puts it onto a socket; tests put
 * twenty of them onto a network of their own.
 *
 * It joins the DHT by a random target, asks for the ids of this hour and the one before, announces this
 * node under both, and answers everybody who asks, so that a DHT which is made of nothing but a mesh's
 * own nodes works too. All that it remembers has a fixed size, and what it sends has a rate.
 */
#ifndef DAEMON_DHT_DHTCORE_H
#define DAEMON_DHT_DHTCORE_H

#include "daemon/clock.h"
#include "daemon/dht/krpc.h"
#include "daemon/net/addr.h"
#include "daemon/wire/derive.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHTCORE_AVOID_MAX    2
#define DHTCORE_OUT_PER_S    25 /* queries, as existing nodes have it */
#define DHTCORE_OUT_BURST    25
#define DHTCORE_ANSWER_PER_S 100
#define DHTCORE_ANSWER_BURST 200

struct dhtcore;

/**
 * struct dhtcore_ops - What surrounds it
 * @arg:	Passed to each call
 * @send:	Send a datagram; returns 0 or a negative errno value
 * @found:	A member may be at this address; it is not told of more often than found.h says
 * @count_peers: How many peers are there?
 * @want_routers: Addresses are needed to begin with: dhtcore_router(), now or later
 * @random:	Fill with random bytes
 */
struct dhtcore_ops {
	void *arg;
	int (*send)(void *arg, const struct endpoint *to, const void *buf, size_t len);
	void (*found)(void *arg, const struct endpoint *at);
	unsigned int (*count_peers)(void *arg);
	void (*want_routers)(void *arg);
	void (*random)(void *arg, void *buf, size_t len);
};

/**
 * struct dhtcore_config - What it is told
 * @ops:	What surrounds it; copied
 * @secret:	Mesh secret, of which the hourly ids are made; borrowed for good
 * @port:	Port of the exchange, under which we are announced
 * @no_ipv6:	IPv4 only
 * @n_avoid:	Entries in @avoid
 * @avoid:	Networks in which there is no DHT: those of the mesh
 */
struct dhtcore_config {
	struct dhtcore_ops ops;
	const struct secret *secret;
	uint16_t port;
	bool no_ipv6;
	size_t n_avoid;
	struct prefix avoid[DHTCORE_AVOID_MAX];
};

enum dhtcore_family { DHT_IPV4, DHT_IPV6, DHT_FAMILIES };

/* What became of a message. */
enum dhtcore_fate {
	DHT_IN_QUERY,	     /* answered */
	DHT_IN_RESPONSE,     /* to a query of ours */
	DHT_IN_ERROR,	     /* the same, and it says that something was wrong */
	DHT_IN_UNASKED,	     /* a response to nothing that we asked there */
	DHT_IN_INVALID,	     /* no message, or one that cannot be */
	DHT_IN_RATE_LIMITED, /* its sender, or all together, send too much */
	DHT_OUT_QUERY,
	DHT_OUT_RESPONSE,
	DHT_OUT_ERROR,
	DHT_OUT_UNSENT, /* the network took none */
	DHT_FATES,
};

/* "query", "response", "error", "unasked", "invalid", "rate_limited", "unsent" */
const char *dhtcore_fate_name(enum dhtcore_fate fate);

/* "in" or "out" */
const char *dhtcore_fate_direction(enum dhtcore_fate fate);

/**
 * struct dhtcore_status - How it is
 * @nodes:	Good nodes in the table, by family
 * @is_announced: We have been announced lately, by family
 * @announced:	Nodes that took the last announcement, by family
 * @stored:	Announcements of others that are kept here
 * @fates:	Messages since the start
 */
struct dhtcore_status {
	size_t nodes[DHT_FAMILIES];
	bool is_announced[DHT_FAMILIES];
	unsigned int announced[DHT_FAMILIES];
	size_t stored;
	uint64_t fates[DHT_FATES];
};

/**
 * dhtcore_new() - Make one
 * @cfg:	Configuration; copied
 * @now:	Time
 *
 * Return: to be freed with dhtcore_free(); NULL without memory
 */
struct dhtcore *dhtcore_new(const struct dhtcore_config *cfg, struct now now);
void dhtcore_free(struct dhtcore *c);

/**
 * dhtcore_load() - Nodes of the last run, to begin with
 */
void dhtcore_load(struct dhtcore *c, const struct krpc_node *nodes, size_t n);

/**
 * dhtcore_save() - Nodes for the next run
 * @c:		DHT
 * @out:	Receives them
 * @max:	Room in @out
 *
 * Return: how many; 0 when nothing is worth keeping
 */
size_t dhtcore_save(const struct dhtcore *c, struct krpc_node *out, size_t max);

/**
 * dhtcore_router() - A node to begin with, whose id is not known
 */
void dhtcore_router(struct dhtcore *c, const struct endpoint *at, struct now now);

/**
 * dhtcore_receive() - A datagram came
 * @c:		DHT
 * @buf:	Datagram; borrowed
 * @len:	Bytes in @buf
 * @from:	Where it came from
 * @now:	Time
 */
void dhtcore_receive(struct dhtcore *c, const void *buf, size_t len, const struct endpoint *from,
		     struct now now);

/**
 * dhtcore_run() - Do what is due
 *
 * Return: when to call it again, in monotonic milliseconds; sooner when something came
 */
int64_t dhtcore_run(struct dhtcore *c, struct now now);

/**
 * dhtcore_is_own() - Is this where others see us?
 */
bool dhtcore_is_own(const struct dhtcore *c, const struct endpoint *at);

void dhtcore_status(const struct dhtcore *c, struct now now, struct dhtcore_status *out);

#endif /* DAEMON_DHT_DHTCORE_H */

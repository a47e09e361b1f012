/* SPDX-License-Identifier: MIT */
/*
 * world - the hosts of a simulation, and the node that each of them runs
 *
 * The node's own code runs unchanged, all nodes in one process. What it would ask of libevent, the
 * kernel and netadmin is answered by the fakes beside this file; they find out on whose behalf they are
 * called by world()->current.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "daemon/config.h"
#include "daemon/node/node_impl.h"
#include "tests/sim/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_HOSTS_MAX 1200
#define WORLD_EPOCH_S	INT64_C(1790000000) /* Unix time at the beginning */
#define WORLD_WG_PORT	51820

struct adminlink;
struct socket;
struct wireguard;

/**
 * struct tally - What a host did since it was last set to zero
 * @sent:	Datagrams of the discovery layers
 * @sent_bytes:	In them, without headers
 * @received:	Datagrams its sockets took
 * @overrun:	Datagrams its sockets had no room for
 * @longest:	Bytes of the longest datagram it sent
 * @turns:	Callbacks of its event loop
 * @requests:	To netadmin that change something
 * @changes:	Peers changed by them
 */
struct tally {
	uint64_t sent;
	uint64_t sent_bytes;
	uint64_t received;
	uint64_t overrun;
	size_t longest;
	uint64_t turns;
	uint64_t requests;
	uint64_t changes;
};

/**
 * struct host - A machine with an address, and mostly a node
 * @number:	Index in the world
 * @address:	Number of its address: see world_ip()
 * @side:	Hosts of different sides do not hear each other
 * @node:	NULL while it does not run
 * @cfg:	Of its node; borrowed
 * @notify:	Nobody
 * @private_key, @key: Its identity, which outlives its node
 * @mesh_ip, @mesh_ip6: As saved with the identity
 * @cache:	The peer cache it saved last
 * @cache_len:	Bytes in @cache
 * @reload:	What its INTERFACE.reload says, NULL while there is none
 * @n_routes:	In its kernel
 * @base:	Of its node
 * @admin:	Its netadmin and WireGuard
 * @sockets:	Open ones
 * @busy_us:	Its processor works until then
 * @tally:	Counted
 * @began_us:	When its node was started
 * @done_us:	When it had everybody, -1 while it has not
 * @ending:	Frees a node that has ended by itself
 */
struct host {
	unsigned int number;
	unsigned int address;
	unsigned int side;
	struct node *node;
	struct config *cfg;
	struct notify notify;
	uint8_t private_key[CRYPTO_KEY_LEN];
	struct wg_key key;
	struct ip mesh_ip;
	struct ip mesh_ip6;
	char *cache;
	size_t cache_len;
	char *reload;
	int n_routes;
	struct event_base *base;
	struct adminlink *admin;
	struct socket *sockets;
	int64_t busy_us;
	struct tally tally;
	int64_t began_us;
	int64_t done_us;
	struct item ending;
};

/**
 * struct world - All of it
 * @n:		Hosts in use
 * @hosts:	They
 * @current:	On whose behalf code runs; NULL for the simulation itself
 * @no_lan:	Nodes run with --no-lan-discovery
 * @secret, @keys: Of the one mesh
 */
struct world {
	size_t n;
	struct host *hosts;
	struct host *current;
	bool no_lan;
	struct secret secret;
	struct mesh_keys keys;
};

struct world *world(void);

/* A world of @n hosts without nodes; everything in it follows from @seed. */
void world_make(size_t n, uint64_t seed);
void world_free(void);

/* Starts a host's node; with its cache, when it has one and @with_cache. */
void world_start(struct host *h, bool with_cache);
/* Ends it as a crash of the machine does: nothing is said, and the interface is gone. */
void world_kill(struct host *h);
/* Ends it as SIGTERM does. */
void world_stop(struct host *h);
/* Writes its INTERFACE.reload, and tells it so. */
void world_reload(struct host *h, const char *text);
/* Gives it an address that nobody had. */
void world_move(struct host *h);

/* The address with that number. */
struct ip world_ip(unsigned int address);
/* Who has it, NULL for nobody. */
struct host *world_host_at(const struct ip *ip);
struct host *world_host_of_key(const struct wg_key *key);
/* Its WireGuard, NULL while it has none. */
struct wireguard *world_wireguard(const struct host *h);

/* Lets time pass. */
void world_run_until(int64_t end_us);

/* Returns @p; ends the program when there was no memory. */
void *world_keep(void *p);

/* A number below @bound that follows from the seed, and is not one that nodes draw from. */
uint64_t world_random(uint64_t bound);

/* Set the host on whose behalf the code that follows runs; returns the one before. */
struct host *world_enter(struct host *h);

#endif /* TESTS_SIM_WORLD_H */

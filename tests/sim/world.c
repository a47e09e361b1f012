/* SPDX-License-Identifier: MIT */
#include "tests/sim/world.h"
#include "common/log.h"
#include "tests/sim/network.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 60000
#define KEY_BUCKETS   4096
#define PER_BLOCK     250

static const char secret[] = "wgmesh://v1/a-secret-for-a-mesh-that-exists-only-in-this-process";

static struct {
	uint64_t network;
	uint64_t nodes;
	unsigned int next_address;
	struct host *by_address[ADDRESSES_MAX];
	struct host *by_key[KEY_BUCKETS][8];
	struct config *configs; /* a host's each */
} own;

struct world *world(void)
{
	static struct world one;

	return &one;
}

void *world_keep(void *p)
{
	if (p)
		return p;
	(void)fputs("sim: out of memory\n", stderr);
	exit(1);
}

/* --- randomness -------------------------------------------------------------------------------- */

/* splitmix64. */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t world_random(uint64_t bound)
{
	return draw(&own.network) % bound;
}

static const char *generator_name(void)
{
	return "seeded";
}

static void node_random(void *buf, size_t len)
{
	uint8_t *out = buf;

	for (size_t done = 0; done < len; done += sizeof(uint64_t)) {
		uint64_t z = draw(&own.nodes);

		memcpy(out + done, &z, len - done < sizeof(z) ? len - done : sizeof(z));
	}
}

static uint32_t node_random_word(void)
{
	return (uint32_t)draw(&own.nodes);
}

static void seed_all(uint64_t seed)
{
	static randombytes_implementation generator = { .implementation_name = generator_name,
							.random = node_random_word,
							.buf = node_random };

	(void)randombytes_set_implementation(&generator);
	/* The first time, it draws something for itself. */
	(void)crypto_init();
	own.network = seed ^ UINT64_C(0x6e6574776f726b);
	own.nodes = seed;
}

/* --- who is where ------------------------------------------------------------------------------ */

struct ip world_ip(unsigned int address)
{
	/* A LAN has private addresses, the internet public ones. */
	const uint8_t net[2] = { world()->no_lan ? 20 : 192, world()->no_lan ? 20 : 168 };

	return (struct ip) { .family = AF_INET,
			     .b = { net[0], net[1], (uint8_t)(address / PER_BLOCK),
				    (uint8_t)(address % PER_BLOCK + 1) } };
}

struct host *world_host_at(const struct ip *ip)
{
	unsigned int address = (unsigned int)ip->b[2] * PER_BLOCK + ip->b[3] - 1U;
	struct ip same;

	if (ip->family != AF_INET || ip->b[3] == 0 || address >= own.next_address)
		return NULL;
	same = world_ip(address);
	return ip_equal(ip, &same) ? own.by_address[address] : NULL;
}

static size_t key_bucket(const struct wg_key *key)
{
	return ((size_t)key->b[0] | (size_t)key->b[1] << 8) % KEY_BUCKETS;
}

struct host *world_host_of_key(const struct wg_key *key)
{
	struct host **bucket = own.by_key[key_bucket(key)];

	for (; *bucket; bucket++)
		if (memcmp(&(*bucket)->key, key, sizeof(*key)) == 0)
			return *bucket;
	return NULL;
}

void world_move(struct host *h)
{
	own.by_address[h->address] = NULL;
	h->address = own.next_address++;
	own.by_address[h->address] = h;
}

struct host *world_enter(struct host *h)
{
	struct host *outer = world()->current;

	world()->current = h;
	return outer;
}

/* --- making ------------------------------------------------------------------------------------ */

static void on_ending(struct item *i)
{
	struct host *h = (struct host *)(void *)((char *)i - offsetof(struct host, ending));

	world_kill(h);
}

static void configure(struct host *h)
{
	struct config *c = &own.configs[h->number];

	c->secret = world()->secret;
	c->keys = world()->keys;
	c->state_dir = "/nonexistent";
	c->ifname = "wg0";
	c->wireguard_go = "wireguard-go";
	c->listen_port = WORLD_WG_PORT;
	(void)snprintf(c->hostname, sizeof(c->hostname), "node-%04u", h->number);
	c->no_dht = true;
	c->no_stun = true;
	c->no_lan = world()->no_lan;
	h->cfg = c;
}

static void make_host(struct host *h, unsigned int number)
{
	struct host **bucket;
	char text[PEER_TEXT_SIZE];

	h->number = number;
	h->address = own.next_address++;
	own.by_address[h->address] = h;
	h->notify.fd = -1;
	h->done_us = -1;
	h->ending.fire = on_ending;
	crypto_wg_keypair(h->private_key, h->key.b);
	for (bucket = own.by_key[key_bucket(&h->key)]; *bucket; bucket++)
		;
	*bucket = h;
	(void)wg_key_format(text, &h->key);
	h->mesh_ip = derive_mesh_ip(&world()->secret, &world()->keys, NULL, text, 0);
	h->mesh_ip6 = derive_mesh_ip6(&world()->secret, &world()->keys, text);
	configure(h);
}

void world_make(size_t n, uint64_t seed)
{
	struct err e = { 0 };

	memset(&own, 0, sizeof(own));
	queue_reset();
	seed_all(seed);
	(void)secret_parse(&world()->secret, secret, strlen(secret), &e);
	derive_keys(&world()->keys, &world()->secret);
	world()->hosts = world_keep(calloc(n, sizeof(*world()->hosts)));
	own.configs = world_keep(calloc(n, sizeof(*own.configs)));
	world()->n = n;
	for (size_t i = 0; i < n; i++)
		make_host(&world()->hosts[i], (unsigned int)i);
}

void world_free(void)
{
	for (size_t i = 0; i < world()->n; i++)
		world_kill(&world()->hosts[i]);
	/* What is on the way arrives nowhere now. */
	queue_free();
	for (size_t i = 0; i < world()->n; i++) {
		free(world()->hosts[i].cache);
		free(world()->hosts[i].reload);
	}
	free(own.configs);
	own.configs = NULL;
	free(world()->hosts);
	world()->hosts = NULL;
	world()->n = 0;
	network_free();
}

/* --- running ----------------------------------------------------------------------------------- */

void world_start(struct host *h, bool with_cache)
{
	struct host *outer = world_enter(h);
	struct err e = { 0 };

	if (!with_cache) {
		free(h->cache);
		h->cache = NULL;
	}
	h->node = world_keep(calloc(1, sizeof(*h->node)));
	h->began_us = queue_now_us();
	h->done_us = -1;
	h->busy_us = 0;
	if (node_open(h->node, h->cfg, &h->notify, &e) < 0) {
		(void)fprintf(stderr, "sim: node %u: %s\n", h->number, e.msg);
		exit(1);
	}
	(void)world_enter(outer);
}

void world_kill(struct host *h)
{
	struct host *outer = world_enter(h);

	queue_drop(&h->ending);
	if (h->node)
		node_close(h->node);
	free(h->node);
	h->node = NULL;
	(void)world_enter(outer);
}

void world_run_until(int64_t end_us)
{
	while (queue_step(end_us))
		;
}

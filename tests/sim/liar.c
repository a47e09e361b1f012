/* SPDX-License-Identifier: MIT */
#include "tests/sim/liar.h"
#include "common/str.h"
#include "daemon/wire/announce.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <string.h>

#define ROUND_US   (100 * MS) /* ten datagrams a second for everybody: what is listened to */
#define KNOWN_MAX  200
#define PLAIN_SIZE 60000

static struct {
	struct host *host;
	struct item turn;
	unsigned int n_turns;
} liar;

/* --- what he says -------------------------------------------------------------------------------- */

static struct wg_key made_up_key(void)
{
	struct wg_key key;

	for (size_t i = 0; i < sizeof(key.b); i++)
		key.b[i] = (uint8_t)world_random(256);
	return key;
}

/* Somebody who does not exist, at the address of somebody who does. */
static struct known_peer made_up(const struct host *victim)
{
	struct known_peer p = { .key = made_up_key(), .mesh_ip = victim->mesh_ip };
	char text[IP_TEXT_SIZE];
	struct ip at = world_ip(victim->address);

	(void)str_copy(p.hostname, sizeof(p.hostname), "nobody");
	(void)snprintf(p.endpoint, sizeof(p.endpoint), "%s:%d", ip_format(text, &at),
		       WORLD_WG_PORT);
	return p;
}

static void announce(const struct host *to, enum message_type type, struct announcement *a)
{
	static char plain[PLAIN_SIZE];
	static char datagram[ENVELOPE_DATAGRAM_MAX];
	const struct endpoint at = { world_ip(to->address), world()->keys.gossip_port };
	uint8_t nonce[CRYPTO_NONCE_LEN] = { 0 };
	uint64_t random = world_random(UINT64_MAX);
	long len;

	a->timestamp = WORLD_EPOCH_S + queue_now_us() / S;
	len = announce_format(plain, sizeof(plain), a);
	memcpy(nonce, &random, sizeof(random));
	if (len > 0)
		len = envelope_seal(datagram, sizeof(datagram), type, plain, (size_t)len, nonce,
				    world()->keys.gossip_key);
	if (len > 0)
		network_send(liar.host, at.port, datagram, (size_t)len, &at);
}

/* New members at each turn, with the mesh address of whom he tells, and with all networks. */
static void crowd(const struct host *to, const struct host *other)
{
	struct announcement a = { .self = made_up(other), .n_routes = 3 };

	(void)str_copy(a.self.endpoint, sizeof(a.self.endpoint), "0.0.0.0:9");
	(void)prefix_parse(&a.routes[0], "0.0.0.0/0");
	(void)prefix_parse(&a.routes[1], "192.168.0.0/16");
	a.routes[2] = world()->keys.subnet;
	announce(to, MESSAGE_HELLO, &a);
}

static void flood_known(const struct host *to)
{
	static struct known_peer list[KNOWN_MAX];
	struct announcement a = { .self = made_up(to), .known = list, .n_known = KNOWN_MAX };

	for (size_t i = 0; i < KNOWN_MAX; i++)
		list[i] = made_up(&world()->hosts[world_random(world()->n)]);
	a.self.key = liar.host->key;
	announce(to, MESSAGE_HELLO, &a);
}

static void flood_pex(const struct host *to)
{
	struct announcement a = { .self = made_up(to) };

	a.self.key = liar.host->key;
	for (a.pex.n = 0; a.pex.n < PEX_MAX; a.pex.n++) {
		const struct host *victim = &world()->hosts[world_random(world()->n)];

		a.pex.record[a.pex.n] =
			(struct pex_record) { .prefix = (uint32_t)world_random(UINT32_MAX),
					      .at = { world_ip(victim->address),
						      (uint16_t)(1 + world_random(65535)) } };
	}
	announce(to, MESSAGE_HELLO, &a);
}

static void say_goodbye_for(const struct host *to, const struct host *other)
{
	const struct endpoint at = { world_ip(to->address), world()->keys.gossip_port };
	uint8_t nonce[CRYPTO_NONCE_LEN] = { 1 };
	uint64_t random = world_random(UINT64_MAX);
	char plain[256];
	char datagram[512];
	long len = goodbye_format(plain, sizeof(plain), &other->key,
				  WORLD_EPOCH_S + queue_now_us() / S);

	memcpy(&nonce[1], &random, sizeof(random));
	len = envelope_seal(datagram, sizeof(datagram), MESSAGE_GOODBYE, plain, (size_t)len, nonce,
			    world()->keys.gossip_key);
	network_send(liar.host, at.port, datagram, (size_t)len, &at);
}

/* An answer that nobody asked for, with an address that is not theirs. */
static void answer_unasked(const struct host *to, const struct host *other)
{
	struct announcement a = { .self = made_up(other) };

	a.observed = (struct endpoint) { world_ip(other->address), 1 };
	announce(to, MESSAGE_REPLY, &a);
}

static void send_noise(const struct host *to)
{
	const struct endpoint at = { world_ip(to->address), world()->keys.gossip_port };
	uint8_t noise[200];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)world_random(256);
	network_send(liar.host, at.port, noise, sizeof(noise), &at);
}

static void lie_to(const struct host *to)
{
	const struct host *other = &world()->hosts[world_random(world()->n)];

	switch (liar.n_turns % 6) {
	case 0:
		crowd(to, other);
		break;
	case 1:
		flood_known(to);
		break;
	case 2:
		flood_pex(to);
		break;
	case 3:
		say_goodbye_for(to, other);
		break;
	case 4:
		answer_unasked(to, other);
		break;
	default:
		send_noise(to);
		break;
	}
}

static void on_turn(struct item *i)
{
	liar.n_turns++;
	for (size_t k = 0; k < world()->n; k++)
		if (world()->hosts[k].node)
			lie_to(&world()->hosts[k]);
	queue_put(i, queue_now_us() + ROUND_US);
}

void liar_begin(struct host *h)
{
	liar.host = h;
	liar.n_turns = 0;
	liar.turn = (struct item) { .fire = on_turn };
	queue_put(&liar.turn, 0);
}

void liar_end(void)
{
	queue_drop(&liar.turn);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/state/livecheck.h"
#include "common/defs.h"
#include "daemon/clock.h"
#include "daemon/discovery/discovery.h"
#include "daemon/envelope.h"
#include "daemon/net/udp.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOODBYE_MAX 512

/* When HELLOs go out: peers tell some of those they know, and others of them the next time. */
static const int64_t rounds_ms[] = { 0, 400, 1200, 3000 };

/**
 * struct probe - A check under way
 * @q:		What is asked
 * @out:	What was heard
 * @self:	The node that we pretend to be
 * @group:	Listens to the LAN; fd -1 where that cannot be
 * @direct:	Asks peers; fd -1 where that cannot be
 * @n_rounds:	Rounds of HELLOs that went out
 * @buf:	A datagram
 */
struct probe {
	const struct livecheck *q;
	struct livecheck_result *out;
	struct known_peer self;
	struct udp group;
	struct udp direct;
	size_t n_rounds;
	char buf[ENVELOPE_DATAGRAM_MAX];
};

void livecheck_judge(struct livecheck_result *out, const struct wg_key *wanted,
		     const struct announcement *a, const struct endpoint *from)
{
	char text[ENDPOINT_TEXT_SIZE];
	char ip[IP_TEXT_SIZE];

	out->n_heard++;
	if (out->is_live)
		return;
	if (memcmp(&a->self.key, wanted, sizeof(*wanted)) == 0) {
		out->is_live = true;
		(void)snprintf(out->where, sizeof(out->where), "%.60s announces it from %s",
			       a->self.hostname[0] ? a->self.hostname : "a node",
			       ip_format(ip, &from->ip));
		return;
	}
	for (size_t i = 0; i < a->n_known && !out->is_live; i++) {
		if (memcmp(&a->known[i].key, wanted, sizeof(*wanted)) != 0)
			continue;
		out->is_live = true;
		(void)snprintf(out->where, sizeof(out->where),
			       "%.40s (%s) has heard of it within minutes, at %.60s",
			       a->self.hostname[0] ? a->self.hostname : "a node",
			       endpoint_format(text, from),
			       a->known[i].endpoint[0] ? a->known[i].endpoint
						       : "an unknown address");
	}
}

/* A throw-away key that is valid: an invalid one would be stored by others, and refused by some. */
static void make_self(struct probe *p)
{
	uint8_t private_key[CRYPTO_KEY_LEN];
	char key[45];

	crypto_wg_keypair(private_key, p->self.key.b);
	crypto_wipe(private_key, sizeof(private_key));
	(void)wg_key_format(key, &p->self.key);
	p->self.mesh_ip = derive_mesh_ip(p->q->secret, p->q->keys, NULL, key, 0);
	(void)snprintf(p->self.hostname, sizeof(p->self.hostname), "wgmesh-state-import");
	/* The address it sees, and a port that discards. */
	(void)snprintf(p->self.endpoint, sizeof(p->self.endpoint), "0.0.0.0:9");
}

static void describe(void *arg, struct announcement *out, bool with_known)
{
	const struct probe *p = arg;

	(void)with_known;
	out->self = p->self;
}

static void say_hello(struct probe *p)
{
	const struct discovery_handler me = { .arg = p, .describe = describe };
	char datagram[DISCOVERY_DATAGRAM_MAX];
	long len = discovery_seal_self(datagram, MESSAGE_HELLO, &me, p->q->keys->gossip_key, NULL);

	for (size_t i = 0; len > 0 && i < p->q->n_ask; i++)
		(void)udp_send(&p->direct, datagram, (size_t)len, &p->q->ask[i], NULL);
}

static void say_goodbye(struct probe *p)
{
	char plain[GOODBYE_MAX];
	char datagram[2 * GOODBYE_MAX];
	uint8_t nonce[CRYPTO_NONCE_LEN];
	long len = goodbye_format(plain, sizeof(plain), &p->self.key, clock_now().unix_s);

	crypto_random(nonce, sizeof(nonce));
	if (len >= 0)
		len = envelope_seal(datagram, sizeof(datagram), MESSAGE_GOODBYE, plain, (size_t)len,
				    nonce, p->q->keys->gossip_key);
	for (size_t i = 0; len > 0 && i < p->q->n_ask; i++)
		(void)udp_send(&p->direct, datagram, (size_t)len, &p->q->ask[i], NULL);
}

static bool was_asked(const struct probe *p, const struct endpoint *from)
{
	for (size_t i = 0; i < p->q->n_ask; i++)
		if (endpoint_equal(&p->q->ask[i], from))
			return true;
	return false;
}

static void take(struct probe *p, size_t len, const struct endpoint *from)
{
	struct announcement a;
	struct envelope env;

	if (envelope_open(&env, p->buf, len, p->q->keys->gossip_key, clock_now().unix_s) !=
	    ENVELOPE_OK)
		return;
	if (announce_parse(&a, &env, false) == ANNOUNCE_OK) {
		livecheck_judge(p->out, &p->q->wanted, &a, from);
		announce_free(&a);
	}
	envelope_free(&env);
}

/* Only those who were asked are believed: anything else may be old, or somebody's guess. */
static void receive(struct probe *p, const struct udp *u, bool from_asked_only)
{
	struct udp_local local;
	struct endpoint from;
	ssize_t n;

	while (!p->out->is_live &&
	       (n = udp_receive(u, p->buf, sizeof(p->buf), &from, &local)) != -EAGAIN)
		if (n > 0 && (!from_asked_only || was_asked(p, &from)))
			take(p, (size_t)n, &from);
}

static void join_everywhere(const struct probe *p)
{
	struct if_nameindex *all = if_nameindex();

	for (const struct if_nameindex *i = all; i && i->if_index != 0; i++)
		(void)udp_join(&p->group, &p->q->keys->group, (int)i->if_index);
	if (all)
		if_freenameindex(all);
}

static int open_sockets(struct probe *p, struct err *e)
{
	const struct endpoint group = { .ip = p->q->keys->group, .port = DERIVE_LAN_PORT };
	int r;

	p->group.fd = -1;
	p->direct.fd = -1;
	if (udp_open_group(&p->group, &group, e) < 0)
		p->group.fd = -1;
	else
		join_everywhere(p);
	r = udp_open_any(&p->direct, 0, e);
	if (r < 0)
		p->direct.fd = -1;
	return p->group.fd < 0 && p->direct.fd < 0 ? r : 0;
}

static int64_t next_wake(const struct probe *p, int64_t passed_ms)
{
	int64_t until =
		p->n_rounds < ARRAY_LEN(rounds_ms) ? rounds_ms[p->n_rounds] : p->q->limit_ms;

	if (until > p->q->limit_ms)
		until = p->q->limit_ms;
	return until > passed_ms ? until - passed_ms : 0;
}

static void wait_for_answers(struct probe *p)
{
	int64_t start_ms = clock_now().mono_ms;

	while (!p->out->is_live) {
		struct pollfd fds[] = { { .fd = p->group.fd, .events = POLLIN },
					{ .fd = p->direct.fd, .events = POLLIN } };
		int64_t passed_ms = clock_now().mono_ms - start_ms;

		if (passed_ms >= p->q->limit_ms)
			return;
		if (p->n_rounds < ARRAY_LEN(rounds_ms) && passed_ms >= rounds_ms[p->n_rounds]) {
			say_hello(p);
			p->n_rounds++;
			continue;
		}
		(void)poll(fds, ARRAY_LEN(fds), (int)next_wake(p, passed_ms));
		if (fds[0].revents)
			receive(p, &p->group, false);
		if (fds[1].revents)
			receive(p, &p->direct, true);
	}
}

int livecheck_run(struct livecheck_result *out, const struct livecheck *q, struct err *e)
{
	struct probe *p = calloc(1, sizeof(*p));
	int r;

	*out = (struct livecheck_result) { 0 };
	if (!p)
		return err_set(e, -ENOMEM, "ask the mesh");
	p->q = q;
	p->out = out;
	make_self(p);
	r = open_sockets(p, e);
	if (r == 0) {
		wait_for_answers(p);
		say_goodbye(p);
	}
	udp_close(&p->group);
	udp_close(&p->direct);
	free(p);
	return r;
}

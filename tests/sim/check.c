/* SPDX-License-Identifier: MIT */
#include "tests/sim/check.h"
#include "tests/sim/wireguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_US	       (50 * MS)
#define COMPLAINTS_MAX 20

/* --- convergence ------------------------------------------------------------------------------- */

static bool is_there(const struct host *h, const struct host *other)
{
	return other != h && other->node && other->side == h->side &&
	       other->node->phase == NODE_RUNNING;
}

static bool has(const struct host *h, const struct host *other, const struct goal *goal)
{
	const struct peer *p = peers_find(h->node->peers, &other->key);

	if (!p || !peer_is_verified(p) || p->said_goodbye || !p->applied.present)
		return false;
	return !goal->tunnels ||
	       wireguard_has_tunnel(world_wireguard(h), &other->key, goal->lapse_us);
}

bool check_has_all(const struct host *h, const struct goal *goal)
{
	size_t others = 0;

	if (h->node->phase != NODE_RUNNING)
		return false;
	for (size_t i = 0; i < world()->n; i++)
		others += is_there(h, &world()->hosts[i]) ? 1 : 0;
	/* Cheap, and mostly enough to tell. */
	if (wireguard_count(world_wireguard(h)) < others)
		return false;
	for (size_t i = 0; i < world()->n; i++)
		if (is_there(h, &world()->hosts[i]) && !has(h, &world()->hosts[i], goal))
			return false;
	return true;
}

static const char *what_lacks(const struct peer *p)
{
	if (!p)
		return "does not know";
	if (!peer_is_verified(p))
		return "has not heard";
	if (p->said_goodbye)
		return "has heard a goodbye of";
	return p->applied.present ? "has no tunnel to" : "has not configured";
}

void check_explain(const struct goal *goal)
{
	unsigned int n = 0;

	for (size_t i = 0; i < world()->n; i++) {
		const struct host *h = &world()->hosts[i];

		for (size_t k = 0; h->node && k < world()->n && n < COMPLAINTS_MAX; k++) {
			const struct host *other = &world()->hosts[k];

			if (!is_there(h, other) || has(h, other, goal))
				continue;
			n++;
			(void)fprintf(stderr, "sim: %.3f s: node %u %s node %u\n",
				      (double)queue_now_us() / (double)S, h->number,
				      what_lacks(peers_find(h->node->peers, &other->key)),
				      other->number);
		}
	}
}

static bool look(const struct goal *goal)
{
	bool all = true;

	for (size_t i = 0; i < world()->n; i++) {
		struct host *h = &world()->hosts[i];

		if (!h->node || h->done_us >= 0)
			continue;
		if (check_has_all(h, goal))
			h->done_us = queue_now_us();
		else
			all = false;
	}
	return all;
}

int64_t check_wait(int64_t from_us, int64_t limit_us, const struct goal *goal)
{
	bool is_explained = false;

	for (size_t i = 0; i < world()->n; i++)
		world()->hosts[i].done_us = -1;
	while (!look(goal)) {
		if (!is_explained && goal->explain_us > 0 &&
		    queue_now_us() - from_us >= goal->explain_us) {
			check_explain(goal);
			is_explained = true;
		}
		if (queue_now_us() - from_us >= limit_us)
			return -1;
		world_run_until(queue_now_us() + STEP_US);
	}
	return queue_now_us() - from_us;
}

/* --- invariants -------------------------------------------------------------------------------- */

struct owner {
	struct prefix net;
	struct wg_key key;
};

struct audit {
	struct host *host;
	unsigned int bad;
	size_t n;
	struct owner owners[4 * PEERS_MAX];
};

static void complain(struct audit *a, const char *what, const struct wg_key *key)
{
	const struct host *other = world_host_of_key(key);
	char text[PEER_TEXT_SIZE];

	a->bad++;
	if (a->bad <= COMPLAINTS_MAX)
		(void)fprintf(stderr, "sim: %.3f s: node %u: %s: %s (%s)\n",
			      (double)queue_now_us() / (double)S, a->host->number, what,
			      wg_key_format(text, key), other ? other->cfg->hostname : "made up");
}

static int audit_peer(const struct wg_peer_state *s, void *arg)
{
	struct audit *a = arg;
	const struct peer *p = peers_find(a->host->node->peers, &s->key);

	if (!p || !p->applied.present)
		complain(a, "WireGuard has a peer that the node does not want", &s->key);
	else if (p->applied.allowed_hash != reconcile_allowed_hash(s->allowed, s->n_allowed))
		complain(a, "WireGuard has other allowed addresses than the node wants", &s->key);
	for (size_t i = 0; i < s->n_allowed && a->n < sizeof(a->owners) / sizeof(a->owners[0]); i++)
		a->owners[a->n++] = (struct owner) { .net = s->allowed[i], .key = s->key };
	return 0;
}

static int compare_owners(const void *a, const void *b)
{
	const struct owner *x = a;
	const struct owner *y = b;

	return memcmp(&x->net, &y->net, sizeof(x->net));
}

/* One address, one peer: with the real WireGuard, the first one would have lost it. */
static void audit_addresses(struct audit *a)
{
	qsort(a->owners, a->n, sizeof(a->owners[0]), compare_owners);
	for (size_t i = 1; i < a->n; i++)
		if (prefix_equal(&a->owners[i - 1].net, &a->owners[i].net))
			complain(a, "two peers have one allowed address", &a->owners[i].key);
}

static void audit_table(struct audit *a)
{
	size_t present = 0;

	for (struct peer *p = peers_next(a->host->node->peers, NULL); p;
	     p = peers_next(a->host->node->peers, p)) {
		present += p->applied.present ? 1 : 0;
		if (p->applied.present && !peer_is_verified(p) && !(p->methods & METHOD_CACHE))
			complain(a, "a peer that nobody heard is configured", &p->info.key);
	}
	if (present != wireguard_count(world_wireguard(a->host)))
		complain(a, "WireGuard lacks a peer that the node wants", &a->host->key);
}

unsigned int check_invariants(void)
{
	static struct audit a;
	unsigned int bad = 0;

	for (size_t i = 0; i < world()->n; i++) {
		struct host *h = &world()->hosts[i];

		if (!h->node || h->node->phase != NODE_RUNNING)
			continue;
		a.host = h;
		a.n = 0;
		a.bad = 0;
		wireguard_dump(world_wireguard(h), audit_peer, &a);
		audit_addresses(&a);
		audit_table(&a);
		bad += a.bad;
	}
	return bad;
}

static bool has_routes_of(const struct host *h, const struct host *other)
{
	const struct peer *p = peers_find(h->node->peers, &other->key);
	const struct routelist *l = &other->node->advertised;

	if (!p || p->n_routes != l->n)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (!prefix_equal(&l->net[i], &p->routes[i]))
			return false;
	return true;
}

size_t check_routes(void)
{
	size_t wrong = 0;

	for (size_t i = 0; i < world()->n; i++) {
		const struct host *h = &world()->hosts[i];
		size_t n_routes = 0;

		for (size_t k = 0; h->node && k < world()->n; k++) {
			const struct host *other = &world()->hosts[k];

			if (!is_there(h, other))
				continue;
			wrong += has_routes_of(h, other) ? 0 : 1;
			n_routes += other->node->advertised.n;
		}
		wrong += h->node && h->n_routes != (int)n_routes ? 1 : 0;
	}
	return wrong;
}

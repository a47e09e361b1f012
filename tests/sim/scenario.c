/* SPDX-License-Identifier: MIT */
#include "tests/sim/scenario.h"
#include "common/defs.h"
#include "tests/sim/check.h"
#include "tests/sim/liar.h"
#include "tests/sim/measure.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

#define START_US     (1 * S) /* all nodes start within it */
#define PATIENCE_US  (90 * S)
#define EXPLAIN_US   (15 * S)
#define IDLE_FROM_US (150 * S) /* everything that follows a start is over by then */
#define IDLE_US	     (60 * S)
#define LAPSE_US     (40 * S) /* until the next keepalive, and two tries more */
#define LIES_US	     (30 * S)

static const struct weather lan = { .delay_min_us = 100, .delay_max_us = 1000 };
static const struct weather internet = {
	.delay_min_us = 10 * MS, .delay_max_us = 80 * MS, .loss_ppm = 10000, .copy_ppm = 1000
};
static const struct weather rough = {
	.delay_min_us = 50 * MS, .delay_max_us = 200 * MS, .loss_ppm = 100000, .copy_ppm = 10000
};

/* --- what all have in common ------------------------------------------------------------------- */

static struct item starters[WORLD_HOSTS_MAX];

static void start_one(struct item *i)
{
	world_start(&world()->hosts[i - starters], true);
}

static void start_at(struct host *h, int64_t at_us)
{
	starters[h->number].fire = start_one;
	queue_put(&starters[h->number], at_us);
}

static void expect(struct outcome *out, bool is_so, const char *what)
{
	if (is_so)
		return;
	(void)fprintf(stderr, "sim: %.3f s: broken: %s\n", (double)queue_now_us() / (double)S,
		      what);
	out->broken++;
}

static double seconds(int64_t us)
{
	return us < 0 ? -1 : (double)us / (double)S;
}

/* Waits until everybody has everybody, and then until the tunnels are up. */
static void await(struct outcome *out, int64_t from_us)
{
	out->all = seconds(
		check_wait(from_us, PATIENCE_US, &(struct goal) { .explain_us = EXPLAIN_US }));
	measure_nodes(out, from_us);
	out->busy = measure_end();
	out->tunnels =
		seconds(check_wait(from_us, PATIENCE_US, &(struct goal) { .tunnels = true }));
	out->broken += check_invariants();
}

static void make(const struct order *o, const struct weather *w, bool no_lan)
{
	world()->no_lan = no_lan;
	*weather() = *w;
	world_make(o->nodes, o->seed);
}

static void start_all(void)
{
	measure_begin();
	for (size_t i = 0; i < world()->n; i++)
		start_at(&world()->hosts[i], (int64_t)world_random(START_US));
	world_run_until(START_US);
}

/*
 * When both ends have begun a handshake at once, or the packet that confirms one is lost, the end that
 * would renew the session may not know that it has to: another is made by the first keepalive after its end.
 */
static void idle(const struct order *o, struct outcome *out)
{
	static const struct goal rested = { .tunnels = true,
					    .lapse_us = LAPSE_US,
					    .explain_us = 1 };

	if (!o->idle)
		return;
	world_run_until(IDLE_FROM_US);
	measure_begin();
	world_run_until(IDLE_FROM_US + IDLE_US);
	out->idle = measure_end();
	out->broken += check_invariants();
	expect(out, check_wait(0, 0, &rested) >= 0, "an idle mesh has lost somebody");
}

static void run_lan(const struct order *o, struct outcome *out)
{
	make(o, &lan, false);
	start_all();
	await(out, 0);
	idle(o, out);
}

static void run_rough(const struct order *o, struct outcome *out)
{
	make(o, &rough, false);
	start_all();
	await(out, 0);
}

/* --- no multicast: two addresses that everybody is told ------------------------------------------ */

static void tell_seeds(void)
{
	for (size_t i = 0; i < world()->n; i++) {
		struct hostports *peers = &world()->hosts[i].cfg->peers;

		for (unsigned int k = 0; k < 2 && k < world()->n; k++)
			peers->at[peers->n++].ip = world_ip(k);
	}
}

static void run_seeds(const struct order *o, struct outcome *out)
{
	make(o, &internet, true);
	tell_seeds();
	start_all();
	await(out, 0);
	idle(o, out);
}

static void run_far(const struct order *o, struct outcome *out)
{
	make(o, &rough, true);
	tell_seeds();
	start_all();
	await(out, 0);
}

/* --- what befalls a mesh that is complete -------------------------------------------------------- */

static bool settle(const struct order *o, const struct weather *w, struct outcome *out)
{
	make(o, w, false);
	start_all();
	expect(out, check_wait(0, PATIENCE_US, &(struct goal) { .tunnels = true }) >= 0,
	       "the mesh came together");
	world_run_until(queue_now_us() + 30 * S);
	measure_begin();
	return out->broken == 0;
}

/* A tenth dies without a word, and comes back elsewhere. */
static void run_restart(const struct order *o, struct outcome *out)
{
	int64_t back_us;

	if (!settle(o, &internet, out))
		return;
	for (size_t i = 0; i < world()->n; i += 10) {
		world_kill(&world()->hosts[i]);
		world_move(&world()->hosts[i]);
	}
	world_run_until(queue_now_us() + 20 * S);
	back_us = queue_now_us();
	for (size_t i = 0; i < world()->n; i += 10)
		start_at(&world()->hosts[i], back_us + (int64_t)world_random(START_US));
	world_run_until(back_us + START_US);
	await(out, back_us);
}

/* Two halves do not hear each other for a minute. */
static void run_partition(const struct order *o, struct outcome *out)
{
	int64_t healed_us;

	if (!settle(o, &internet, out))
		return;
	for (size_t i = 0; i < world()->n; i++)
		world()->hosts[i].side = i % 2;
	world_run_until(queue_now_us() + 60 * S);
	for (size_t i = 0; i < world()->n; i++)
		world()->hosts[i].side = 0;
	healed_us = queue_now_us();
	await(out, healed_us);
	expect(out, out->all == 0, "a minute of silence made somebody forget a peer");
}

/* A tenth gains or loses a network each second, for half a minute. */
static void run_churn(const struct order *o, struct outcome *out)
{
	char text[80];
	int64_t end_us;

	if (!settle(o, &internet, out))
		return;
	for (unsigned int k = 0; k < 30; k++) {
		for (size_t i = k % 10; i < world()->n; i += 10) {
			bool is_on = k / 10 % 2 == 0;

			(void)snprintf(text, sizeof(text), "advertise-routes=172.%zu.%zu.0/24\n",
				       16 + i / 250, i % 250);
			if (!is_on)
				(void)snprintf(text, sizeof(text), "advertise-routes=\n");
			world_reload(&world()->hosts[i], text);
		}
		world_run_until(queue_now_us() + S);
	}
	end_us = queue_now_us();
	while (check_routes() > 0 && queue_now_us() - end_us < PATIENCE_US)
		world_run_until(queue_now_us() + 50 * MS);
	out->all = seconds(queue_now_us() - end_us);
	out->p50 = out->all;
	out->p99 = out->all;
	out->busy = measure_end();
	expect(out, check_routes() == 0, "somebody has other networks than their owners announce");
	out->broken += check_invariants();
}

/* --- somebody who knows the secret, and lies ------------------------------------------------------ */

/* The last host has no node of ours. A newcomer joins while it lies, and nobody is lost. */
static void run_hostile(const struct order *o, struct outcome *out)
{
	struct host *late;
	int64_t late_us;

	make(o, &lan, false);
	liar_begin(&world()->hosts[world()->n - 1]);
	late = &world()->hosts[world()->n - 2];
	measure_begin();
	for (size_t i = 0; i + 2 < world()->n; i++)
		start_at(&world()->hosts[i], (int64_t)world_random(START_US));
	world_run_until(START_US);
	await(out, 0);
	world_run_until(LIES_US);
	late_us = queue_now_us();
	world_start(late, false);
	expect(out, check_wait(late_us, 15 * S, &(struct goal) { .explain_us = EXPLAIN_US }) >= 0,
	       "a newcomer finds everybody, whatever a liar says");
	world_run_until(late_us + LIES_US);
	expect(out, check_wait(queue_now_us(), 0, &(struct goal) { .explain_us = 1 }) >= 0,
	       "nobody is lost while somebody lies");
	out->broken += check_invariants();
	liar_end();
}

const struct scenario *scenario_at(size_t i)
{
	static const struct scenario all[] = {
		{ "lan", "one LAN, all started within a second", 15, run_lan },
		{ "rough", "one LAN, 50 to 200 ms, 10 % lost", 15, run_rough },
		{ "seeds", "no LAN, two seeds by --peer, 10 to 80 ms, 1 % lost", 15, run_seeds },
		{ "far", "no LAN, two seeds by --peer, 50 to 200 ms, 10 % lost", 15, run_far },
		{ "restart", "a tenth dies silently, and is back elsewhere after 20 s", 15,
		  run_restart },
		{ "partition", "two halves apart for a minute", 15, run_partition },
		{ "churn", "a tenth gains or loses a network each second", 15, run_churn },
		{ "hostile", "a member lies as much as he can, for a minute", 15, run_hostile },
	};

	return i < ARRAY_LEN(all) ? &all[i] : NULL;
}

/* SPDX-License-Identifier: MIT */
#include "common/log.h"
#include "tests/sim/check.h"
#include "tests/sim/network.h"
#include "tests/sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
static struct item starts[WORLD_HOSTS_MAX];
static void start_one(struct item *i)
{
	world_start(&world.hosts[i - starts], false);
}
static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static void sum(const char *what)
{
	struct tally t = { 0 };
	uint64_t noop = 0, changed = 0, limited = 0;
	for (size_t i = 0; i < world.n; i++) {
		struct host *h = &world.hosts[i];
		t.sent += h->tally.sent;
		t.sent_bytes += h->tally.sent_bytes;
		t.received += h->tally.received;
		t.overrun += h->tally.overrun;
		t.turns += h->tally.turns;
		t.requests += h->tally.requests;
		t.changes += h->tally.changes;
		if (h->tally.longest > t.longest)
			t.longest = h->tally.longest;
		if (h->node) {
			noop += h->node->counters.passes_noop;
			changed += h->node->counters.passes_changed;
			limited += h->node->counters.datagrams[FATE_RATE_LIMITED];
		}
		h->tally = (struct tally) { 0 };
	}
	printf("%s at %.2f s: per node sent %.1f bytes %.0f recv %.1f overrun %.1f turns %.1f req %.1f longest %zu noop %.1f chg %.1f limited %.1f cpu %.1f\n", what,
	       (double)queue_now_us() / 1e6, (double)t.sent / (double)world.n, (double)t.sent_bytes / (double)world.n,
	       (double)t.received / (double)world.n, (double)t.overrun / (double)world.n, (double)t.turns / (double)world.n,
	       (double)t.requests / (double)world.n, t.longest, (double)noop / (double)world.n, (double)changed / (double)world.n,
	       (double)limited / (double)world.n, cpu());
	fflush(stdout);
}
int main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)atoi(argv[1]) : 100;
	uint64_t seed = argc > 2 ? (uint64_t)atoll(argv[2]) : 1;
	double loss = argc > 3 ? atof(argv[3]) : 0;
	int64_t lat = argc > 4 ? atoll(argv[4]) : 1;
	int64_t r;
	log_init("sim", LOG_FORMAT_TEXT, "error");
	weather = (struct weather) { .delay_min_us = lat * 250, .delay_max_us = lat * 1000, .loss_ppm = (uint64_t)(loss * 10000) };
	world_make(n, seed);
	for (size_t i = 0; i < n; i++) {
		starts[i].fire = start_one;
		queue_put(&starts[i], (int64_t)world_random(1000000));
	}
	world_run_until(1000000);
	r = check_wait(0, 60 * S, &(struct goal) { 0 });
	printf("converged %.2f\n", (double)r / 1e6);
	sum("converge");
	r = check_wait(0, 60 * S, &(struct goal) { true });
	printf("tunnels %.2f\n", (double)r / 1e6);
	sum("tunnels");
	printf("bad %u\n", check_invariants());
	if (argc > 5) {
	world_run_until(120 * S);
	sum("until 120");
	world_run_until(180 * S);
	sum("idle minute");
	printf("bad %u\n", check_invariants());
	}
	world_free();
	return 0;
}

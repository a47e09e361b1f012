/* SPDX-License-Identifier: MIT */
/*
 * sim - many nodes in one process, under a simulated clock and a simulated lossy network
 *
 *   sim [-n NODES] [-s SEED] [-r RUNS] [-t SECONDS] [-i] [-m] [-l LEVELS] [SCENARIO...]
 *
 * -r runs each scenario with so many seeds, from SEED on; -t asks for more than the scenario does; -i measures an idle minute, too, -m prints a
 * Markdown table, -l shows what the nodes log. Exit codes: 0; 1 when something is broken; 64 usage.
 */
#include "common/exits.h"
#include "common/log.h"
#include "tests/sim/scenario.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM_MAX 1400

#define ROW_PLAIN              \
	"%-10s %5zu %6" PRIu64 \
	" %7.2f %7.2f %7.2f %7.2f %7.0f %8.0f %7.0f %7.0f %8.0f %7zu %8.0f %8.0f %6.1f %6.0f\n"
#define ROW_MARKDOWN                                                                               \
	"| %s | %zu | %" PRIu64 " | %.2f | %.2f | %.2f | %.2f | %.0f | %.0f | %.0f | %.0f | %.0f " \
	"| %zu | %.0f | %.0f | %.1f | %.0f |\n"

/**
 * struct options - The command line
 * @order:	For the first run
 * @runs:	Seeds per scenario
 * @limit_s:	Until all have each other; 0 for what the scenario says
 * @levels:	Of the nodes' logs
 * @is_markdown: A table for docs/
 */
struct options {
	struct order order;
	uint64_t runs;
	double limit_s;
	const char *levels;
	bool is_markdown;
};

static double cpu_seconds(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_head(const struct options *o)
{
	if (o->is_markdown)
		(void)puts(
			"| scenario | nodes | seed | all (s) | p50 (s) | p99 (s) | tunnels (s) | "
			"sent | kB | requests | no-op passes | overruns | longest | idle/min | "
			"idle kB/min | idle events/s | CPU (s) |\n"
			"|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
	else
		(void)printf("%-10s %5s %6s %7s %7s %7s %7s %7s %8s %7s %7s %8s %7s %8s %8s %6s "
			     "%6s\n",
			     "scenario", "nodes", "seed", "all", "p50", "p99", "tunnels", "sent",
			     "kB", "requests", "no-op", "overruns", "longest", "idle/min", "kB/min",
			     "ev/s", "took");
}

static void print_row(const struct options *o, const struct scenario *s, uint64_t seed,
		      const struct outcome *r)
{
	double per_minute = r->idle.seconds > 0 ? 60 / r->idle.seconds : 0;

	(void)printf(o->is_markdown ? ROW_MARKDOWN : ROW_PLAIN, s->name, o->order.nodes, seed,
		     r->all, r->p50, r->p99, r->tunnels, r->busy.messages, r->busy.bytes / 1000,
		     r->busy.requests, r->busy.noops, r->busy.overruns, r->busy.longest,
		     r->idle.messages * per_minute, r->idle.bytes * per_minute / 1000,
		     r->idle.turns * per_minute / 60, r->took);
	(void)fflush(stdout);
}

static void require(struct outcome *r, bool is_so, const char *what)
{
	if (is_so)
		return;
	(void)fprintf(stderr, "sim: broken: %s\n", what);
	r->broken++;
}

static unsigned int run(const struct options *o, const struct scenario *s, uint64_t seed)
{
	struct order order = o->order;
	struct outcome r = { 0 };
	double began = cpu_seconds();

	order.seed = seed;
	s->run(&order, &r);
	world_free();
	r.took = cpu_seconds() - began;
	print_row(o, s, seed, &r);
	require(&r, r.all >= 0 && r.all <= (o->limit_s > 0 ? o->limit_s : s->limit_s),
		"not all nodes had each other in time");
	require(&r, r.tunnels >= 0, "not all tunnels came up");
	require(&r, r.busy.longest <= DATAGRAM_MAX, "a datagram is too long for one packet");
	if (r.broken > 0)
		(void)fprintf(stderr, "sim: again with: sim -n %zu -s %" PRIu64 " %s\n",
			      order.nodes, seed, s->name);
	return r.broken;
}

static const struct scenario *find(const char *name)
{
	const struct scenario *s;

	for (size_t i = 0; (s = scenario_at(i)); i++)
		if (strcmp(s->name, name) == 0)
			break;
	return s;
}

static int usage(void)
{
	(void)fputs(
		"usage: sim [-n NODES] [-s SEED] [-r RUNS] [-t SECONDS] [-i] [-m] [-l LEVELS] [SCENARIO...]\n"
		"scenarios:\n",
		stderr);
	for (size_t i = 0; scenario_at(i); i++)
		(void)fprintf(stderr, "  %-10s %s\n", scenario_at(i)->name, scenario_at(i)->what);
	return EXITS_USAGE;
}

static bool parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options) { .order = { .nodes = 100, .seed = 1 },
				.runs = 1,
				.levels = "error" };
	while ((c = getopt(argc, argv, "n:s:r:t:l:im")) != -1) {
		if (c == 'n')
			o->order.nodes = strtoul(optarg, NULL, 10);
		else if (c == 's')
			o->order.seed = strtoull(optarg, NULL, 10);
		else if (c == 'r')
			o->runs = strtoull(optarg, NULL, 10);
		else if (c == 't')
			o->limit_s = strtod(optarg, NULL);
		else if (c == 'l')
			o->levels = optarg;
		else if (c == 'i')
			o->order.idle = true;
		else if (c == 'm')
			o->is_markdown = true;
		else
			return false;
	}
	for (int i = optind; i < argc; i++)
		if (!find(argv[i]))
			return false;
	return o->order.nodes >= 2 && o->order.nodes <= WORLD_HOSTS_MAX;
}

int main(int argc, char **argv)
{
	struct options o;
	unsigned int broken = 0;

	if (!parse(&o, argc, argv))
		return usage();
	(void)log_init("sim", LOG_FORMAT_TEXT, o.levels);
	print_head(&o);
	for (size_t i = 0; scenario_at(i); i++) {
		bool is_wanted = optind == argc;

		for (int k = optind; k < argc; k++)
			is_wanted |= find(argv[k]) == scenario_at(i);
		for (uint64_t k = 0; is_wanted && k < o.runs; k++)
			broken += run(&o, scenario_at(i), o.order.seed + k);
	}
	return broken > 0 ? 1 : 0;
}

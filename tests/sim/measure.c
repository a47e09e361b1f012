/* SPDX-License-Identifier: MIT */
#include "tests/sim/measure.h"
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

static struct {
	int64_t at_us;
	uint64_t noops;
	uint64_t limited;
} begun;

static void count_nodes(uint64_t *noops, uint64_t *limited)
{
	*noops = 0;
	*limited = 0;
	for (size_t i = 0; i < world()->n; i++) {
		const struct node *n = world()->hosts[i].node;

		*noops += n ? n->counters.passes_noop : 0;
		*limited += n ? n->counters.datagrams[FATE_RATE_LIMITED] : 0;
	}
}

void measure_begin(void)
{
	begun.at_us = queue_now_us();
	count_nodes(&begun.noops, &begun.limited);
	for (size_t i = 0; i < world()->n; i++)
		world()->hosts[i].tally = (struct tally) { 0 };
}

/* Nodes that have ended since took their own counters along. */
static double less(uint64_t now, uint64_t before)
{
	return now > before ? (double)(now - before) : 0;
}

struct traffic measure_end(void)
{
	struct traffic t = { .seconds = (double)(queue_now_us() - begun.at_us) / (double)S };
	double n = (double)world()->n;
	uint64_t noops;
	uint64_t limited;

	count_nodes(&noops, &limited);
	for (size_t i = 0; i < world()->n; i++) {
		const struct tally *a = &world()->hosts[i].tally;

		/* What a stranger sends is not theirs. */
		if (!world()->hosts[i].node)
			continue;
		t.messages += (double)a->sent / n;
		t.bytes += (double)a->sent_bytes / n;
		t.turns += (double)a->turns / n;
		t.requests += (double)a->requests / n;
		t.overruns += (double)a->overrun / n;
		if (a->longest > t.longest)
			t.longest = a->longest;
	}
	t.noops = less(noops, begun.noops) / n;
	t.limited = less(limited, begun.limited) / n;
	return t;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

void measure_nodes(struct outcome *out, int64_t from_us)
{
	static double took[WORLD_HOSTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < world()->n; i++) {
		const struct host *h = &world()->hosts[i];
		int64_t began_us = h->began_us > from_us ? h->began_us : from_us;

		if (h->node)
			took[n++] =
				h->done_us < 0 ? 1e9 : (double)(h->done_us - began_us) / (double)S;
	}
	qsort(took, n, sizeof(took[0]), compare);
	out->p50 = took[n / 2];
	out->p99 = took[n * 99 / 100];
}

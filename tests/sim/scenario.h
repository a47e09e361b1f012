/* SPDX-License-Identifier: MIT */
/* scenario - what happens to a mesh, and what is measured of it */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct traffic - What nodes did over some time; averages are per node
 * @seconds:	How long
 * @messages:	Datagrams sent
 * @bytes:	In them
 * @turns:	Callbacks of the event loop
 * @requests:	Requests to netadmin that change something
 * @noops:	Reconcile passes that wrote nothing
 * @overruns:	Datagrams that found a full socket
 * @limited:	Datagrams over the rate of their sender
 * @longest:	Bytes of the longest datagram of any node
 */
struct traffic {
	double seconds;
	double messages;
	double bytes;
	double turns;
	double requests;
	double noops;
	double overruns;
	double limited;
	size_t longest;
};

/**
 * struct outcome - What became of one scenario with one seed; times in seconds, -1 for never
 * @all:	Until every node had heard and configured every other one
 * @p50, @p99:	Until half, and until 99 of 100 nodes had
 * @tunnels:	Until all tunnels were up
 * @busy:	Until @all
 * @idle:	A minute when nothing happens; @seconds is 0 where it was not measured
 * @broken:	Invariants and requirements that did not hold
 * @took:	Real seconds
 */
struct outcome {
	double all;
	double p50;
	double p99;
	double tunnels;
	struct traffic busy;
	struct traffic idle;
	unsigned int broken;
	double took;
};

/**
 * struct order - What to run
 * @nodes:	How many
 * @seed:	Everything follows from it
 * @idle:	Measure an idle minute, too, where the scenario has one
 */
struct order {
	size_t nodes;
	uint64_t seed;
	bool idle;
};

/**
 * struct scenario - One of them
 * @name:	As on the command line
 * @what:	In the table
 * @limit_s:	Simulated seconds within which all nodes must have each other
 * @run:	Runs it in a fresh world
 */
struct scenario {
	const char *name;
	const char *what;
	double limit_s;
	void (*run)(const struct order *order, struct outcome *out);
};

/* One after the other; NULL after the last. */
const struct scenario *scenario_at(size_t i);

#endif /* TESTS_SIM_SCENARIO_H */

/* SPDX-License-Identifier: MIT */
/* network - the simulated network: delays, losses, copies, partitions, and sockets that overrun */
#ifndef TESTS_SIM_NETWORK_H
#define TESTS_SIM_NETWORK_H

#include "daemon/net/addr.h"
#include "tests/sim/queue.h"

#include <stdint.h>

struct host;

/**
 * struct weather - How the network is
 * @delay_min_us: Shortest way
 * @delay_max_us: Longest; each datagram draws its own, so that they overtake each other
 * @loss_ppm:	Lost of a million, each fragment by itself
 * @copy_ppm:	Arriving twice of a million
 */
struct weather {
	int64_t delay_min_us;
	int64_t delay_max_us;
	uint64_t loss_ppm;
	uint64_t copy_ppm;
};

struct weather *weather(void);

/* How long a datagram of @len bytes takes from @a to @b; -1 when it is lost. */
int64_t network_way_us(const struct host *a, const struct host *b, size_t len);

/* Sends a datagram that no node's socket sends: what a stranger would. */
void network_send(struct host *from, uint16_t port, const void *buf, size_t len,
		  const struct endpoint *to);

void network_free(void);

struct event;
/* fake_event.c tells who listens at a socket; fd is what udp_open_*() gave out. */
void network_listen(int fd, struct event *ev);
/* A socket has something: called for as long as it does. */
void event_fire_readable(struct event *ev);

#endif /* TESTS_SIM_NETWORK_H */

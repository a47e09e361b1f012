/* SPDX-License-Identifier: MIT */
/*
 * found - addresses that the DHT has given us as members', and when each may be tried again; pure
 *
 * Anybody may have announced any address, and greeting it costs dozens of datagrams. So that a
 * hostile DHT cannot turn this node against somebody: an address that was tried is tried again only
 * after a minute, then two, and so on to ten; one host gets at most three ports tried in that time; one answer
 * contributes four addresses at most; and over all there are so many in a minute.
 */
#ifndef DAEMON_DHT_FOUND_H
#define DAEMON_DHT_FOUND_H

#include "daemon/dht/allowance.h"
#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOUND_MAX	 512
#define FOUND_PER_ANSWER 4
#define FOUND_PER_HOST	 3
#define FOUND_BURST	 32
#define FOUND_PER_1000S	 250 /* one in four seconds */
#define FOUND_PAUSE_MS	 (60 * 1000)
#define FOUND_PAUSE_MAX	 (10 * 60 * 1000)

/**
 * struct found_address - One address
 * @at:		Address; "none" for a free slot
 * @told_ms:	When it was last handed over
 * @pause_ms:	How long before it may be again
 */
struct found_address {
	struct endpoint at;
	int64_t told_ms;
	int64_t pause_ms;
};

/**
 * struct found - All of them
 */
struct found {
	struct allowance all;
	struct found_address slot[FOUND_MAX];
};

void found_init(struct found *f, int64_t now_ms);

/**
 * found_take() - May this address be handed over now? If so, it is taken to be.
 */
bool found_take(struct found *f, const struct endpoint *at, int64_t now_ms);

#endif /* DAEMON_DHT_FOUND_H */

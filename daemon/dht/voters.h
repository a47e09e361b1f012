/* SPDX-License-Identifier: MIT */
/*
 * voters - where others see us, as far as several of them agree (BEP 42); pure
 *
 * Anybody may lie, so one owner has one vote: of several from one address, one IPv4 /24 or one IPv6 /64
 * the last one counts.
 */
#ifndef DAEMON_DHT_VOTERS_H
#define DAEMON_DHT_VOTERS_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOTERS_MAX    16
#define VOTERS_NEEDED 4 /* that agree, and they are two thirds of all */

/**
 * struct voters - The last votes; zero is none
 * @next:	Slot of the next one
 * @vote:	Who says so, and what
 */
struct voters {
	size_t next;
	struct {
		struct ip voter;
		struct ip seen;
	} vote[VOTERS_MAX];
};

/**
 * voters_take() - Somebody sees us at an address
 */
void voters_take(struct voters *v, const struct ip *voter, const struct ip *seen);

/**
 * voters_verdict() - Where are we?
 * @v:		Votes
 * @out:	Receives the address; "none" when too few agree
 *
 * Return: whether enough agree
 */
bool voters_verdict(const struct voters *v, struct ip *out);

#endif /* DAEMON_DHT_VOTERS_H */

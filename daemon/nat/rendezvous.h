/* SPDX-License-Identifier: MIT */
/*
 * rendezvous - when two nodes meet, by whom they are introduced, and at which ports (protocol.md
 * section 11); pure
 *
 * Both ends of a pair compute the same numbers from their two keys, so that they act in the same
 * seconds and ask the same third nodes without having spoken to each other.
 */
#ifndef DAEMON_NAT_RENDEZVOUS_H
#define DAEMON_NAT_RENDEZVOUS_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RENDEZVOUS_KEY_SIZE	   45 /* 44 characters of base64 */
#define RENDEZVOUS_PAIR_ID_SIZE	   17 /* 16 hexadecimal digits */
#define RENDEZVOUS_CANDIDATES_MAX  16
#define RENDEZVOUS_INTRODUCERS_MAX 3
#define RENDEZVOUS_POOL_MAX	   64 /* introducers among whom three are chosen */
#define RENDEZVOUS_PORT_MIN	   1024

/**
 * rendezvous_hash() - FNV-1a (64 bits) of two key texts with a zero byte between them, as they stand
 */
uint64_t rendezvous_hash(const char *first, const char *second);

/**
 * rendezvous_pair_seed() - The same for a pair, whichever of the two computes it
 */
uint64_t rendezvous_pair_seed(const char *a, const char *b);

/**
 * rendezvous_pair_id() - The seed as OFFER and START carry it
 */
char *rendezvous_pair_id(char out[static RENDEZVOUS_PAIR_ID_SIZE], uint64_t seed);

/**
 * struct rendezvous_window - Seconds that come again and again, at another time for each pair
 * @period_s:	How often
 * @length_s:	How long
 */
struct rendezvous_window {
	int64_t period_s;
	int64_t length_s;
};

#define RENDEZVOUS_WINDOW      ((struct rendezvous_window) { 20, 4 }) /* OFFERs are sent */
#define RENDEZVOUS_WINDOW_IPV6 ((struct rendezvous_window) { 8, 2 })  /* direct HELLOs by IPv6 */

bool rendezvous_is_in_window(uint64_t seed, int64_t unix_s, struct rendezvous_window w);

/**
 * rendezvous_next_window() - The first second from @unix_s on that lies in the pair's window
 */
int64_t rendezvous_next_window(uint64_t seed, int64_t unix_s, struct rendezvous_window w);

/**
 * rendezvous_backoff_ms() - Pause after so many failures in a row: 3 s, doubling to 30 s
 */
int64_t rendezvous_backoff_ms(unsigned int failures);

/**
 * struct rendezvous_candidates - Where the exchange of a node may be reached
 * @n:		Entries in @at
 * @at:		Addresses, each once
 */
struct rendezvous_candidates {
	size_t n;
	struct endpoint at[RENDEZVOUS_CANDIDATES_MAX];
};

/**
 * rendezvous_is_candidate() - Would we send datagrams there because somebody says so?
 *
 * Return: false for what is no unicast address of a network, and for the ports below 1024, where
 *         services listen that somebody might want to see flooded
 */
bool rendezvous_is_candidate(const struct endpoint *at);

/**
 * rendezvous_add() - Add an address, unless it is there already or there is no room
 */
void rendezvous_add(struct rendezvous_candidates *list, const struct endpoint *at);

/**
 * rendezvous_spread() - Add the neighbours of each port: p, p-1, p+1, p-2, p+2
 * @out:	Receives the candidates, what is beyond RENDEZVOUS_CANDIDATES_MAX left out
 * @in:		Addresses
 *
 * A NAT that gives each destination a port of its own often takes the next one.
 */
void rendezvous_spread(struct rendezvous_candidates *out, const struct rendezvous_candidates *in);

/**
 * struct rendezvous_introducer - A node that may bring two others together
 * @key_text:	Its key
 * @is_explicit: It announces that it is one (--introducer)
 * @slot:	The caller's own
 */
struct rendezvous_introducer {
	char key_text[RENDEZVOUS_KEY_SIZE];
	bool is_explicit;
	uint16_t slot;
};

/**
 * rendezvous_choose() - Put those that a pair asks to the front
 * @pool:	All that may be asked; is sorted: explicit ones first, then by key
 * @n:		Entries in @pool
 * @seed:	Pair seed
 * @out:	Receives the chosen ones, in the order in which they are asked
 *
 * Return: entries in @out
 */
size_t rendezvous_choose(struct rendezvous_introducer *pool, size_t n, uint64_t seed,
			 struct rendezvous_introducer out[static RENDEZVOUS_INTRODUCERS_MAX]);

#endif /* DAEMON_NAT_RENDEZVOUS_H */

/* SPDX-License-Identifier: MIT */
/*
 * introduce - bodies of RENDEZVOUS_OFFER and RENDEZVOUS_START (protocol.md sections 6 and 11); pure
 *
 * An OFFER asks a third node to bring its sender together with another one; the START that follows
 * tells both where the other is, and when to begin. Whoever knows the secret can send either.
 */
#ifndef DAEMON_NAT_INTRODUCE_H
#define DAEMON_NAT_INTRODUCE_H

#include "daemon/nat/rendezvous.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/announce.h"
#include "daemon/wire/envelope.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INTRODUCE_PLAIN_MAX 1024 /* EXCHANGE_PLAIN_MAX */
#define INTRODUCE_LIST_MAX  64 /* entries in a list of candidates; a longer one is refused whole */

/**
 * struct offer - RENDEZVOUS_OFFER
 * @from:	Who asks
 * @target:	Whom it wants to meet
 * @seed:	Pair seed of the two
 * @candidates:	Where it thinks it is; what is no literal, or none that we would send to, is left out
 */
struct offer {
	struct wg_key from;
	struct wg_key target;
	uint64_t seed;
	struct rendezvous_candidates candidates;
};

/**
 * struct start - RENDEZVOUS_START
 * @peer:	Whom the receiver is to meet
 * @pair_id:	As sent: whether it is that of the receiver and @peer only the receiver knows
 * @candidates:	Where its exchange may be; what is no literal, or none that we would send to, is left
 *		out
 * @timestamp:	When it was sent, by the introducer's clock, in seconds
 * @start_ms:	When to begin, as Unix time in milliseconds by the same clock; 0 for at once
 * @introducer:	Who introduces; valid when @has_introducer
 * @has_introducer: It says who it is
 * @who:	What the introducer knows of @peer, as in known_peers: the receiver may never have heard of
 *		it; only the key when existing nodes introduce
 * @is_ours:	@peer is a node of this program
 * @peer_endpoint: WireGuard endpoint of @peer as the introducer's own tunnel has it; "none" from
 *		existing nodes
 */
struct start {
	struct wg_key peer;
	char pair_id[RENDEZVOUS_PAIR_ID_SIZE];
	struct rendezvous_candidates candidates;
	int64_t timestamp;
	int64_t start_ms;
	struct wg_key introducer;
	bool has_introducer;
	struct known_peer who;
	bool is_ours;
	struct endpoint peer_endpoint;
};

/**
 * offer_parse() - Judge the body of an OFFER
 * @out:	Receives the offer
 * @env:	Opened envelope; borrowed
 *
 * Return: 0, or -EINVAL: a member of the wrong JSON type, a key that is none, one node with itself,
 *         another pair id than that of the two keys, too many candidates
 */
int offer_parse(struct offer *out, const struct envelope *env);

/**
 * offer_format() - Write the body of an OFFER as existing nodes do: without candidates
 *
 * Return: bytes without the NUL, or -EMSGSIZE
 */
long offer_format(char *out, size_t size, const struct offer *offer, int64_t timestamp);

/**
 * start_parse() - Judge the body of a START
 * @out:	Receives it
 * @env:	Opened envelope; borrowed
 *
 * Return: 0, or -EINVAL as offer_parse(), and for a moment before 1970
 */
int start_parse(struct start *out, const struct envelope *env);

/**
 * start_format() - Write the body of a START, @who only when it has a mesh address
 *
 * Return: bytes without the NUL, or -EMSGSIZE
 */
long start_format(char *out, size_t size, const struct start *start);

/**
 * start_delay_ms() - How long the receiver of a START waits
 * @start:	The START
 * @now_ms:	Our Unix time in milliseconds
 *
 * By our clock when that makes sense. When the clocks differ, the introducer's alone decides: both
 * of the pair have its START at about the same time.
 *
 * Return: milliseconds, at most START_DELAY_MAX_MS
 */
int64_t start_delay_ms(const struct start *start, int64_t now_ms);
#define START_DELAY_MAX_MS 3000
#define START_DELAY_MIN_MS 100

#endif /* DAEMON_NAT_INTRODUCE_H */

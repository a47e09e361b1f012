/* SPDX-License-Identifier: MIT */
/*
 * candidates - where else a peer may be reached, and when that is tried; pure
 *
 * The first choice is what the ranks of the discovery methods make it (peers.h). While it gives no
 * handshake the others have their turns, with growing pauses. What gives one becomes the first choice;
 * while packets flow nothing is tried.
 */
#ifndef DAEMON_PEERS_CANDIDATES_H
#define DAEMON_PEERS_CANDIDATES_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANDIDATES_MAX	     6
#define CANDIDATES_FIRST_MS  5000 /* the first choice has had a handshake by then, if it works */
#define CANDIDATES_TURN_MS   7000 /* WireGuard sends an initiation every 5 to 5.4 s */
#define CANDIDATES_PAUSE_MS  300000
#define CANDIDATES_FAILED_MS (10 * 60 * 1000)

/* Who names an address; the later ones are tried before the earlier ones. */
enum candidate_origin {
	CANDIDATE_TOLD, /* another member says that the peer is there */
	CANDIDATE_SEEN, /* the peer's datagrams come from there; the port is the one it announces */
	CANDIDATE_OWN,	/* the peer says so itself */
	CANDIDATE_MET,	/* an introducer sees the peer's tunnel there, at this moment */
};

/**
 * struct candidate - An address
 * @at:		Of the peer's WireGuard
 * @origin:	enum candidate_origin
 */
struct candidate {
	struct endpoint at;
	uint8_t origin;
};

/**
 * struct candidates - Those of one peer; all zero for none
 * @list:	Beside the first choice, newest first
 * @n:		Entries in @list
 * @n_rounds:	How often all have had their turn in vain
 * @turn:	Whose turn it is; "none": that of the first choice
 * @failed:	Was the first choice until another one gave a handshake instead
 * @until_ms:	When the next one has its turn; 0 while nothing is tried
 * @failed_ms:	When that was
 */
struct candidates {
	struct candidate list[CANDIDATES_MAX];
	uint8_t n;
	uint8_t n_rounds;
	struct endpoint turn;
	struct endpoint failed;
	int64_t until_ms;
	int64_t failed_ms;
};

/**
 * candidates_add() - Take an address that somebody names
 *
 * One that is known already keeps the better origin. When all places are taken, the oldest of the worst
 * origin goes, unless that is better than @origin.
 */
void candidates_add(struct candidates *c, const struct endpoint *at, enum candidate_origin origin);

/**
 * candidates_drop() - Forget all of one origin, since whoever names them has named others
 */
void candidates_drop(struct candidates *c, enum candidate_origin origin);

/**
 * candidates_restart() - Begin with the first choice again: it is another one, or the network is
 */
void candidates_restart(struct candidates *c);

/**
 * candidates_current() - The address to use now
 * @c:		Candidates
 * @first:	First choice; "none" when there is none
 */
const struct endpoint *candidates_current(const struct candidates *c, const struct endpoint *first);

/**
 * candidates_has_failed() - Did this address give no handshake of late, where another one did?
 */
bool candidates_has_failed(const struct candidates *c, const struct endpoint *at, int64_t now_ms);

/**
 * struct candidates_facts - What a step depends on
 * @has_tunnel:	Packets flow
 * @read_ms:	When WireGuard was last asked for its handshakes; 0 for never
 * @now_ms:	Monotonic time
 * @arg:	Passed to @has_way
 * @has_way:	Has this machine a way to that address?
 */
struct candidates_facts {
	bool has_tunnel;
	int64_t read_ms;
	int64_t now_ms;
	const void *arg;
	bool (*has_way)(const void *arg, const struct endpoint *at);
};

enum candidates_step {
	CANDIDATES_REST, /* nothing to do until something happens */
	CANDIDATES_WAIT, /* come back at @until_ms */
	CANDIDATES_LOOK, /* WireGuard has to be asked for its handshakes first */
};

/**
 * candidates_step() - Decide what is used from now on
 * @c:		Candidates
 * @first:	First choice; receives the one that has given a handshake instead
 * @f:		Facts
 *
 * Return: enum candidates_step
 */
enum candidates_step candidates_step(struct candidates *c, struct endpoint *first,
				     const struct candidates_facts *f);

#endif /* DAEMON_PEERS_CANDIDATES_H */

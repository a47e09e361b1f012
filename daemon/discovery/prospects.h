/* SPDX-License-Identifier: MIT */
/*
 * prospects - addresses where members may be, and which of them gets a HELLO next; pure
 *
 * What a person gave (--peer, --peer-dns) is tried for ever, with growing pauses. What others told
 * is tried once per report, and a failure is remembered. The DHT may be hostile, and a member can
 * be: neither may turn this node into a cannon, so what nobody proved has little to spend. Members
 * spend from a reserve that is paid back by each address that answers: a thousand addresses of an
 * honest mesh are greeted within ten seconds, and a thousand invented ones once.
 */
#ifndef DAEMON_DISCOVERY_PROSPECTS_H
#define DAEMON_DISCOVERY_PROSPECTS_H

#include "daemon/net/addr.h"
#include "daemon/peers/peers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROSPECTS_MAX	       1024
#define PROSPECTS_KEPT_MAX     768 /* of them that a person gave */
#define PROSPECTS_SHARE_MAX    128 /* of them that one member told, and that wait for their turn */
#define PROSPECTS_KEPT	       ((unsigned int)METHOD_STATIC | METHOD_DNS)
#define PROSPECTS_REST_MS      120000 /* somebody is there: looked at again after so long */
#define PROSPECTS_PAUSE_MS     600000 /* the longest pause between two tries */
#define PROSPECTS_ALONE_MS     60000  /* the same while nobody else is there at all */
#define PROSPECTS_TOLD_BY_NONE UINT16_MAX

/**
 * struct prospect - An address where a member may be
 * @at:		Address and port of its exchange
 * @via:	enum peer_method bits of who says so: METHOD_STATIC, _DNS, _MAINLINE, _TRANSITIVE
 * @teller:	Slot of the peer that told it; PROSPECTS_TOLD_BY_NONE
 * @prefix:	First bytes of the key that is said to be there; meaningful with a @teller
 */
struct prospect {
	struct endpoint at;
	unsigned int via;
	uint16_t teller;
	uint32_t prefix;
};

struct prospects;

/**
 * prospects_new() - Make an empty table
 * @seed:	Random
 *
 * Return: table owned by the caller, to be freed with prospects_free(); NULL without memory
 */
struct prospects *prospects_new(uint64_t seed);
void prospects_free(struct prospects *t);

/**
 * prospects_is_sane() - May a datagram go there at all?
 * @at:		Address
 * @via:	Who says so: only --peer may name a loopback address
 *
 * Return: false for no port, and for wildcard, link-local, multicast, broadcast and reserved addresses
 */
bool prospects_is_sane(const struct endpoint *at, unsigned int via);

/**
 * prospects_report() - Somebody says that a member may be there
 * @t:		Table
 * @p:		Prospect; borrowed
 * @now_ms:	Monotonic milliseconds
 *
 * Return: false when it is not taken: not sane, failed a while ago, or there is no room
 */
bool prospects_report(struct prospects *t, const struct prospect *p, int64_t now_ms);

/**
 * struct prospects_mood - How this node is just now
 * @pause_ms:	Longest pause before the next try of what a person gave
 * @only_kept:	No turns for what others told
 */
struct prospects_mood {
	int64_t pause_ms;
	bool only_kept;
};

/**
 * prospects_next() - Whose turn is it? What a person gave comes first
 * @t:		Table
 * @now_ms:	Monotonic milliseconds
 * @mood:	Borrowed
 * @out:	Receives the prospect, which counts as tried
 *
 * Return: false when nobody's turn is now
 */
bool prospects_next(struct prospects *t, int64_t now_ms, const struct prospects_mood *mood,
		    struct prospect *out);

/**
 * prospects_due_ms() - When to ask again
 *
 * Return: monotonic milliseconds after @now_ms; INT64_MAX for never
 */
int64_t prospects_due_ms(const struct prospects *t, int64_t now_ms);

/**
 * prospects_rest() - Somebody we know is there, or we ourselves: not before so long
 * @t:		Table
 * @at:		Address
 * @until_ms:	Monotonic milliseconds
 */
void prospects_rest(struct prospects *t, const struct endpoint *at, int64_t until_ms);

/**
 * prospects_answered() - A member was there
 */
void prospects_answered(struct prospects *t, const struct endpoint *at, int64_t now_ms);

/**
 * prospects_lost() - The member that was there is gone: what a person gave is tried again soon
 */
void prospects_lost(struct prospects *t, const struct endpoint *at, int64_t now_ms);

/**
 * prospects_wake() - The network has changed: failures mean nothing any more
 */
void prospects_wake(struct prospects *t, int64_t now_ms);

/**
 * prospects_renew() / prospects_expire() - Replace what a person gave
 *
 * What is not reported again between the two is given up.
 */
void prospects_renew(struct prospects *t);
void prospects_expire(struct prospects *t);

/**
 * prospects_count() - Entries that somebody of @via named
 */
size_t prospects_count(const struct prospects *t, unsigned int via);

#endif /* DAEMON_DISCOVERY_PROSPECTS_H */

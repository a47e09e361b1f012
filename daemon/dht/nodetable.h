/* SPDX-License-Identifier: MIT */
/*
 * nodetable - the routing table of one address family: k-buckets around our own id (BEP 5); pure
 *
 * Only who has answered us gets in, so that neither hearsay nor a forged source fills the table. A
 * node is good while it was heard within 15 minutes, bad after it left three queries in a row
 * unanswered, and questionable in between. Bad ones stay until somebody takes their place: when our
 * own network fails, all are bad, and must not be forgotten.
 *
 * Against one owner with many ids: there is one node per global address; and in a full bucket, who can be
 * trusted takes the place of a doubtful one, whose id does not fit its address (BEP 42) or who shares its
 * IPv4 /24 or IPv6 /64 with another. Doubtful ones are better than none: the servers of a closed network
 * may all be neighbours.
 */
#ifndef DAEMON_DHT_NODETABLE_H
#define DAEMON_DHT_NODETABLE_H

#include "daemon/dht/krpc.h"
#include "daemon/dht/nodeid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODETABLE_K	   8
#define NODETABLE_SPARES   4
#define NODETABLE_BUCKETS  32 /* the last one holds all that share 31 bits or more with us */
#define NODETABLE_MAX	   (NODETABLE_BUCKETS * NODETABLE_K)
#define NODETABLE_FRESH_MS (15 * 60 * 1000)
#define NODETABLE_BAD	   3 /* queries left unanswered in a row */

/**
 * struct table_node - One node
 * @in_use:	The slot holds one
 * @is_doubtful: Its id does not fit its address, or it had a neighbour in its bucket when it came
 * @failures:	Queries left unanswered since it was last heard
 * @id:		Id
 * @at:		Address
 * @heard_ms:	When it last answered, or asked us
 * @pinged_ms:	When it was last pinged for its silence
 */
struct table_node {
	bool in_use;
	bool is_doubtful;
	uint8_t failures;
	struct nodeid id;
	struct endpoint at;
	int64_t heard_ms;
	int64_t pinged_ms;
};

/**
 * struct nodetable - The table
 * @self:	Our own id
 * @bucket:	By the number of leading bits shared with @self
 *	node:	Entries
 *	spare:	Nodes that have answered when there was no room, to take the place of bad ones
 *	tended_ms: When a node last came in, or one was looked for
 */
struct nodetable {
	struct nodeid self;
	struct {
		struct table_node node[NODETABLE_K];
		struct table_node spare[NODETABLE_SPARES];
		int64_t tended_ms;
	} bucket[NODETABLE_BUCKETS];
};

void nodetable_init(struct nodetable *t, const struct nodeid *self, int64_t now_ms);

/**
 * nodetable_rename() - Take another id of our own; nodes that find no room any more are dropped
 */
void nodetable_rename(struct nodetable *t, const struct nodeid *self);

/**
 * nodetable_answered() - A node has answered a query of ours
 * @t:		Table
 * @node:	Its id and address, both as they came with the answer
 * @now_ms:	Monotonic milliseconds
 */
void nodetable_answered(struct nodetable *t, const struct krpc_node *node, int64_t now_ms);

/**
 * nodetable_asked() - A node has asked us something, which anybody can do in its name
 *
 * Return: true when it is not in the table and there is room for it: worth a ping
 */
bool nodetable_asked(struct nodetable *t, const struct krpc_node *node, int64_t now_ms);

/**
 * nodetable_wants() - Is there room for a node that is not in the table?
 */
bool nodetable_wants(struct nodetable *t, const struct krpc_node *node);

/**
 * nodetable_failed() - A node has left a query unanswered
 */
void nodetable_failed(struct nodetable *t, const struct endpoint *at);

/* Which nodes count. */
enum nodetable_grade { NODETABLE_ANY, NODETABLE_NOT_BAD, NODETABLE_GOOD };

/**
 * nodetable_closest() - The nodes closest to a target
 * @t:		Table
 * @target:	Id or infohash
 * @out:	Receives them, closest first
 * @max:	Room in @out
 * @now_ms:	Monotonic milliseconds; 0 takes bad nodes as well
 *
 * Return: how many
 */
size_t nodetable_closest(const struct nodetable *t, const struct nodeid *target,
			 struct krpc_node *out, size_t max, int64_t now_ms);

size_t nodetable_count(const struct nodetable *t, enum nodetable_grade grade, int64_t now_ms);

/**
 * nodetable_silent() - The node that has been silent longest, of those that are due for a ping
 * @t:		Table
 * @out:	Receives it, which is then not due for a minute
 * @now_ms:	Monotonic milliseconds
 *
 * Return: false when none is
 */
bool nodetable_silent(struct nodetable *t, struct krpc_node *out, int64_t now_ms);

/**
 * nodetable_thin() - A bucket that has room, and in which nobody was looked for in 15 minutes
 * @t:		Table
 * @target:	Random bytes, which become an id that belongs into the bucket
 * @now_ms:	Monotonic milliseconds
 *
 * Return: false when there is none
 */
bool nodetable_thin(struct nodetable *t, struct nodeid *target, int64_t now_ms);

/**
 * nodetable_due_ms() - When nodetable_silent() or nodetable_thin() will have something next
 *
 * Return: monotonic milliseconds, INT64_MAX for an empty table
 */
int64_t nodetable_due_ms(const struct nodetable *t);

#endif /* DAEMON_DHT_NODETABLE_H */

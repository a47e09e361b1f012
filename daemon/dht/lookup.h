/* SPDX-License-Identifier: MIT */
/*
 * lookup - find the nodes closest to a target, by asking closer and closer ones (BEP 5); pure
 *
 * Responses come in, the next queries go out. Three queries are under way at a time; one that is not
 * answered within a second does not hold up the next. The end is reached when the eight closest nodes
 * that answer have answered, or when there was enough of it.
 *
 * Whoever answers may lie about who else there is. So a node has to have the id that was told of it,
 * names only so many others, and of the closest eight at most four are doubtful: of an id that does not
 * fit its address (BEP 42), or a neighbour of one that is closer. That way nobody can surround a target
 * with ids of his own choice.
 */
#ifndef DAEMON_DHT_LOOKUP_H
#define DAEMON_DHT_LOOKUP_H

#include "daemon/dht/krpc.h"
#include "daemon/dht/nodeid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOKUP_ALPHA	    3
#define LOOKUP_K	    8
#define LOOKUP_DOUBTFUL_MAX 4	/* of the closest LOOKUP_K */
#define LOOKUP_OFFERS_MAX   8	/* taken from one answer */
#define LOOKUP_NODES_MAX    64	/* known at a time */
#define LOOKUP_QUERIES_MAX  128 /* sent in all */
#define LOOKUP_FLIGHT_MAX   12	/* under way in all, slow ones included */
#define LOOKUP_SLOW_MS	    1000
#define LOOKUP_LIMIT_MS	    30000

enum lookup_state {
	LOOKUP_NEW,	 /* not asked yet */
	LOOKUP_ASKED,	 /* an answer is owed */
	LOOKUP_ANSWERED, /* it has answered */
	LOOKUP_FAILED,	 /* it has not, or has lied */
};

/**
 * struct lookup_node - A node on the way
 * @state:	How far it is
 * @has_id:	@id is known: an address alone is enough to begin with
 * @id:		Id
 * @at:		Address
 * @asked_ms:	When it was asked
 * @token_len:	Bytes in @token
 * @token:	With which it takes an announcement
 */
struct lookup_node {
	enum lookup_state state;
	bool has_id;
	struct nodeid id;
	struct endpoint at;
	int64_t asked_ms;
	size_t token_len;
	uint8_t token[KRPC_TOKEN_MAX];
};

/**
 * struct lookup - One lookup
 * @target:	What is looked for
 * @self:	Our own id, which others may tell us of
 * @family:	Only nodes of this family
 * @began_ms:	When it began
 * @n_queries:	Sent so far
 * @n:		Entries in @node
 * @node:	Those without an id first, then closest first
 */
struct lookup {
	struct nodeid target;
	struct nodeid self;
	uint8_t family;
	int64_t began_ms;
	unsigned int n_queries;
	size_t n;
	struct lookup_node node[LOOKUP_NODES_MAX];
};

/**
 * lookup_begin() - Begin; lookup_offer() nodes to begin with
 */
void lookup_begin(struct lookup *l, const struct nodeid *target, const struct nodeid *self,
		  uint8_t family, int64_t now_ms);

/**
 * lookup_offer() - Somebody who could be asked
 * @l:		Lookup
 * @id:		Its id, NULL when only the address is known
 * @at:		Its address
 *
 * Return: false when it is of no use: of the other family, known, or too far away
 */
bool lookup_offer(struct lookup *l, const struct nodeid *id, const struct endpoint *at);

/**
 * lookup_next() - Who is to be asked next?
 * @l:		Lookup
 * @now_ms:	Monotonic milliseconds
 *
 * Return: the node, which is taken to be asked now; NULL when none is, for the time being
 */
const struct lookup_node *lookup_next(struct lookup *l, int64_t now_ms);

/**
 * lookup_answered() - Take an answer
 * @l:		Lookup
 * @from:	Who sent it
 * @m:		What it says
 *
 * Return: false when the node was not asked, or is not who it was said to be: then nothing of what it
 *         says is to be believed
 */
bool lookup_answered(struct lookup *l, const struct endpoint *from, const struct krpc_message *m);

/**
 * lookup_failed() - A node has not answered, or has answered with an error
 */
void lookup_failed(struct lookup *l, const struct endpoint *at);

/**
 * lookup_is_done() - Has the end been reached?
 */
bool lookup_is_done(const struct lookup *l, int64_t now_ms);

/**
 * lookup_slow_ms() - When the next answer will be called slow, so that another query may be sent
 *
 * Return: monotonic milliseconds, INT64_MAX when none is awaited
 */
int64_t lookup_slow_ms(const struct lookup *l, int64_t now_ms);

/**
 * lookup_closest() - The closest nodes that have answered, and have a token
 * @l:		Lookup
 * @out:	Receives them, closest first; they live as long as @l is not changed
 *
 * Return: how many
 */
size_t lookup_closest(const struct lookup *l, const struct lookup_node *out[static LOOKUP_K]);

/**
 * lookup_count() - How many nodes are in a state
 */
size_t lookup_count(const struct lookup *l, enum lookup_state state);

#endif /* DAEMON_DHT_LOOKUP_H */

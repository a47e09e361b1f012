/* SPDX-License-Identifier: MIT */
/*
 * krpc - messages of the DHT (BEP 5, 32, 42 and 43) between bytes and a struct; pure
 *
 * A response does not say what it answers, so all that any of them may hold is taken, as far as there
 * is room; what it is worth is decided by who asked. The client's name ("v") is neither sent nor
 * read: it would tell whoever walks the DHT which of its nodes belong to meshes.
 */
#ifndef DAEMON_DHT_KRPC_H
#define DAEMON_DHT_KRPC_H

#include "daemon/dht/nodeid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KRPC_DATAGRAM_MAX 1280 /* of what we send: below every path's MTU less its headers */
#define KRPC_TID_MAX	  16   /* of others; ours are shorter */
#define KRPC_TOKEN_MAX	  64
#define KRPC_NODES_MAX	  32 /* of both families together */
#define KRPC_VALUES_MAX	  128
#define KRPC_TEXT_SIZE	  64

enum krpc_kind { KRPC_QUERY, KRPC_RESPONSE, KRPC_ERROR };

enum krpc_method {
	KRPC_PING,
	KRPC_FIND_NODE,
	KRPC_GET_PEERS,
	KRPC_ANNOUNCE_PEER,
};

/* What to do with what came. */
enum krpc_verdict {
	KRPC_OK,
	KRPC_NOISE,	     /* nothing to answer: no message, or one without a transaction */
	KRPC_BAD_QUERY,	     /* answer with KRPC_E_PROTOCOL */
	KRPC_UNKNOWN_METHOD, /* answer with KRPC_E_METHOD */
};

enum krpc_error {
	KRPC_E_GENERIC = 201,
	KRPC_E_SERVER = 202,
	KRPC_E_PROTOCOL = 203,
	KRPC_E_METHOD = 204,
};

/* Address families, as bits: what "want" asks for, and what a struct holds. */
#define KRPC_WANT_4 1U
#define KRPC_WANT_6 2U

/**
 * struct krpc_node - A node as others tell of it
 */
struct krpc_node {
	struct nodeid id;
	struct endpoint at;
};

/**
 * struct krpc_message - One message
 * @kind:	Query, response or error
 * @tid_len:	Bytes in @tid
 * @tid:	Transaction
 * @has_id:	@id is set; always, for a query or response that was parsed
 * @id:		Who sends it
 * @seen_as:	Response: where the asker is seen (BEP 42); "none" when it does not say
 * @method:	Query: what it asks
 * @is_read_only: Query: the asker answers none (BEP 43)
 * @has_target:	@target is set
 * @target:	Query: id or infohash
 * @want:	Query: KRPC_WANT_* bits, 0 for the family it came by (BEP 32)
 * @port:	announce_peer: port of the peer
 * @implied_port: announce_peer: the datagram's own port counts instead
 * @token_len:	Bytes in @token
 * @token:	announce_peer, and the response to get_peers
 * @n_nodes:	Entries in @nodes
 * @nodes:	Response: nodes of both families; whoever uses them looks at each (nodeid_may_tell())
 * @n_values:	Entries in @values
 * @values:	Response to get_peers: peers
 * @error:	Error: code
 * @text:	Error: sentence, printable ASCII only
 */
struct krpc_message {
	enum krpc_kind kind;
	size_t tid_len;
	uint8_t tid[KRPC_TID_MAX];
	bool has_id;
	struct nodeid id;
	struct endpoint seen_as;
	enum krpc_method method;
	bool is_read_only;
	bool has_target;
	struct nodeid target;
	unsigned int want;
	uint16_t port;
	bool implied_port;
	size_t token_len;
	uint8_t token[KRPC_TOKEN_MAX];
	size_t n_nodes;
	struct krpc_node nodes[KRPC_NODES_MAX];
	size_t n_values;
	struct endpoint values[KRPC_VALUES_MAX];
	int64_t error;
	char text[KRPC_TEXT_SIZE];
};

/**
 * krpc_parse() - Read a datagram
 * @out:	Receives the message; its transaction is set unless the verdict is KRPC_NOISE
 * @buf:	Datagram; borrowed
 * @len:	Bytes in @buf
 *
 * A query that nobody knows but that names a target is taken for find_node, as other implementations
 * do, so that what is invented later is passed on. Entries of a list that are no addresses are left
 * out, and what there is no room for.
 *
 * Return: what to do with it
 */
enum krpc_verdict krpc_parse(struct krpc_message *out, const void *buf, size_t len);

/**
 * krpc_format() - Write a message
 * @buf:	Receives the datagram
 * @m:		Message; of @nodes and @values what belongs to it; empty lists are left out, but a
 *		response says @nodes for each bit of @want
 *
 * Return: bytes, or -EMSGSIZE
 */
long krpc_format(uint8_t buf[static KRPC_DATAGRAM_MAX], const struct krpc_message *m);

#endif /* DAEMON_DHT_KRPC_H */

/* SPDX-License-Identifier: MIT */
/* announce - bodies of HELLO, REPLY, ANNOUNCE and GOODBYE (protocol.md section 6); pure */
#ifndef DAEMON_WIRE_ANNOUNCE_H
#define DAEMON_WIRE_ANNOUNCE_H

#include "daemon/net/addr.h"
#include "daemon/node/clone.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/endpoint.h"
#include "daemon/wire/envelope.h"
#include "daemon/wire/pex.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANNOUNCE_HOSTNAME_MAX  253
#define ANNOUNCE_ENDPOINT_MAX  ENDPOINT_TEXT_MAX
#define ANNOUNCE_ROUTES_MAX    100
#define ANNOUNCE_PEERS_MAX     1000
#define ANNOUNCE_NAT_MAX       15
#define ANNOUNCE_ENDPOINTS_MAX 4

/**
 * struct known_peer - What a node says of itself, or of another
 * @key:	Public key, canonical
 * @hostname:	Printable ASCII, may be empty
 * @mesh_ip:	Any literal; existing nodes accept IPv6 here too
 * @mesh_ip6:	"none" when absent or not a literal
 * @endpoint:	host:port as written, may be empty; resolve it with the rules of endpoint.h
 * @introducer:	Reachable by others
 * @nat_type:	"cone", "symmetric", "unknown" or empty
 */
struct known_peer {
	struct wg_key key;
	char hostname[ANNOUNCE_HOSTNAME_MAX + 1];
	struct ip mesh_ip;
	struct ip mesh_ip6;
	char endpoint[ANNOUNCE_ENDPOINT_MAX + 1];
	bool introducer;
	char nat_type[ANNOUNCE_NAT_MAX + 1];
};

/**
 * struct announcement - A whole HELLO, REPLY or ANNOUNCE
 * @self:	The sender
 * @routes:	Networks behind the sender; as written, host bits included
 * @n_routes:	Entries in @routes
 * @timestamp:	Unix time
 * @instance:	Which run of the sender this is (clone.h); empty from existing nodes
 * @endpoints:	Other WireGuard endpoints of the sender, unicast literals; existing nodes have one only
 * @n_endpoints: Entries in @endpoints
 * @is_withheld: Only from describe(): there is nothing to say that this receiver could not misuse
 * @is_visitor:	The sender only asks: answer it, and forget it (discovery/visitor.h)
 * @observed:	REPLY: where the HELLO came from; "none" when absent or not a literal
 * @known:	Other peers; owned after announce_parse(), borrowed by announce_format()
 * @n_known:	Entries in @known
 * @n_dropped:	Known peers left out because they were not valid
 * @pex:	Where other members are (pex.h); none from existing nodes
 */
struct announcement {
	struct known_peer self;
	size_t n_routes;
	struct prefix routes[ANNOUNCE_ROUTES_MAX];
	int64_t timestamp;
	char instance[CLONE_INSTANCE_SIZE];
	size_t n_endpoints;
	struct endpoint endpoints[ANNOUNCE_ENDPOINTS_MAX];
	bool is_withheld;
	bool is_visitor;
	struct endpoint observed;
	struct known_peer *known;
	size_t n_known;
	size_t n_dropped;
	struct pex_list pex;
};

enum announce_result {
	ANNOUNCE_OK = 0,
	ANNOUNCE_BAD_PAYLOAD = 1, /* a member has the wrong JSON type */
	ANNOUNCE_BAD_KEY,
	ANNOUNCE_BAD_MESH_IP,
	ANNOUNCE_BAD_ENDPOINT,
	ANNOUNCE_BAD_HOSTNAME,
	ANNOUNCE_BAD_ROUTES,
	ANNOUNCE_BAD_KNOWN_PEERS, /* only with @strict */
	ANNOUNCE_NO_MEMORY,
};

/* Name of the offending member as in the vectors: "wg_pubkey", "mesh_ip", ... */
const char *announce_result_name(enum announce_result r);

/**
 * announce_parse() - Judge the body of a HELLO, REPLY or ANNOUNCE
 * @out:	Receives the announcement; free it with announce_free()
 * @env:	Opened envelope; borrowed
 * @strict:	One bad known peer refuses the whole message (existing nodes' LAN path); otherwise
 *		only that entry is dropped, which is what this daemon does on every path
 *
 * Return: enum announce_result; nothing to free unless ANNOUNCE_OK
 */
enum announce_result announce_parse(struct announcement *out, const struct envelope *env,
				    bool strict);
void announce_free(struct announcement *a);

/**
 * announce_format() - Write a body as existing nodes do: member order, no white space
 * @out:	Receives JSON and a NUL
 * @size:	Room in @out
 * @a:		Announcement; known peers that no longer fit are left out, from the end, and of @pex
 *		what does not fit behind them
 *
 * Return: bytes without the NUL, or -EMSGSIZE when not even the sender fits
 */
long announce_format(char *out, size_t size, const struct announcement *a);

/**
 * goodbye_format() / goodbye_parse() - Body of a GOODBYE
 *
 * goodbye_parse() returns 0, or -EINVAL for a body that is no GOODBYE: a bad key, or members that
 * only an announcement has (mesh_ip), since the type in the envelope can be forged.
 */
long goodbye_format(char *out, size_t size, const struct wg_key *key, int64_t timestamp);
int goodbye_parse(struct wg_key *key, const struct envelope *env);

#endif /* DAEMON_WIRE_ANNOUNCE_H */

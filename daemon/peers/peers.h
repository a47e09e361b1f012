/* SPDX-License-Identifier: MIT */
/*
 * peers - the table of other nodes: one row per public key, who said what of it, and when
 *
 * Pure: sightings and the time come in, changes go out. Discovery methods report sightings; what
 * becomes of them in WireGuard is decided by reconcile.h.
 */
#ifndef DAEMON_PEERS_PEERS_H
#define DAEMON_PEERS_PEERS_H

#include "daemon/clock.h"
#include "daemon/nat/relay.h"
#include "daemon/peers/candidates.h"
#include "daemon/wire/announce.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEERS_MAX	 1000
#define PEER_ACTIVE_MS	 (5 * 60 * 1000)  /* heard of within: active (protocol.md section 9) */
#define PEER_FORGET_MS	 (10 * 60 * 1000) /* out of WireGuard when silent for so long */
#define PEER_HANDSHAKE_S 150		  /* a handshake younger than this is a live tunnel */
#define PEER_METHOD_SIZE 16
#define PEER_TEXT_SIZE	 45 /* 44 characters of base64 */

/* How a peer was discovered; a bit each, since several methods may have found it. */
enum peer_method {
	METHOD_CACHE = 1 << 0,
	METHOD_LAN = 1 << 1,
	METHOD_EXCHANGE = 1 << 2,   /* "dht" on paper: a HELLO or REPLY came from it */
	METHOD_TRANSITIVE = 1 << 3, /* "dht-transitive": another peer told of it */
	METHOD_RENDEZVOUS = 1 << 4, /* "dht-rendezvous": an introducer brought us together */
	METHOD_GOSSIP = 1 << 5,	    /* "gossip": an ANNOUNCE came from it inside the tunnel */
	METHOD_GOSSIP_TRANSITIVE = 1 << 6, /* "gossip-transitive": gossip told of it */
	/* How its address was found, beside METHOD_EXCHANGE; these decide nothing. */
	METHOD_STATIC = 1 << 7,	  /* "static": --peer */
	METHOD_DNS = 1 << 8,	  /* "dns": --peer-dns */
	METHOD_MAINLINE = 1 << 9, /* "mainline": the BitTorrent DHT */
};
#define METHOD_COUNT 10

/* Name of one method, as existing nodes print it where they have it. */
const char *peer_method_name(enum peer_method method);

/* What was found of a network that a peer announces; see routejudge.h. */
enum route_verdict {
	ROUTE_UNJUDGED,
	ROUTE_ACCEPTED,
	ROUTE_FAILED,	  /* accepted, but the kernel has not taken it */
	ROUTE_TAKEN,	  /* another peer has it; this one's turn comes when that one leaves */
	ROUTE_DEFAULT,	  /* refused from here on: a default route, or nearly one */
	ROUTE_RESERVED,	  /* overlaps with the mesh, loopback, link-local, multicast */
	ROUTE_OWN_PATH,	  /* its owner's endpoint lies in it */
	ROUTE_GATEWAY,	  /* our gateway lies in it */
	ROUTE_UNDERLAY,	  /* overlaps with a network that this machine is in */
	ROUTE_OTHER_PATH, /* the endpoint of another peer's tunnel lies in it */
	ROUTE_NO_ROOM,
};

/* Does the network go into WireGuard's table, for the peer that announces it? */
static inline bool route_is_used(enum route_verdict v)
{
	return v <= ROUTE_FAILED;
}

/**
 * struct peer_applied - What WireGuard has for a peer, as far as we know
 * @present:	The peer is configured
 * @endpoint:	Endpoint we set last; the kernel may have roamed since
 * @keepalive_s: Keepalive in seconds
 * @allowed_hash: reconcile_allowed_hash() of its allowed prefixes
 */
struct peer_applied {
	bool present;
	struct endpoint endpoint;
	uint16_t keepalive_s;
	uint64_t allowed_hash;
};

/**
 * struct peer_punch - An introducer has brought us together; all zero when nothing is under way
 * @endpoint:	WireGuard endpoint to try meanwhile; "none" for the usual one
 * @turn_ms:	When we begin our handshake
 * @until_ms:	When it has failed
 */
struct peer_punch {
	struct endpoint endpoint;
	int64_t turn_ms;
	int64_t until_ms;
};

/**
 * struct peer - One other node
 * @info:	What was announced: key, names, mesh addresses
 * @key_text:	Its key as base64
 * @routes:	Networks behind it, masked and checked; room for ANNOUNCE_ROUTES_MAX, in the table
 * @route_verdict: For each of @routes, an enum route_verdict
 * @n_routes:	Entries in @routes
 * @endpoint:	WireGuard endpoint in use; "none" when no literal is known
 * @endpoint_method: Name of the method that reported it; decides what may replace it
 * @endpoint_ms: When @endpoint_method last reported it
 * @candidates:	Where else its WireGuard may be, and which of all is used now
 * @control:	Where its exchange socket is; "none" when unknown
 * @methods:	enum peer_method bits
 * @first_seen_ms: When the row was made, or the peer came back after a GOODBYE or a long silence
 * @heard_ms:	When the peer itself was last heard; INT64_MIN for never in this run
 * @tunnel_ms:	When its tunnel was last seen to live, 0 for never
 * @seen_unix_s: The same as Unix time, or what the cache said
 * @said_s:	Its own Unix time in the newest of its announcements; 0 for none in this run
 * @told_ms:	When anybody, itself included, last told of it
 * @is_ours:	It is a node of this program, as its announcements say
 * @path:	Direct, or through which other node
 * @punch:	Introduction under way
 * @said_goodbye: It announced its stop and has not been heard since
 * @replied_ms:	When it first answered a HELLO of ours, and so knew our key; INT64_MIN for never
 * @lost_ip:	This node, or another peer with a better claim, has the same IPv4 mesh address
 * @lost_ip6:	The same for the IPv6 mesh address
 * @has_left:	It was taken out of WireGuard, or never came there, and has not been heard since
 * @handshake_s: Unix time of the last handshake that WireGuard reported, 0 for never
 * @rx_bytes:	Received through the tunnel
 * @tx_bytes:	Sent through the tunnel
 * @rx_rate:	Bytes a second received between the last two readings
 * @tx_rate:	Bytes a second sent between them
 * @rtt_us:	Round trip of the last HELLO and its REPLY in microseconds, 0 when not known
 * @skew_s:	Its clock less ours, in seconds, as its last announcement says
 * @tunnel:	Where WireGuard last heard it; "none" when unknown
 * @applied:	What WireGuard has
 * @in_use:	The row holds a peer
 * @slot:	Index of the row; stable for the peer's life
 * @next:	Next row of the same hash bucket
 * @next_ip:	Next rows of the same buckets of IPv4 and IPv6 mesh addresses
 */
struct peer {
	struct known_peer info;
	char key_text[PEER_TEXT_SIZE];
	size_t n_routes;
	struct prefix *routes;
	uint8_t *route_verdict;
	struct endpoint endpoint;
	char endpoint_method[PEER_METHOD_SIZE];
	int64_t endpoint_ms;
	struct candidates candidates;
	struct endpoint control;
	unsigned int methods;
	int64_t first_seen_ms;
	int64_t heard_ms;
	int64_t tunnel_ms;
	int64_t replied_ms;
	int64_t seen_unix_s;
	int64_t said_s;
	int64_t told_ms;
	bool is_ours;
	struct relay_path path;
	struct peer_punch punch;
	bool said_goodbye;
	bool lost_ip;
	bool lost_ip6;
	bool has_left;
	int64_t handshake_s;
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint64_t rx_rate;
	uint64_t tx_rate;
	int64_t rtt_us;
	int64_t skew_s;
	struct endpoint tunnel;
	struct peer_applied applied;
	bool in_use;
	uint16_t slot;
	uint16_t next;
	uint16_t next_ip[2];
};

struct peers;

/**
 * peers_new() - Make an empty table for PEERS_MAX peers
 * @self:	Our own key: it never enters the table
 *
 * Return: table owned by the caller, to be freed with peers_free(); NULL without memory
 */
struct peers *peers_new(const struct wg_key *self);
void peers_free(struct peers *t);

/**
 * peers_claim() - Our own mesh addresses, which no peer may have; called again when they change
 * @t:		Table
 * @mesh_ip:	IPv4 mesh address
 * @mesh_ip6:	IPv6 mesh address, or "none"
 */
void peers_claim(struct peers *t, const struct ip *mesh_ip, const struct ip *mesh_ip6);

/**
 * peers_settle() - What a peer's claim to its mesh addresses rests on has changed
 * @t:		Table
 * @p:		Peer whose @tunnel_ms has become other than 0, or whose @has_left has changed
 *
 * Of two keys with one mesh address, one that a tunnel has proved comes before one that was only
 * announced, for whoever knows the secret can announce any key; then the lower key text. Who was
 * only told of, or has left, takes it from nobody. Peers that win or lose by it are marked.
 */
void peers_settle(struct peers *t, const struct peer *p);

/**
 * peers_has_ip() - Does anybody in the table say that an IPv4 mesh address is his?
 */
bool peers_has_ip(struct peers *t, const struct ip *mesh_ip);

/**
 * struct sighting - What one datagram, or one cache entry, says of a peer
 * @who:	Announced fields; borrowed
 * @routes:	Networks behind it; borrowed; checked by the caller
 * @n_routes:	Entries in @routes
 * @has_routes:	@routes is the owner's own list and replaces what we have, even when empty
 * @method:	Who reports it
 * @endpoint:	WireGuard endpoint; "none" when no literal follows
 * @source:	Where its datagrams come from, with its WireGuard port; "none" when that means nothing
 * @more:	Further endpoints that the peer itself names; borrowed
 * @n_more:	Entries in @more
 * @control:	Address of its exchange socket; "none" when unknown
 * @said_s:	When the peer itself sealed it, by its own clock; 0 where it was not the peer
 * @seen_unix_s: Only with METHOD_CACHE: when it was last heard
 */
struct sighting {
	const struct known_peer *who;
	const struct prefix *routes;
	size_t n_routes;
	bool has_routes;
	enum peer_method method;
	struct endpoint endpoint;
	struct endpoint source;
	const struct endpoint *more;
	size_t n_more;
	struct endpoint control;
	int64_t said_s;
	int64_t seen_unix_s;
};

enum peer_change {
	PEER_IGNORED,	/* our own key, or the table is full */
	PEER_UNCHANGED, /* only its age was refreshed */
	PEER_CHANGED,	/* an address, route or name differs: reconcile it */
	PEER_BACK,	/* no tunnel, and its first word, or the first since it was gone */
	PEER_NEW,	/* a new row */
};

/**
 * peers_sight() - Take a sighting into the table
 * @t:		Table
 * @s:		Sighting; borrowed
 * @now:	Time
 * @out:	Receives the row; NULL when ignored
 *
 * What was captured can be sent again from elsewhere, by somebody without the secret: from another
 * address, only an announcement newer than all that were heard lately counts.
 *
 * Non-empty fields overwrite, empty ones never do; endpoints by rank (endpoint_replaces()), where a
 * LAN endpoint that was last announced more than 30 s ago has lost its rank, because laptops leave.
 * What others tell changes no field but the endpoint, and not even that while packets flow. A full
 * table gives up the peer that was seen longest ago and is not in WireGuard; for one that was only
 * told of, only another such.
 *
 * Return: what changed
 */
enum peer_change peers_sight(struct peers *t, const struct sighting *s, struct now now,
			     struct peer **out);

struct peer *peers_find(struct peers *t, const struct wg_key *key);

/**
 * peers_next_with_prefix() - Walk those whose keys begin like this
 * @t:		Table
 * @prefix:	pex_prefix() of a key
 * @prev:	NULL to begin, then the row before
 *
 * Return: next row, or NULL at the end
 */
struct peer *peers_next_with_prefix(struct peers *t, uint32_t prefix, const struct peer *prev);

/**
 * peers_next() - Walk the table
 * @t:		Table
 * @prev:	NULL to begin, then the row before
 *
 * Return: next row, or NULL at the end. The row may be removed before the next call.
 */
struct peer *peers_next(struct peers *t, const struct peer *prev);

/**
 * peers_at() - The row in a slot, or NULL when it is free
 */
struct peer *peers_at(struct peers *t, uint16_t slot);

/**
 * peers_mark() / peers_unmark() - Note that a peer has to be compared with WireGuard, or has been
 */
void peers_mark(struct peers *t, const struct peer *p);
void peers_unmark(struct peers *t, const struct peer *p);
bool peers_is_marked(const struct peers *t, const struct peer *p);

/**
 * peers_next_marked() - Walk those that are marked, without a look at the others
 * @t:		Table
 * @prev:	NULL to begin, then the row before
 *
 * Return: next row, or NULL at the end; rows may be marked, unmarked and removed in between
 */
struct peer *peers_next_marked(struct peers *t, const struct peer *prev);

void peers_remove(struct peers *t, struct peer *p);
size_t peers_count(const struct peers *t);

/**
 * peer_is_active() - Alive within five minutes, or a live tunnel, and not gone
 */
bool peer_is_active(const struct peer *p, struct now now);

/**
 * peer_is_verified() - Has the peer itself been heard in this run? Others may only have told of it.
 */
bool peer_is_verified(const struct peer *p);

/**
 * peer_is_hearsay() - Have only others told of it? Not even our own cache knows it then
 */
bool peer_is_hearsay(const struct peer *p);

/**
 * peer_alive_ms() - When it last showed life, by a word of its own or by its tunnel
 */
int64_t peer_alive_ms(const struct peer *p);

/**
 * peer_has_tunnel() - Is its last handshake younger than PEER_HANDSHAKE_S?
 */
bool peer_has_tunnel(const struct peer *p, struct now now);

/**
 * peer_is_on_lan() - Was it last heard by multicast, a moment ago? A laptop that left is not.
 */
bool peer_is_on_lan(const struct peer *p, struct now now);

/**
 * peer_use_tunnel() - The address that its tunnel has found, by whatever way, is its endpoint
 */
void peer_use_tunnel(struct peer *p, struct now now);

#endif /* DAEMON_PEERS_PEERS_H */

/* SPDX-License-Identifier: MIT */
/*
 * discovery - what a discovery layer and the node have to say to each other
 *
 * A layer turns datagrams into announcements and hands them over; it decides nothing about peers.
 * Each layer is optional, and none can keep another from starting.
 */
#ifndef DAEMON_DISCOVERY_DISCOVERY_H
#define DAEMON_DISCOVERY_DISCOVERY_H

#include "daemon/net/addr.h"
#include "daemon/peers/peers.h"
#include "daemon/view/view.h"
#include "daemon/wire/announce.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A node with a hundred routes needs this much; existing nodes receive no more on the LAN. */
#define DISCOVERY_DATAGRAM_MAX 4096

enum discovery_source {
	DISCOVERY_LAN,	  /* multicast announcement: the peer says where it is */
	DISCOVERY_HELLO,  /* the peer asked us: it knows where we are, and has our REPLY now */
	DISCOVERY_REPLY,  /* the peer answered us: it knows our key */
	DISCOVERY_GOSSIP, /* the peer passes on whom it knows, inside the tunnel */
};

/**
 * struct discovery_origin - How an announcement came
 * @from:	Address it came from
 * @source:	What it came as
 * @rtt_us:	How long the REPLY took in microseconds, 0 when that is not known
 * @via:	DISCOVERY_REPLY: enum peer_method bits of how that address was found, as told to
 *		exchange_hello()
 */
struct discovery_origin {
	struct endpoint from;
	enum discovery_source source;
	int64_t rtt_us;
	unsigned int via;
};

/**
 * struct discovery_handler - The node, as a layer sees it
 * @arg:	Passed to each call
 * @describe:	Fill in what we say of ourselves to whoever is at @to, NULL for the LAN; known peers
 *		included when @with_known; what it points to stays valid until the next call. May withhold it
 * @on_announcement: Somebody who knows the secret announced this
 * @on_rendezvous: Somebody who knows the secret sent a RENDEZVOUS_OFFER or _START; NULL: not served
 * @on_goodbye:	Somebody who knows the secret says that this key has stopped
 * @on_stale:	A datagram that was sealed with our secret, at a time too far from ours
 * @counters:	Where datagrams are counted by fate, and what is sent
 */
struct discovery_handler {
	void *arg;
	void (*describe)(void *arg, struct announcement *out, bool with_known,
			 const struct endpoint *to);
	void (*on_announcement)(void *arg, const struct announcement *a,
				const struct discovery_origin *o);
	void (*on_rendezvous)(void *arg, const struct envelope *env, const struct endpoint *from);
	void (*on_goodbye)(void *arg, const struct wg_key *key, int64_t timestamp,
			   const struct endpoint *from);
	void (*on_stale)(void *arg, int64_t timestamp, const struct endpoint *from);
	struct view_counters *counters;
};

/**
 * discovery_refuse() - Count a datagram that did not open, and tell of one from another time
 * @h:		The node
 * @r:		Why it did not open
 * @timestamp:	When it was sealed, as far as that could be read
 * @from:	Sender
 */
void discovery_refuse(const struct discovery_handler *h, enum envelope_result r, int64_t timestamp,
		      const struct endpoint *from);

/**
 * struct discovery_letter - What is to be said to whom
 * @type:	HELLO, REPLY or ANNOUNCE
 * @with_known:	Tell of others, too
 * @to:		Receiver, NULL for the LAN; a REPLY tells it that its HELLO came from there
 */
struct discovery_letter {
	enum message_type type;
	bool with_known;
	const struct endpoint *to;
};

/**
 * discovery_seal_self() - Make the datagram that announces this node
 * @out:	Receives DISCOVERY_DATAGRAM_MAX bytes at most
 * @letter:	What is to be said
 * @h:		The node
 * @key:	Gossip key, CRYPTO_KEY_LEN bytes
 *
 * Known peers, and behind them the compact exchange, are told as far as the datagram stays below
 * 1400 bytes: existing nodes tell all of them, in fragments that get lost (protocol.md B4).
 *
 * Return: bytes; -EADDRNOTAVAIL when the node withholds it; or another negative errno value
 */
long discovery_seal_self(char out[static DISCOVERY_DATAGRAM_MAX],
			 const struct discovery_letter *letter, const struct discovery_handler *h,
			 const uint8_t *key);

#endif /* DAEMON_DISCOVERY_DISCOVERY_H */

/* SPDX-License-Identifier: MIT */
/*
 * exchange - HELLO and REPLY between two nodes on the gossip port (protocol.md section 9)
 *
 * Answers every HELLO, repeated ones too, from the address it came to. Starts exchanges: one sealed
 * HELLO, sent again byte for byte until the REPLY or the end of patience.
 */
#ifndef DAEMON_DISCOVERY_EXCHANGE_H
#define DAEMON_DISCOVERY_EXCHANGE_H

#include "common/err.h"
#include "daemon/discovery/discovery.h"
#include "daemon/net/addr.h"
#include "daemon/wire/crypto.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct exchange;

/**
 * struct exchange_config - What an exchange needs to know
 * @port:	Gossip port
 * @key:	Gossip key, CRYPTO_KEY_LEN bytes; borrowed for good
 * @once:	--no-punching: a HELLO is sent only once
 * @gossip:	--gossip: an ANNOUNCE is listened to
 * @handler:	The node; borrowed for good
 */
struct exchange_config {
	uint16_t port;
	const uint8_t *key;
	bool once;
	bool gossip;
	const struct discovery_handler *handler;
};

/**
 * exchange_open() - Listen
 * @out:	Receives the handle, to be closed with exchange_close()
 * @base:	Event loop; borrowed
 * @cfg:	Configuration; copied
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int exchange_open(struct exchange **out, struct event_base *base, const struct exchange_config *cfg,
		  struct err *e);
void exchange_close(struct exchange *x);

/**
 * exchange_hello() - Start an exchange, unless one with the same address is under way
 * @x:		Handle
 * @to:		Address and gossip port
 * @via:	enum peer_method bits of how the address was found; comes back with the REPLY
 *
 * Return: false when too many others are under way: try again in a moment
 */
bool exchange_hello(struct exchange *x, const struct endpoint *to, unsigned int via);

/**
 * exchange_refresh() - The same where there is time: the answer may take most of a second
 *
 * The first repetition of exchange_hello() is faster than the answer of anybody who is far.
 */
bool exchange_refresh(struct exchange *x, const struct endpoint *to);

/**
 * exchange_try() - The same where nobody may be: a short HELLO, sent a few times
 * @x:		Handle
 * @to:		Address and gossip port
 * @via:	enum peer_method bits of how the address was found
 * @n_sends:	How often the HELLO is sent at most
 */
void exchange_try(struct exchange *x, const struct endpoint *to, unsigned int via, size_t n_sends);

/**
 * exchange_trials() - How many of those are under way; at most EXCHANGE_TRIALS_MAX, more are not begun
 *
 * What goes to a neighbour that does not exist waits in the kernel for three seconds, at the cost of
 * the send buffer: after a few hundred datagrams nothing else would leave this node.
 */
#define EXCHANGE_TRIALS_MAX 32
size_t exchange_trials(const struct exchange *x);

/**
 * exchange_send() - Seal a message of few bytes and send it once
 * @x:		Handle
 * @to:		Address and gossip port
 * @type:	What it is
 * @plain:	Its body, at most EXCHANGE_PLAIN_MAX bytes; borrowed
 * @len:	Bytes in @plain; a negative errno value of whoever wrote it is logged
 */
#define EXCHANGE_PLAIN_MAX 1024
void exchange_send(struct exchange *x, const struct endpoint *to, enum message_type type,
		   const char *plain, long len);

/**
 * exchange_reseal() - What we say of ourselves has changed: HELLOs under way say it from now on
 */
void exchange_reseal(struct exchange *x);

/**
 * exchange_announce() - Tell one peer, once, of this node and of others; no answer is expected
 */
void exchange_announce(struct exchange *x, const struct endpoint *to);

/**
 * exchange_goodbye() - Tell one peer, once, that we stop
 */
void exchange_goodbye(struct exchange *x, const struct endpoint *to, const struct wg_key *self);

/**
 * exchange_stop() - Hear nobody, answer nobody and greet nobody from now on; goodbyes are still said
 *
 * Whoever heard from us after our goodbye would take us for a node that is back.
 */
void exchange_stop(struct exchange *x);

#endif /* DAEMON_DISCOVERY_EXCHANGE_H */

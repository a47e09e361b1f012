/* SPDX-License-Identifier: MIT */
/*
 * stunclient - ask STUN servers where this node is seen, without ever waiting
 *
 * A round asks all servers at once from a socket of its own, whose port nobody knows before and which
 * is closed when the round is over: between rounds there is nothing to send a forged answer to.
 */
#ifndef DAEMON_NAT_STUNCLIENT_H
#define DAEMON_NAT_STUNCLIENT_H

#include "common/err.h"
#include "daemon/nat/stunround.h"
#include "daemon/net/hostport.h"

#include <stdbool.h>
#include <stdint.h>

#define STUNCLIENT_PORT	    3478  /* RFC 8489 section 18.6; of a server without one */
#define STUNCLIENT_ROUND_MS 20000 /* a round is over by then, whatever the name servers do */

struct event_base;
struct resolver;
struct stunclient;

/* Is called when a round is over; may ask for the next one, must not close the client. */
typedef void stunclient_fn(void *arg, const struct stunround *r, uint16_t local_port);

/**
 * struct stunclient_config - What a client needs to know
 * @servers:	Whom to ask; borrowed for good. None: the public servers that existing nodes ask
 * @resolver:	For their names; borrowed for good; NULL: names have no address
 * @no_ipv6:	Ask only over IPv4
 * @done:	Told what came of each round
 * @arg:	Passed to @done
 */
struct stunclient_config {
	const struct hostports *servers;
	struct resolver *resolver;
	bool no_ipv6;
	stunclient_fn *done;
	void *arg;
};

/**
 * stunclient_open() - Make a client, which does nothing until it is asked to
 * @out:	Receives the handle, to be closed with stunclient_close()
 * @base:	Event loop; borrowed
 * @cfg:	Configuration; copied
 * @e:		Receives the reason on failure
 *
 * Return: 0 or a negative errno value
 */
int stunclient_open(struct stunclient **out, struct event_base *base,
		    const struct stunclient_config *cfg, struct err *e);

/* Ends the round that is under way without a word; NULL is harmless. */
void stunclient_close(struct stunclient *c);

/**
 * stunclient_ask() - Begin a round; one that is under way starts anew
 */
void stunclient_ask(struct stunclient *c);

#endif /* DAEMON_NAT_STUNCLIENT_H */

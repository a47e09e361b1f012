/* SPDX-License-Identifier: MIT */
/*
 * discovery - what a discovery layer and the node have to say to each other
 *
 * A layer turns datagrams into announcements and hands them over; it decides nothing about peers.
 * Each layer is optional, and none can keep another from starting.
 */
#ifndef DAEMON_DISCOVERY_DISCOVERY_H
#define DAEMON_DISCOVERY_DISCOVERY_H

#include "daemon/addr.h"
#include "daemon/announce.h"

#include <stdint.h>

enum discovery_source {
	DISCOVERY_LAN,	 /* multicast announcement: the peer says where it is */
	DISCOVERY_HELLO, /* the peer asked us: it knows where we are, and has our REPLY now */
	DISCOVERY_REPLY, /* the peer answered us: it knows our key */
};

/**
 * struct discovery_handler - The node, as a layer sees it
 * @arg:	Passed to each call
 * @describe:	Fill in what we say of ourselves to @to, known peers included when @with_known;
 *		what it points to stays valid until the next call
 * @on_announcement: Somebody who knows the secret announced this, from this address
 * @on_goodbye:	Somebody who knows the secret says that this key has stopped
 */
struct discovery_handler {
	void *arg;
	void (*describe)(void *arg, struct announcement *out, bool with_known);
	void (*on_announcement)(void *arg, const struct announcement *a,
				const struct endpoint *from, enum discovery_source source);
	void (*on_goodbye)(void *arg, const struct wg_key *key, int64_t timestamp,
			   const struct endpoint *from);
};

#endif /* DAEMON_DISCOVERY_DISCOVERY_H */

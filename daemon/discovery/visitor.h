/* SPDX-License-Identifier: MIT */
/*
 * visitor - somebody who knows the secret and asks, but does not stay
 *
 * A HELLO makes the sender a peer of whoever answers it. A visitor has a key that is thrown away, an
 * address that no node ever has, and says goodbye at the end (protocol.md B23); one that is killed
 * before is forgotten after ten minutes. Nodes of this project do not even take it in, since it says
 * what it is.
 */
#ifndef DAEMON_DISCOVERY_VISITOR_H
#define DAEMON_DISCOVERY_VISITOR_H

#include "common/err.h"
#include "daemon/net/udp.h"
#include "daemon/wire/announce.h"
#include "daemon/wire/derive.h"

#include <stddef.h>
#include <stdint.h>

/**
 * struct visitor - A visitor
 * @keys:	Of the mesh; borrowed
 * @self:	What it says of itself
 * @direct:	Asks, and hears answers; fd -1 where that cannot be
 * @group:	Listens to the LAN; fd -1 where that cannot be
 * @skew_s:	How far the clocks of those who answered are ahead of ours: existing nodes believe a
 *		goodbye that seems older than a minute as little as one from the future, but take in
 *		whoever is less than ten minutes off
 */
struct visitor {
	const struct mesh_keys *keys;
	struct known_peer self;
	struct udp direct;
	struct udp group;
	int64_t skew_s;
};

/**
 * visitor_open() - Arrive
 * @v:		Receives the visitor; close it with visitor_close()
 * @keys:	Of the mesh; borrowed
 * @name:	Host name to give
 * @port:	UDP port to ask from, 0 for any; refused where somebody has it, a node of this host for one
 * @e:		Receives the reason when it can neither ask nor listen
 *
 * Where only one of both can be had, the other's descriptor is -1.
 *
 * Return: 0 or a negative errno value
 */
int visitor_open(struct visitor *v, const struct mesh_keys *keys, const char *name, uint16_t port,
		 struct err *e);

/**
 * visitor_hello() - Ask
 * @v:		Visitor
 * @to:		Nodes; borrowed
 * @n:		Entries in @to
 *
 * Return: 0, or why the last of those that could not be sent could not, as a negative errno value
 */
int visitor_hello(const struct visitor *v, const struct endpoint *to, size_t n);

/**
 * visitor_close() - Say goodbye to those who were asked, and leave
 */
void visitor_close(struct visitor *v, const struct endpoint *asked, size_t n);

#endif /* DAEMON_DISCOVERY_VISITOR_H */

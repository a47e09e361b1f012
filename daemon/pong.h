/* SPDX-License-Identifier: MIT */
/*
 * pong - the TCP health probe server on the mesh addresses (protocol.md section 13)
 *
 * A line "ping" is answered with "pong". Existing nodes evict a relayed peer that does not answer.
 */
#ifndef DAEMON_PONG_H
#define DAEMON_PONG_H

#include "common/err.h"
#include "daemon/addr.h"

struct event_base;
struct pong;

/**
 * pong_open() - Listen on one mesh address
 * @out:	Receives the handle, to be closed with pong_close()
 * @base:	Event loop; borrowed
 * @at:		Mesh address and port
 * @e:		Receives the reason on failure
 *
 * A connection is closed ten seconds after its last whole ping. There are 256; one more takes the place
 * of the one that was silent longest.
 *
 * Return: 0 or a negative errno value
 */
int pong_open(struct pong **out, struct event_base *base, const struct endpoint *at, struct err *e);
void pong_close(struct pong *p);

#endif /* DAEMON_PONG_H */

/* SPDX-License-Identifier: MIT */
/* routelist - a list of networks to advertise, as a person writes it; pure */
#ifndef DAEMON_PEERS_ROUTELIST_H
#define DAEMON_PEERS_ROUTELIST_H

#include "common/err.h"
#include "daemon/wire/announce.h"

#include <stdbool.h>
#include <stddef.h>

/* Wider ones are nearly default routes: by a few of them somebody has all traffic of a machine. */
#define ROUTELIST_BITS_MIN 8

/**
 * struct routelist - Networks to advertise
 * @n:		Entries in @net
 * @net:	Networks, host bits cleared
 */
struct routelist {
	size_t n;
	struct prefix net[ANNOUNCE_ROUTES_MAX];
};

/**
 * routelist_parse() - Read "192.168.10.0/24,fd00:1::/64"
 * @out:	Receives the list; not to be used after a failure
 * @text:	Networks, separated by commas or spaces; none at all is an empty list
 * @origin:	What a person has to correct: "--advertise-routes", or a file and its line
 * @e:		Names the network and what is wrong
 *
 * Default routes are refused, and lists that no announcement has room for.
 *
 * Return: 0, or -EINVAL or -E2BIG with exit code 64
 */
int routelist_parse(struct routelist *out, const char *text, const char *origin, struct err *e);

/**
 * routelist_holds() - Does a network lie in one of the list?
 * @l:		List; NULL has none
 * @net:	Network, host bits cleared
 */
bool routelist_holds(const struct routelist *l, const struct prefix *net);

#endif /* DAEMON_PEERS_ROUTELIST_H */

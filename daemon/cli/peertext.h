/* SPDX-License-Identifier: MIT */
/* peertext - peers as a node's control socket tells of them, for people; pure */
#ifndef DAEMON_CLI_PEERTEXT_H
#define DAEMON_CLI_PEERTEXT_H

#include "common/err.h"
#include "daemon/cli/show.h"

#include <jansson.h>

/**
 * peertext_sort() - Put peers into an order that stays: by host name, then by key
 * @list:	JSON list of peers; borrowed; what is no object is left out
 *
 * Return: JSON list owned by the caller; NULL without memory
 */
json_t *peertext_sort(json_t *list);

/**
 * peertext_list() - Print `wgmesh peers list`: the columns of existing nodes
 * @s:		How
 * @list:	JSON list of peers; borrowed
 */
void peertext_list(const struct show *s, json_t *list);

/**
 * peertext_paths() - Print the peers of `wgmesh status`: how packets get there, or why not
 * @s:		How
 * @list:	JSON list of peers; borrowed
 */
void peertext_paths(const struct show *s, json_t *list);

/**
 * peertext_members() - Print all that is known of one peer, or any other flat answer
 * @s:		How
 * @object:	JSON object; borrowed
 */
void peertext_members(const struct show *s, json_t *object);

/**
 * peertext_pick() - Find the peer that somebody means
 * @list:	JSON list of peers; borrowed
 * @what:	Public key, host name (in any case), mesh address, or the beginning of one key
 * @e:		Says that there is none, or which there are
 *
 * Return: the peer, borrowed from @list; NULL when there is none, or more than one
 */
json_t *peertext_pick(json_t *list, const char *what, struct err *e);

#endif /* DAEMON_CLI_PEERTEXT_H */

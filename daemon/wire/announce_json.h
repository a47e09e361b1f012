/* SPDX-License-Identifier: MIT */
/* announce_json - members that announcements, known peers and the peer cache have in common; pure */
#ifndef DAEMON_WIRE_ANNOUNCE_JSON_H
#define DAEMON_WIRE_ANNOUNCE_JSON_H

#include "daemon/wire/announce.h"
#include "daemon/wire/json.h"

#include <stddef.h>

/**
 * announce_read_peer() - Read and validate one node
 * @out:	Receives the node
 * @object:	JSON object; borrowed; any other value is refused
 * @endpoint_name: "wg_endpoint" on the wire, "endpoint" in the cache
 *
 * Return: enum announce_result
 */
enum announce_result announce_read_peer(struct known_peer *out, json_t *object,
					const char *endpoint_name);

/**
 * announce_read_key() / announce_read_key_named() - Read "wg_pubkey", or another key, alone
 *
 * Return: 0, or -EINVAL when it is not a canonical, non-zero key
 */
int announce_read_key(struct wg_key *out, json_t *object);
int announce_read_key_named(struct wg_key *out, json_t *object, const char *name);

/**
 * announce_read_routes() - Read "routable_networks"
 * @routes:	Receives at most ANNOUNCE_ROUTES_MAX networks, as written
 * @n:		Receives their number
 * @object:	JSON object; borrowed
 *
 * Return: enum announce_result
 */
enum announce_result announce_read_routes(struct prefix *routes, size_t *n, json_t *object);

/**
 * announce_write_peer() - Write a node from "wg_pubkey" to "introducer"
 * @w:		Writer with an open object
 * @peer:	Node; its nat_type is left to the caller, as its place in the order differs
 * @endpoint_name: "wg_endpoint" or "endpoint"
 */
void announce_write_peer(struct json_writer *w, const struct known_peer *peer,
			 const char *endpoint_name);

void announce_write_routes(struct json_writer *w, const struct prefix *routes, size_t n);
void announce_write_nat_type(struct json_writer *w, const struct known_peer *peer);

#endif /* DAEMON_WIRE_ANNOUNCE_JSON_H */

/* SPDX-License-Identifier: MIT */
/* genl - WireGuard's generic netlink messages (linux/wireguard.h) as bytes; pure */
#ifndef DAEMON_WG_GENL_H
#define DAEMON_WG_GENL_H

#include "daemon/wg/wg.h"

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any request but peers. */
#define GENL_MSG_SIZE 256

/* Room for a message of peers. An attribute's length has 16 bits, which bounds the list of peers. */
#define GENL_PEERS_SIZE 65536

/* A short request, aligned as netlink wants it. */
union genl_req {
	struct nlmsghdr nlh;
	uint8_t bytes[GENL_MSG_SIZE];
};

/* Where a request goes: the number the kernel gave the family "wireguard", and the interface. */
struct genl_target {
	uint16_t family;
	const char *ifname;
};

/**
 * genl_get_family() - Ask the kernel for WireGuard's family number
 */
void genl_get_family(union genl_req *req);

/**
 * genl_parse_family() - Read the answer
 *
 * Return: 0 or -EBADMSG
 */
int genl_parse_family(uint16_t *out, const struct nlmsghdr *nlh);

/**
 * genl_get_device() - Ask for the interface and all its peers
 */
void genl_get_device(union genl_req *req, const struct genl_target *to);

/**
 * genl_set_device() - Set private key and port
 * @req:	Receives the request; the caller wipes it
 * @to:		Target
 * @private_key: 32 bytes; NULL leaves it
 * @listen_port: 0 leaves it
 */
void genl_set_device(union genl_req *req, const struct genl_target *to, const uint8_t *private_key,
		     uint16_t listen_port);

/**
 * struct genl_peers - A request that changes peers, under construction
 * @nlh:	The request
 * @size:	Room that it has
 * @list:	Its list of peers
 * @n:		Peers in it, the part of one included
 * @n_allowed:	Prefixes of the peer under way that earlier requests have
 */
struct genl_peers {
	struct nlmsghdr *nlh;
	size_t size;
	struct nlattr *list;
	size_t n;
	size_t n_allowed;
};

/**
 * genl_peers_begin() - Begin a request without peers
 * @m:		Request; zero before the first one, then as the one before left it
 * @buf:	@size bytes, aligned for struct nlmsghdr; receives the request; the caller wipes it
 * @size:	At least GENL_PEER_MIN, at most GENL_PEERS_SIZE
 * @to:		Target
 */
void genl_peers_begin(struct genl_peers *m, void *buf, size_t size, const struct genl_target *to);

/* Room for a request with a peer and one of its prefixes. */
#define GENL_PEER_MIN 512

/**
 * genl_peers_add() - Add a change
 * @m:		Request
 * @peer:	Change; borrowed
 *
 * A peer goes into one request whole, lest it be without some of its networks for a moment. Only one
 * that no request has room for is split, as the kernel expects it: its key again, and more prefixes.
 *
 * Return: true when all of it is in; otherwise send this request, begin the next one, and add the same
 *         change again
 */
bool genl_peers_add(struct genl_peers *m, const struct wg_peer_config *peer);

/**
 * genl_peers_end() - Complete the request
 *
 * Return: peers in it; nothing need be sent when there are none
 */
size_t genl_peers_end(struct genl_peers *m);

/**
 * struct genl_dump - A reader of the answer to genl_get_device(), one message after another
 * @family:	Family number
 * @fn:		Called per peer, may be NULL
 * @arg:	Passed on to @fn
 * @dev:	The interface's own state, complete at the end
 * @has_peer:	@peer is under way: its allowed prefixes may go on in the next message
 * @peer:	Peer
 */
struct genl_dump {
	uint16_t family;
	wg_peer_fn *fn;
	void *arg;
	struct wg_device_state dev;
	bool has_peer;
	struct wg_peer_state peer;
};

/**
 * genl_dump_message() - Read one message
 * @d:		Reader, with @family, @fn and @arg set and the rest zero before the first
 * @nlh:	Message whose length has been checked
 *
 * Return: 0, the non-zero value that @d->fn returned, or -EBADMSG
 */
int genl_dump_message(struct genl_dump *d, const struct nlmsghdr *nlh);

/**
 * genl_dump_end() - Hand out the last peer
 *
 * Return: 0 or the non-zero value that @d->fn returned
 */
int genl_dump_end(struct genl_dump *d);

#endif /* DAEMON_WG_GENL_H */

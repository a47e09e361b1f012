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

/*
 * Room for a message of peers. An attribute's length has 16 bits, which bounds the list of peers;
 * the largest single peer is a small part of it.
 */
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
 * genl_set_peers() - Pack as many peers as fit into one request
 * @buf:	GENL_PEERS_SIZE bytes, aligned for struct nlmsghdr; receives the request; the caller
 *		wipes it
 * @to:		Target
 * @peers:	Changes; borrowed
 * @n:		Entries in @peers
 *
 * Return: peers packed, at least one when @n is not 0
 */
size_t genl_set_peers(void *buf, const struct genl_target *to, const struct wg_peer_config *peers,
		      size_t n);

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

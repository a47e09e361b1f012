/* SPDX-License-Identifier: MIT */
/* uapi - WireGuard's cross-platform text protocol (wireguard.com/xplatform) as bytes; pure */
#ifndef DAEMON_WG_UAPI_H
#define DAEMON_WG_UAPI_H

#include "daemon/net/growbuf.h"
#include "daemon/wg/wg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The request for everything. */
#define UAPI_GET "get=1\n\n"

/**
 * struct uapi_device - The interface's own part of an answer
 * @has_private_key: A private key is set
 * @private_key: Key; the caller wipes it
 * @listen_port: UDP port, 0 for none
 */
struct uapi_device {
	bool has_private_key;
	uint8_t private_key[WG_KEY_LEN];
	uint16_t listen_port;
};

/**
 * uapi_set_device() - Write a request that sets private key and port
 * @b:		Receives the text; an error sticks in it
 * @private_key: 32 bytes; NULL leaves it
 * @listen_port: 0 leaves it
 */
void uapi_set_device(struct growbuf *b, const uint8_t *private_key, uint16_t listen_port);

/**
 * uapi_set_peers() - Write one request that applies all changes
 * @b:		Receives the text; an error sticks in it
 * @changes:	Changes, taken once
 *
 * Return: how many there were
 */
size_t uapi_set_peers(struct growbuf *b, const struct wg_changes *changes);

/**
 * uapi_is_complete() - Does an answer end here?
 */
bool uapi_is_complete(const void *text, size_t len);

/**
 * uapi_parse() - Read an answer
 * @dev:	Receives the interface's own state; wiped by the caller
 * @fn:		Called for each peer, may be NULL
 * @arg:	Passed on to @fn
 * @text:	Answer; need not be terminated; borrowed
 * @len:	Bytes in @text
 *
 * Unknown keys are passed over, so that newer implementations are understood.
 *
 * Return: 0, the non-zero value that @fn returned, the negative errno value that the answer
 *         reports, or -EBADMSG
 */
int uapi_parse(struct uapi_device *dev, wg_peer_fn *fn, void *arg, const char *text, size_t len);

#endif /* DAEMON_WG_UAPI_H */

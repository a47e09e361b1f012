/* SPDX-License-Identifier: MIT */
/*
 * endpoint - which address an advertised host:port stands for (protocol.md sections 7 and 9); pure
 *
 * Results are text, because a host name is a legal answer; what endpoint_parse() does not take is
 * not used for WireGuard. An empty text means "none".
 */
#ifndef DAEMON_WIRE_ENDPOINT_H
#define DAEMON_WIRE_ENDPOINT_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENDPOINT_TEXT_MAX 263 /* host name of 253, brackets, ':', five digits, sign */
#define ENDPOINT_OUT_SIZE (ENDPOINT_TEXT_MAX + 8) /* another port may be longer */

/**
 * endpoint_is_acceptable() - May this be advertised?
 * @text:	Candidate
 *
 * Return: true for empty text, or host:port with a port 1..65535 that may have a sign; the host is
 *         empty, a literal (IPv6 in brackets) or a name of at most 253 printable characters
 */
bool endpoint_is_acceptable(const char *text);

/*
 * endpoint_from_*() - Resolve what @advertised stands for when it came by this path
 * @out:	Receives the endpoint; has ENDPOINT_OUT_SIZE bytes
 * @advertised:	Text as received; borrowed
 * @sender:	Source of the datagram, NULL when unknown
 */
void endpoint_from_lan(char *out, const char *advertised, const struct ip *sender);
void endpoint_from_exchange(char *out, const char *advertised, const struct ip *sender);
void endpoint_from_known_peer(char *out, const char *advertised);

/**
 * endpoint_control() - Where the exchange of a peer listens: the host of its endpoint, gossip port
 * @out:	Receives the endpoint; has ENDPOINT_OUT_SIZE bytes
 * @endpoint:	WireGuard endpoint as text
 * @gossip_port: Port of the exchange
 */
void endpoint_control(char *out, const char *endpoint, uint16_t gossip_port);

/**
 * endpoint_rank() - Trust in the endpoint a discovery method reports
 * @method:	"lan", "dht", "cache", ...; unknown methods rank 30, "" 0
 */
unsigned int endpoint_rank(const char *method);

/**
 * endpoint_replaces() - Does a newly reported endpoint replace the one we have?
 */
bool endpoint_replaces(const char *old, const char *old_method, const char *new,
		       const char *new_method);

#endif /* DAEMON_WIRE_ENDPOINT_H */

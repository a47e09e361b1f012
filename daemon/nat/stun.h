/* SPDX-License-Identifier: MIT */
/* stun - the binding request of RFC 8489 and what may come back; pure */
#ifndef DAEMON_NAT_STUN_H
#define DAEMON_NAT_STUN_H

#include "daemon/net/addr.h"

#include <stddef.h>
#include <stdint.h>

#define STUN_TRANSACTION_LEN 12
#define STUN_REQUEST_LEN     20
#define STUN_ANSWER_MAX	     1280 /* longer ones are nobody's answer to a binding request */

/**
 * struct stun_transaction - What ties an answer to its request
 * @b:	Random bytes: whoever does not see the request cannot answer it
 */
struct stun_transaction {
	uint8_t b[STUN_TRANSACTION_LEN];
};

enum stun_result {
	STUN_OK = 0,
	STUN_NOT_OURS = 1, /* no STUN, or not the answer to this request */
	STUN_REFUSED,	   /* the server answers with an error, such as "try another server" */
	STUN_MALFORMED,	   /* an answer to this request that makes no sense, or has no address */
};

/**
 * stun_request() - Write a binding request without attributes
 */
void stun_request(uint8_t out[static STUN_REQUEST_LEN], const struct stun_transaction *t);

/**
 * stun_parse() - Read an answer
 * @out:	Receives the address and port that the server saw; "none" unless STUN_OK
 * @buf:	Datagram; borrowed
 * @len:	Bytes in @buf
 * @t:		Of the request
 *
 * XOR-MAPPED-ADDRESS counts before MAPPED-ADDRESS, which some NATs rewrite, and the first of either
 * before the others. Attributes that mean nothing here are passed over, also those that RFC 8489 wants
 * to be understood: an address is an address.
 *
 * Return: enum stun_result
 */
enum stun_result stun_parse(struct endpoint *out, const void *buf, size_t len,
			    const struct stun_transaction *t);

#endif /* DAEMON_NAT_STUN_H */

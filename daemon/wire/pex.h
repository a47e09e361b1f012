/* SPDX-License-Identifier: MIT */
/*
 * pex - compact peer exchange: where other members are, in ten bytes each; pure
 *
 * Members "pex" and "pex6" of HELLO, REPLY and ANNOUNCE, which existing nodes ignore: base64 of
 * records of four bytes of the public key, the address (4 or 16 bytes) and the port, big endian. A
 * datagram that is never fragmented has room for three known peers, or for some fifty records. An
 * address proves nothing: it is only worth a HELLO.
 */
#ifndef DAEMON_WIRE_PEX_H
#define DAEMON_WIRE_PEX_H

#include "daemon/net/addr.h"
#include "daemon/wg/wg.h"
#include "daemon/wire/json.h"

#include <stddef.h>
#include <stdint.h>

#define PEX_MAX 64 /* records of one message, of both families together */

/**
 * struct pex_record - A member was heard there
 * @prefix:	First four bytes of its public key, as pex_prefix() makes them
 * @at:		Address and port of its exchange
 */
struct pex_record {
	uint32_t prefix;
	struct endpoint at;
};

/**
 * struct pex_list - Those of one message
 * @n:		Entries in @record
 * @record:	In the order of their worth: what does not fit is left out from the end
 */
struct pex_list {
	size_t n;
	struct pex_record record[PEX_MAX];
};

/**
 * pex_prefix() - What a record says of a key
 */
uint32_t pex_prefix(const struct wg_key *key);

/**
 * pex_read() - Read the members of a message
 * @out:	Receives the records; none when the members are absent or are not what they should be
 * @body:	JSON object; borrowed
 *
 * What is more than PEX_MAX, or has no port, is passed over.
 */
void pex_read(struct pex_list *out, json_t *body);

/**
 * pex_write() - Write as many records as fit
 * @w:		Writer with an open object
 * @list:	Records; borrowed
 * @room:	Bytes that the members may take
 */
void pex_write(struct json_writer *w, const struct pex_list *list, size_t room);

#endif /* DAEMON_WIRE_PEX_H */

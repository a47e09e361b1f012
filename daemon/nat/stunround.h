/* SPDX-License-Identifier: MIT */
/*
 * stunround - one question to several STUN servers at once: what is sent when, and what it tells; pure
 *
 * All are asked from one socket, so that their answers can be compared. The times are those of RFC
 * 8489 section 6.2.1, ended early: whoever has not answered after eight seconds will not.
 */
#ifndef DAEMON_NAT_STUNROUND_H
#define DAEMON_NAT_STUNROUND_H

#include "daemon/nat/stun.h"
#include "daemon/net/addr.h"
#include "daemon/view/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STUNROUND_SERVERS_MAX 8 /* of both families together */
#define STUNROUND_FAMILY_MAX  4 /* of one family */

enum stunround_state {
	STUNROUND_ASKING,
	STUNROUND_ANSWERED,
	STUNROUND_REFUSED, /* by an error, or an answer without an address */
	STUNROUND_SILENT,
	STUNROUND_UNSENT, /* the kernel has no way there */
};

/**
 * struct stunround_server - A server that is asked
 * @at:		Its address: an answer has to come from there
 * @transaction: Of the question, the same in each repetition
 * @state:	What became of it
 * @n_sent:	How often it was asked
 * @due_ms:	When it is asked again, or is given up
 * @mapped:	STUNROUND_ANSWERED: where it sees us
 */
struct stunround_server {
	struct endpoint at;
	struct stun_transaction transaction;
	enum stunround_state state;
	unsigned int n_sent;
	int64_t due_ms;
	struct endpoint mapped;
};

/**
 * struct stunround - A round; all zero is one without servers
 * @n:		Entries in @server
 * @server:	Who is asked
 */
struct stunround {
	size_t n;
	struct stunround_server server[STUNROUND_SERVERS_MAX];
};

/**
 * stunround_add() - Ask one more server, from now on
 * @r:		Round
 * @at:		Address and port; one that is asked already counts once
 * @t:		Random bytes
 * @now_ms:	Monotonic time
 *
 * Return: false when there is no room for another one of its family
 */
bool stunround_add(struct stunround *r, const struct endpoint *at, const struct stun_transaction *t,
		   int64_t now_ms);

/**
 * stunround_next() - The next server to send to now, or NULL
 *
 * Counts it as sent to, and gives up those whose time is over.
 */
struct stunround_server *stunround_next(struct stunround *r, int64_t now_ms);

/**
 * stunround_due_ms() - When stunround_next() is to be asked again; INT64_MAX when the round is over
 */
int64_t stunround_due_ms(const struct stunround *r);

/**
 * stunround_take() - Take a datagram
 * @r:		Round
 * @buf:	Datagram; borrowed
 * @len:	Bytes in @buf
 * @from:	Sender
 *
 * Return: false for one that is no answer of a server that is still waited for
 */
bool stunround_take(struct stunround *r, const void *buf, size_t len, const struct endpoint *from);

/**
 * struct stunview - What the servers of one family say
 * @mapped:	The address most of them see, with the port most of those see; "none" when nobody
 *		answered, or they contradict each other
 * @n_asked:	Servers asked
 * @n_answered: How many answered with an address
 * @n_agreeing: How many see that address, whatever the port
 * @nat:	NAT_CONE or NAT_SYMMETRIC when at least two answered, otherwise NAT_UNKNOWN; NAT_NONE is
 *		the caller's to tell
 */
struct stunview {
	struct endpoint mapped;
	size_t n_asked;
	size_t n_answered;
	size_t n_agreeing;
	enum view_nat nat;
};

/**
 * stunround_judge() - Sum up what the servers of a family say
 *
 * One that says otherwise than all the others, of which there are at least two, is not believed.
 */
struct stunview stunround_judge(const struct stunround *r, uint8_t family);

#endif /* DAEMON_NAT_STUNROUND_H */

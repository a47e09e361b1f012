/* SPDX-License-Identifier: MIT */
/*
 * dnsmsg - questions to a name server and its answers (RFC 1035), as bytes; pure
 *
 * Only what it takes to find addresses: A and AAAA. An answer that was cut to fit is as good as any:
 * of a name that stands for a hundred nodes, the first few dozen will do. One that was cut down to
 * nothing would have to be asked for by TCP, which is not spoken here: that server cannot tell.
 */
#ifndef DAEMON_NET_DNSMSG_H
#define DAEMON_NET_DNSMSG_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNSMSG_QUERY_MAX     288  /* header, longest name, type, class, OPT */
#define DNSMSG_ANSWER_MAX    4096 /* taken */
#define DNSMSG_ADDRESSES_MAX 64
#define DNSMSG_NAME_SIZE     256 /* in dots, with a NUL */

/**
 * struct dnsmsg_question - What is asked
 * @name:	In dots, without the last one; borrowed
 * @family:	AF_INET for A, AF_INET6 for AAAA
 * @id:		Random
 * @is_plain:	Without EDNS, which a few old servers refuse
 */
struct dnsmsg_question {
	const char *name;
	uint8_t family;
	uint16_t id;
	bool is_plain;
};

enum dnsmsg_verdict {
	DNSMSG_FOUND,	      /* there are addresses */
	DNSMSG_NONE,	      /* there is no such name, or it has no address of this family */
	DNSMSG_FAILED,	      /* the server cannot tell */
	DNSMSG_NO_EDNS,	      /* the server understands only plain questions */
	DNSMSG_NOT_AN_ANSWER, /* forged, late, or noise */
};

/**
 * struct dnsmsg_answer - What a server says
 * @n:		Entries in @ip
 * @ip:		Addresses, each once
 * @ttl_s:	How long all of them hold, in seconds
 */
struct dnsmsg_answer {
	size_t n;
	struct ip ip[DNSMSG_ADDRESSES_MAX];
	uint32_t ttl_s;
};

/**
 * dnsmsg_ask() - Write a question
 * @out:	Receives DNSMSG_QUERY_MAX bytes at most
 * @q:		Question; borrowed
 *
 * Return: bytes, or -EINVAL for what is no name
 */
long dnsmsg_ask(uint8_t out[static DNSMSG_QUERY_MAX], const struct dnsmsg_question *q);

/**
 * dnsmsg_read() - Read an answer
 * @out:	Receives addresses when DNSMSG_FOUND is returned
 * @bytes:	Datagram; borrowed
 * @len:	Bytes in it
 * @q:		What was asked
 */
enum dnsmsg_verdict dnsmsg_read(struct dnsmsg_answer *out, const uint8_t *bytes, size_t len,
				const struct dnsmsg_question *q);

#endif /* DAEMON_NET_DNSMSG_H */

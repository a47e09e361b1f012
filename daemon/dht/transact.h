/* SPDX-License-Identifier: MIT */
/*
 * transact - queries that wait for an answer; pure
 *
 * An answer counts only when it carries the four random bytes that went with the query, and comes from
 * where the query went: whoever sees neither cannot answer in another's name.
 */
#ifndef DAEMON_DHT_TRANSACT_H
#define DAEMON_DHT_TRANSACT_H

#include "daemon/net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRANSACT_MAX	    64
#define TRANSACT_TID_LEN    4
#define TRANSACT_TIMEOUT_MS 2000

/**
 * struct transact - One query under way
 * @sent_ms:	When it was sent; 0 for a free slot
 * @to:		Where it went
 * @purpose:	What for; the caller's own
 * @tid:	Transaction
 */
struct transact {
	int64_t sent_ms;
	struct endpoint to;
	unsigned int purpose;
	uint8_t tid[TRANSACT_TID_LEN];
};

/**
 * struct transacts - All of them; zero is none
 */
struct transacts {
	struct transact slot[TRANSACT_MAX];
};

/**
 * transact_begin() - A query is about to be sent
 * @t:		Queries
 * @to:		Where it goes
 * @purpose:	What for
 * @tid:	Random bytes for its transaction
 * @now_ms:	Monotonic milliseconds, not 0
 *
 * Return: false when too many are under way
 */
bool transact_begin(struct transacts *t, const struct endpoint *to, unsigned int purpose,
		    const uint8_t tid[static TRANSACT_TID_LEN], int64_t now_ms);

/**
 * transact_end() - An answer came
 * @t:		Queries
 * @from:	Where it came from
 * @tid:	Transaction it carries
 * @len:	Bytes in @tid
 * @out:	Receives the query, which is over
 *
 * Return: false when none fits
 */
bool transact_end(struct transacts *t, const struct endpoint *from, const uint8_t *tid, size_t len,
		  struct transact *out);

/**
 * transact_expire() - Take one whose answer does not come any more
 *
 * Return: false when there is none
 */
bool transact_expire(struct transacts *t, int64_t now_ms, struct transact *out);

/**
 * transact_next_ms() - When the next one will expire; INT64_MAX when none is under way
 */
int64_t transact_next_ms(const struct transacts *t);

/**
 * transact_count() - How many are under way
 */
size_t transact_count(const struct transacts *t);

#endif /* DAEMON_DHT_TRANSACT_H */

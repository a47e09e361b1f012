/* SPDX-License-Identifier: MIT */
/*
 * connset - the open connections of one server: never more than so many, the newest is always let in
 *
 * A server that refuses newcomers when it is full is locked by whoever connects and says nothing.
 * Here the one that was here longest has to go instead, those that are being served last of all.
 * Pure: the server tells the time and closes what is evicted.
 */
#ifndef DAEMON_NET_CONNSET_H
#define DAEMON_NET_CONNSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connset;

/**
 * struct conn - One connection; embedded in the server's own struct, all zero before connset_add()
 * @owner:	The server's own struct
 * @since_ms:	When it was added
 * @is_served:	It has asked, and waits for its answer: evict those first that only sit there
 * @set:	The set it is in; NULL outside
 * @older:	Neighbours, by age
 * @newer:	Neighbours, by age
 */
struct conn {
	void *owner;
	int64_t since_ms;
	bool is_served;
	struct connset *set;
	struct conn *older;
	struct conn *newer;
};

/* Closes and frees a connection; it has been taken out of the set before. */
typedef void conn_evict_fn(void *owner);

/**
 * struct connset - Open connections by age
 * @oldest:	First to be evicted
 * @newest:	Last to be evicted
 * @n:		Connections
 * @max:	Never more than so many, at least 1
 * @evict:	Closes one
 * @n_evicted:	Evicted so far: to make room, or when their time was over
 */
struct connset {
	struct conn *oldest;
	struct conn *newest;
	size_t n;
	size_t max;
	conn_evict_fn *evict;
	uint64_t n_evicted;
};

/**
 * connset_init() - Begin with no connection
 * @s:		Set
 * @max:	Connections at most, at least 1
 * @evict:	Closes and frees the struct that a connection is embedded in
 */
void connset_init(struct connset *s, size_t max, conn_evict_fn *evict);

/**
 * connset_add() - Let a connection in, and evict another one when there is no room
 * @s:		Set
 * @c:		Connection; borrowed until it is removed or evicted
 * @owner:	What @evict is called with
 * @now_ms:	Time, never earlier than at the call before
 */
void connset_add(struct connset *s, struct conn *c, void *owner, int64_t now_ms);

/**
 * connset_remove() - The connection has ended by itself; harmless when it is in no set
 */
void connset_remove(struct conn *c);

/**
 * connset_evict() - Close one, to have its descriptor or its place
 * @s:		Set
 *
 * Return: false when there is none
 */
bool connset_evict(struct connset *s);

/**
 * connset_wait() - How long until somebody can be let in without driving out one who just came
 * @s:		Set
 * @now_ms:	Time
 * @grace_ms:	How long each may be here undisturbed
 *
 * Return: milliseconds; 0 when there is room, or when the next to be evicted is old enough
 */
int64_t connset_wait(const struct connset *s, int64_t now_ms, int64_t grace_ms);

/**
 * connset_expire() - Close those that have been here too long
 * @s:		Set
 * @now_ms:	Time
 * @lifetime_ms: How long each may be here
 *
 * Return: milliseconds until the next one has to go, -1 when there is none
 */
int64_t connset_expire(struct connset *s, int64_t now_ms, int64_t lifetime_ms);

/**
 * connset_clear() - Close all, without counting them as evicted
 */
void connset_clear(struct connset *s);

#endif /* DAEMON_NET_CONNSET_H */

/* SPDX-License-Identifier: MIT */
/*
 * clone - notice that one key is live in two places: a copied volume, a cloned machine; pure
 *
 * Each run of a node draws an instance, a random text, and announces it beside its key. Existing
 * nodes announce none; they ignore members that they do not know (protocol.md section 5). Two
 * instances of one key are a restart when they follow each other, and a clone when they alternate.
 */
#ifndef DAEMON_NODE_CLONE_H
#define DAEMON_NODE_CLONE_H

#include <stdbool.h>
#include <stdint.h>

#define CLONE_INSTANCE_LEN  16 /* hexadecimal digits */
#define CLONE_INSTANCE_SIZE (CLONE_INSTANCE_LEN + 1)

/* How long a clone that is not heard any more is still told of. */
#define CLONE_FORGET_MS 60000

/**
 * clone_is_instance() - Is a text an instance, or empty, as existing nodes have it?
 */
bool clone_is_instance(const char *text);

/**
 * struct clone_trail - The last two instances that announced a peer's key; all zero before the first
 * @current:	The one heard last
 * @before:	The one before it
 * @is_known:	@current is set
 * @had_before:	@before is set
 */
struct clone_trail {
	char current[CLONE_INSTANCE_SIZE];
	char before[CLONE_INSTANCE_SIZE];
	bool is_known;
	bool had_before;
};

/**
 * clone_follow() - Take an announcement of a peer
 * @t:		The peer's trail
 * @instance:	What it announced, may be empty
 *
 * Return: true when the key came back to an instance that it had left: two of them are live
 */
bool clone_follow(struct clone_trail *t, const char *instance);

/**
 * struct clone_alarm - Who else announces our own key; all zero before anybody did
 * @first_s:	Timestamp of the first such announcement
 * @heard_ms:	When the last one came, monotonic
 * @is_on:	There is no doubt any more
 */
struct clone_alarm {
	int64_t first_s;
	int64_t heard_ms;
	bool is_on;
};

/**
 * clone_hear_own_key() - Take an announcement of our own key by another instance
 * @a:		Alarm
 * @timestamp:	The announcement's, unix seconds
 * @since_s:	When this run started, unix seconds
 * @now_ms:	Monotonic time
 *
 * What an earlier run of our own said may still be on its way, or be replayed by somebody who has
 * recorded it: only announcements made after our start count, and only two that differ.
 *
 * Return: true when the alarm goes on now
 */
bool clone_hear_own_key(struct clone_alarm *a, int64_t timestamp, int64_t since_s, int64_t now_ms);

/**
 * clone_is_over() - Has a clone fallen silent? Then the alarm is off again
 * @a:		Alarm
 * @now_ms:	Monotonic time
 *
 * Return: true when the alarm goes off now
 */
bool clone_is_over(struct clone_alarm *a, int64_t now_ms);

#endif /* DAEMON_NODE_CLONE_H */

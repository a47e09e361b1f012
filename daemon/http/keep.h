/* SPDX-License-Identifier: MIT */
/*
 * keep - an answer that takes long to write is given to all who ask for it meanwhile
 *
 * It is kept for ten times as long as it took: whoever asks, and however often, writing it takes no more
 * than a tenth of the time. A small mesh's answer takes a moment, and so is kept for a few.
 */
#ifndef DAEMON_HTTP_KEEP_H
#define DAEMON_HTTP_KEEP_H

#include "daemon/http/endpoints.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct kept_body - A body that several connections are sending
 * @refs:	How many there are, and one while it is kept
 * @text:	Body
 */
struct kept_body {
	unsigned int refs;
	char *text;
};

/**
 * struct keep - The last answer; zero is none
 * @answer:	Answer
 * @body:	Its body; NULL for none
 * @until_us:	How long it holds
 */
struct keep {
	struct http_answer answer;
	struct kept_body *body;
	uint64_t until_us;
};

/**
 * keep_wrap() - Make a body one that can be shared
 * @text:	From malloc(3); taken over, also on failure
 *
 * Return: body with one reference, or NULL without memory
 */
struct kept_body *keep_wrap(char *text);

/* Drops a reference; the last one frees it. */
void keep_release(struct kept_body *b);

/**
 * keep_put() - Keep an answer, instead of the one before
 * @k:		Keeper
 * @a:		Answer; copied
 * @b:		Its body; gets one more reference
 * @began_us:	When writing it began
 * @now_us:	Now
 */
void keep_put(struct keep *k, const struct http_answer *a, struct kept_body *b, uint64_t began_us,
	      uint64_t now_us);

/**
 * keep_get() - The answer, if it still holds
 * @k:		Keeper
 * @now_us:	Now
 * @out:	Receives the answer
 *
 * Return: its body, with one more reference, or NULL
 */
struct kept_body *keep_get(struct keep *k, uint64_t now_us, struct http_answer *out);

void keep_close(struct keep *k);

#endif /* DAEMON_HTTP_KEEP_H */

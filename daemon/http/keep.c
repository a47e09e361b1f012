/* SPDX-License-Identifier: MIT */
#include "daemon/http/keep.h"

#include <stdlib.h>

#define SHARE 10 /* of the time, what writing may take */

struct kept_body *keep_wrap(char *text)
{
	struct kept_body *b = malloc(sizeof(*b));

	if (!b) {
		free(text);
		return NULL;
	}
	*b = (struct kept_body) { .refs = 1, .text = text };
	return b;
}

void keep_release(struct kept_body *b)
{
	if (--b->refs > 0)
		return;
	free(b->text);
	free(b);
}

void keep_close(struct keep *k)
{
	if (k->body)
		keep_release(k->body);
	*k = (struct keep) { .body = NULL };
}

void keep_put(struct keep *k, const struct http_answer *a, struct kept_body *b, uint64_t began_us,
	      uint64_t now_us)
{
	keep_close(k);
	b->refs++;
	*k = (struct keep) { .answer = *a,
			     .body = b,
			     .until_us = now_us + (now_us - began_us) * SHARE };
}

struct kept_body *keep_get(struct keep *k, uint64_t now_us, struct http_answer *out)
{
	if (!k->body)
		return NULL;
	if (now_us >= k->until_us) {
		keep_close(k);
		return NULL;
	}
	k->body->refs++;
	*out = k->answer;
	return k->body;
}

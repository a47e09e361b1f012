/* SPDX-License-Identifier: MIT */
#include "daemon/dht/transact.h"

#include <string.h>

bool transact_begin(struct transacts *t, const struct endpoint *to, unsigned int purpose,
		    const uint8_t tid[static TRANSACT_TID_LEN], int64_t now_ms)
{
	for (size_t i = 0; i < TRANSACT_MAX; i++) {
		struct transact *slot = &t->slot[i];

		if (slot->sent_ms != 0)
			continue;
		*slot = (struct transact) { .sent_ms = now_ms, .to = *to, .purpose = purpose };
		memcpy(slot->tid, tid, TRANSACT_TID_LEN);
		return true;
	}
	return false;
}

bool transact_end(struct transacts *t, const struct endpoint *from, const uint8_t *tid, size_t len,
		  struct transact *out)
{
	if (len != TRANSACT_TID_LEN)
		return false;
	for (size_t i = 0; i < TRANSACT_MAX; i++) {
		struct transact *slot = &t->slot[i];

		if (slot->sent_ms == 0 || memcmp(slot->tid, tid, len) != 0 ||
		    !endpoint_equal(&slot->to, from))
			continue;
		*out = *slot;
		slot->sent_ms = 0;
		return true;
	}
	return false;
}

bool transact_expire(struct transacts *t, int64_t now_ms, struct transact *out)
{
	for (size_t i = 0; i < TRANSACT_MAX; i++) {
		struct transact *slot = &t->slot[i];

		if (slot->sent_ms == 0 || now_ms - slot->sent_ms < TRANSACT_TIMEOUT_MS)
			continue;
		*out = *slot;
		slot->sent_ms = 0;
		return true;
	}
	return false;
}

int64_t transact_next_ms(const struct transacts *t)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < TRANSACT_MAX; i++) {
		int64_t sent = t->slot[i].sent_ms;

		if (sent != 0 && sent + TRANSACT_TIMEOUT_MS < next)
			next = sent + TRANSACT_TIMEOUT_MS;
	}
	return next;
}

size_t transact_count(const struct transacts *t)
{
	size_t total = 0;

	for (size_t i = 0; i < TRANSACT_MAX; i++)
		total += t->slot[i].sent_ms != 0;
	return total;
}

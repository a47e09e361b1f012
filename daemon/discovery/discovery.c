/* SPDX-License-Identifier: MIT */
#include "daemon/discovery/discovery.h"
#include "daemon/clock.h"
#include "daemon/wire/crypto.h"
#include "daemon/wire/envelope.h"

#include <errno.h>
#include <string.h>

#define PLAIN_UNFRAGMENTED 960	/* seals to less than 1400 bytes */
#define PLAIN_MAX	   3000 /* seals to less than DISCOVERY_DATAGRAM_MAX */

static enum view_fate fate_of(enum envelope_result r)
{
	switch (r) {
	case ENVELOPE_OK:
		return FATE_ACCEPTED;
	case ENVELOPE_BAD_JSON:
	case ENVELOPE_BAD_NONCE:
	case ENVELOPE_FORGED:
		return FATE_NOT_OURS;
	case ENVELOPE_TOO_OLD:
	case ENVELOPE_IN_FUTURE:
		return FATE_STALE;
	case ENVELOPE_BAD_PAYLOAD:
	case ENVELOPE_WRONG_PROTOCOL:
		break;
	}
	return FATE_INVALID;
}

void discovery_refuse(const struct discovery_handler *h, enum envelope_result r, int64_t timestamp,
		      const struct endpoint *from)
{
	enum view_fate fate = fate_of(r);

	h->counters->datagrams[fate]++;
	if (fate == FATE_STALE)
		h->on_stale(h->arg, timestamp, from);
}

long discovery_seal_self(char out[static DISCOVERY_DATAGRAM_MAX],
			 const struct discovery_letter *letter, const struct discovery_handler *h,
			 const uint8_t *key)
{
	struct announcement self = { 0 };
	uint8_t nonce[CRYPTO_NONCE_LEN];
	char plain[PLAIN_MAX];
	long len;

	h->describe(h->arg, &self, letter->with_known, letter->to);
	if (self.is_withheld)
		return -EADDRNOTAVAIL;
	self.timestamp = clock_now().unix_s;
	if (letter->type == MESSAGE_REPLY)
		self.observed = *letter->to;
	len = announce_format(plain, PLAIN_UNFRAGMENTED, &self);
	if (len == -EMSGSIZE) {
		self.n_known = 0;
		self.pex.n = 0;
		len = announce_format(plain, sizeof(plain), &self);
	}
	if (len < 0)
		return len;
	crypto_random(nonce, sizeof(nonce));
	return envelope_seal(out, DISCOVERY_DATAGRAM_MAX, letter->type, plain, (size_t)len, nonce,
			     key);
}

/* SPDX-License-Identifier: MIT */
#include "daemon/discovery/discovery.h"
#include "daemon/clock.h"
#include "daemon/crypto.h"
#include "daemon/envelope.h"

#include <errno.h>
#include <string.h>

#define PLAIN_UNFRAGMENTED 960	/* seals to less than 1400 bytes */
#define PLAIN_MAX	   3000 /* seals to less than DISCOVERY_DATAGRAM_MAX */

long discovery_seal_self(char out[static DISCOVERY_DATAGRAM_MAX], enum message_type type,
			 const struct discovery_handler *h, const uint8_t *key,
			 const struct endpoint *observed)
{
	struct announcement self = { 0 };
	uint8_t nonce[CRYPTO_NONCE_LEN];
	char plain[PLAIN_MAX];
	long len;

	h->describe(h->arg, &self, type != MESSAGE_ANNOUNCE);
	self.timestamp = clock_now().unix_s;
	if (observed)
		self.observed = *observed;
	len = announce_format(plain, PLAIN_UNFRAGMENTED, &self);
	if (len == -EMSGSIZE) {
		self.n_known = 0;
		len = announce_format(plain, sizeof(plain), &self);
	}
	if (len < 0)
		return len;
	crypto_random(nonce, sizeof(nonce));
	return envelope_seal(out, DISCOVERY_DATAGRAM_MAX, type, plain, (size_t)len, nonce, key);
}

/* SPDX-License-Identifier: MIT */
/* Bodies of introductions, which any member may send. */
#include "daemon/nat/introduce.h"
#include "daemon/wire/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/start.h"

#define NOW	  1767225600
#define PLAIN_MAX 16384

static const uint8_t key[CRYPTO_KEY_LEN] = { 1, 2, 3 };

static enum envelope_result pass(struct envelope *out, const char *plain, size_t len)
{
	static const uint8_t nonce[CRYPTO_NONCE_LEN];
	static char datagram[ENVELOPE_DATAGRAM_MAX + 1];
	long n = envelope_seal(datagram, sizeof(datagram), MESSAGE_RENDEZVOUS_START, plain, len,
			       nonce, key);

	FUZZ_CHECK(n > 0);
	return envelope_open(out, datagram, (size_t)n, key, NOW);
}

static void check_candidates(const struct rendezvous_candidates *c)
{
	FUZZ_CHECK(c->n <= sizeof(c->at) / sizeof(c->at[0]));
	for (size_t i = 0; i < c->n; i++)
		FUZZ_CHECK(rendezvous_is_candidate(&c->at[i]));
}

static void check_start(const struct start *first)
{
	static char plain[PLAIN_MAX];
	struct envelope env;
	struct start second;
	long len = start_format(plain, sizeof(plain), first);
	int64_t delay = start_delay_ms(first, NOW * INT64_C(1000));

	check_candidates(&first->candidates);
	FUZZ_CHECK(delay >= 0 && delay <= START_DELAY_MAX_MS);
	if (len < 0)
		return;
	FUZZ_CHECK(pass(&env, plain, (size_t)len) == ENVELOPE_OK);
	FUZZ_CHECK(start_parse(&second, &env) == 0);
	FUZZ_CHECK(memcmp(&second.peer, &first->peer, sizeof(second.peer)) == 0);
	FUZZ_CHECK(second.candidates.n == first->candidates.n);
	envelope_free(&env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envelope env;
	struct offer offer;
	struct start start;

	if (size > PLAIN_MAX)
		return -1;
	if (pass(&env, (const char *)data, size) != ENVELOPE_OK)
		return 0;
	if (offer_parse(&offer, &env) == 0)
		check_candidates(&offer.candidates);
	if (start_parse(&start, &env) == 0)
		check_start(&start);
	envelope_free(&env);
	return 0;
}

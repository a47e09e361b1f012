/* SPDX-License-Identifier: MIT */
/* What a member seals: bodies of announcements and goodbyes, with a type that anybody may have changed. */
#include "daemon/wire/announce.h"
#include "daemon/wire/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/start.h"

#define NOW	   1767225600
#define PLAIN_MAX  32768
#define FORMAT_MAX 65536

static const uint8_t key[CRYPTO_KEY_LEN] = { 1, 2, 3 };

/* Seals a plaintext as a member would, and opens it again. */
static enum envelope_result pass(struct envelope *out, const char *plain, size_t len)
{
	static const uint8_t nonce[CRYPTO_NONCE_LEN];
	static char datagram[ENVELOPE_DATAGRAM_MAX + 1];
	long n = envelope_seal(datagram, sizeof(datagram), MESSAGE_HELLO, plain, len, nonce, key);

	FUZZ_CHECK(n > 0);
	return envelope_open(out, datagram, (size_t)n, key, NOW);
}

static void check_fields(const struct announcement *a)
{
	FUZZ_CHECK(a->n_routes <= ANNOUNCE_ROUTES_MAX && a->n_known <= ANNOUNCE_PEERS_MAX);
	FUZZ_CHECK(fuzz_is_text(a->self.hostname, sizeof(a->self.hostname)));
	FUZZ_CHECK(fuzz_is_text(a->self.endpoint, sizeof(a->self.endpoint)));
	FUZZ_CHECK(fuzz_is_text(a->self.nat_type, sizeof(a->self.nat_type)));
	for (size_t i = 0; i < a->n_known; i++)
		FUZZ_CHECK(fuzz_is_text(a->known[i].endpoint, sizeof(a->known[i].endpoint)));
}

/* What was understood can be said again, and is understood in the same way. */
static void check_again(const struct announcement *first)
{
	static char plain[FORMAT_MAX];
	struct announcement second;
	struct envelope env;
	long len = announce_format(plain, sizeof(plain), first);

	if (len < 0 || len > PLAIN_MAX)
		return;
	FUZZ_CHECK(pass(&env, plain, (size_t)len) == ENVELOPE_OK);
	FUZZ_CHECK(announce_parse(&second, &env, true) == ANNOUNCE_OK);
	FUZZ_CHECK(memcmp(&second.self.key, &first->self.key, sizeof(second.self.key)) == 0);
	FUZZ_CHECK(strcmp(second.self.hostname, first->self.hostname) == 0);
	FUZZ_CHECK(second.n_routes == first->n_routes && second.n_known <= first->n_known);
	announce_free(&second);
	envelope_free(&env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct announcement a;
	struct envelope env;
	struct wg_key gone;

	if (size > PLAIN_MAX)
		return -1;
	if (pass(&env, (const char *)data, size) != ENVELOPE_OK)
		return 0;
	(void)goodbye_parse(&gone, &env);
	if (announce_parse(&a, &env, false) == ANNOUNCE_OK) {
		check_fields(&a);
		check_again(&a);
		announce_free(&a);
	}
	if (announce_parse(&a, &env, true) == ANNOUNCE_OK) {
		FUZZ_CHECK(a.n_dropped == 0);
		announce_free(&a);
	}
	envelope_free(&env);
	return 0;
}

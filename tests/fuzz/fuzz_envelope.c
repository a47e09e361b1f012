/* SPDX-License-Identifier: MIT */
/* A datagram from anybody: JSON, base64, nonce, seal. */
#include "daemon/wire/envelope.h"
#include "daemon/wire/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/start.h"

#define NOW 1767225600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of the vectors, so that their datagrams are seeds. */
	static const uint8_t key[CRYPTO_KEY_LEN] = {
		0x5f, 0xe1, 0xb0, 0x17, 0x43, 0x06, 0x6a, 0x06, 0x5e, 0xc9, 0x96,
		0x92, 0xc9, 0xa6, 0xa5, 0x6f, 0xf7, 0x68, 0xb6, 0xc5, 0x5d, 0xa7,
		0xdb, 0x3d, 0xa1, 0x3d, 0xc8, 0x93, 0x5f, 0xf6, 0x09, 0x83,
	};
	struct envelope env;
	enum envelope_result r;

	if (size > ENVELOPE_DATAGRAM_MAX)
		return -1;
	r = envelope_open(&env, data, size, key, NOW);
	FUZZ_CHECK(envelope_result_name(r));
	if (r == ENVELOPE_OK) {
		FUZZ_CHECK(env.body && env.timestamp >= NOW - ENVELOPE_MAX_AGE_S);
		FUZZ_CHECK(env.timestamp <= NOW + ENVELOPE_MAX_AGE_S);
		envelope_free(&env);
	}
	return 0;
}

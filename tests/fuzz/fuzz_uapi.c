/* SPDX-License-Identifier: MIT */
/* Answers of a userspace WireGuard. */
#include "daemon/wg/uapi.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

static int on_peer(const struct wg_peer_state *peer, void *arg)
{
	size_t *n = arg;

	FUZZ_CHECK(peer->n_allowed <= WG_ALLOWED_MAX);
	FUZZ_CHECK(peer->endpoint.ip.family == 0 || peer->endpoint.port != 0);
	(*n)++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct uapi_device dev = { 0 };
	uint8_t *exact = malloc(size + !size);
	size_t n = 0;
	int r;

	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	(void)uapi_is_complete(exact, size);
	r = uapi_parse(&dev, on_peer, &n, (const char *)exact, size);
	FUZZ_CHECK(r <= 0);
	free(exact);
	return 0;
}

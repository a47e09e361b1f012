/* SPDX-License-Identifier: MIT */
/*
 * A node of the DHT and what anybody sends it: each datagram has its length before it. The node's random
 * bytes are all "r", so that an answer can have its transaction.
 */
#include "daemon/dht/dhtcore.h"
#include "tests/fuzz/fuzz.h"

#define SENT_MAX 1000

static unsigned int n_sent;

static int on_send(void *arg, const struct endpoint *to, const void *buf, size_t len)
{
	(void)arg;
	(void)buf;
	FUZZ_CHECK(to->port != 0 && len > 0 && len <= KRPC_DATAGRAM_MAX);
	n_sent++;
	return 0;
}

static void on_found(void *arg, const struct endpoint *at)
{
	(void)arg;
	FUZZ_CHECK(at->port != 0 && nodeid_scope(&at->ip) != SCOPE_NONE);
}

static unsigned int on_count_peers(void *arg)
{
	(void)arg;
	return 0;
}

static void on_want_routers(void *arg)
{
	(void)arg;
}

static void on_random(void *arg, void *buf, size_t len)
{
	(void)arg;
	memset(buf, 'r', len);
}

int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	FUZZ_CHECK(crypto_init() == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct secret secret = { .len = 16, .text = "abcdefghijklmnop" };
	const struct dhtcore_config cfg = {
		.ops = { .send = on_send,
			 .found = on_found,
			 .count_peers = on_count_peers,
			 .want_routers = on_want_routers,
			 .random = on_random },
		.secret = &secret,
		.port = 52000,
	};
	struct now now = { .mono_ms = 1000, .unix_s = 1767225600 };
	struct endpoint from = { .ip = { AF_INET, { 10, 0, 0, 1 } }, .port = 6881 };
	struct dhtcore *c = dhtcore_new(&cfg, now);

	FUZZ_CHECK(c);
	n_sent = 0;
	dhtcore_router(c, &from, now);
	(void)dhtcore_run(c, now);
	while (size > 2) {
		size_t len = (size_t)(data[0] | (data[1] & 7) << 8);

		from.ip.b[3] = (uint8_t)(1 + (data[1] >> 3) % 4);
		now.mono_ms += data[1];
		data += 2;
		size -= 2;
		len = len < size ? len : size;
		dhtcore_receive(c, data, len, &from, now);
		FUZZ_CHECK(dhtcore_run(c, now) > now.mono_ms);
		data += len;
		size -= len;
	}
	FUZZ_CHECK(n_sent <= SENT_MAX);
	dhtcore_free(c);
	return 0;
}

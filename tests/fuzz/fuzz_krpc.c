/* SPDX-License-Identifier: MIT */
/* A message of the DHT from anybody: bencode and what is made of it; and the file of DHT nodes. */
#include "daemon/dht/bencode.h"
#include "daemon/dht/krpc.h"
#include "daemon/dht/nodefile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/* What was understood can be written, and is understood again as the same. */
static void check_round_trip(const struct krpc_message *m)
{
	static struct krpc_message again;
	uint8_t buf[KRPC_DATAGRAM_MAX];
	long len = krpc_format(buf, m);

	if (len < 0)
		return;
	FUZZ_CHECK(krpc_parse(&again, buf, (size_t)len) == KRPC_OK);
	FUZZ_CHECK(again.kind == m->kind && again.tid_len == m->tid_len);
	FUZZ_CHECK(memcmp(again.tid, m->tid, m->tid_len) == 0);
	if (m->kind == KRPC_RESPONSE)
		FUZZ_CHECK(again.n_values == m->n_values && again.token_len == m->token_len);
	if (m->kind == KRPC_QUERY)
		FUZZ_CHECK(again.method == m->method && again.port == m->port);
}

static void check_file(const uint8_t *data, size_t size)
{
	static struct krpc_node nodes[NODEFILE_NODES_MAX];
	static uint8_t back[NODEFILE_LEN_MAX];
	size_t n = 0;
	size_t wasted = nodefile_parse(nodes, &n, data, size);

	FUZZ_CHECK(n <= NODEFILE_NODES_MAX && wasted <= size);
	FUZZ_CHECK(wasted + n * NODEFILE_RECORD_LEN == size);
	FUZZ_CHECK(nodefile_format(back, nodes, n) == n * NODEFILE_RECORD_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct krpc_message m;
	struct bencode v;

	if (bencode_parse(&v, data, size) < 0)
		FUZZ_CHECK(v.type == BENCODE_NONE);
	if (krpc_parse(&m, data, size) == KRPC_OK)
		check_round_trip(&m);
	FUZZ_CHECK(m.n_nodes <= KRPC_NODES_MAX && m.n_values <= KRPC_VALUES_MAX);
	FUZZ_CHECK(m.token_len <= KRPC_TOKEN_MAX && m.tid_len <= KRPC_TID_MAX);
	FUZZ_CHECK(fuzz_is_text(m.text, sizeof(m.text)));
	check_file(data, size);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Messages of the DHT, from anybody: what was understood can be said again, and is understood alike. */
#include "daemon/dht/krpc.h"
#include "tests/fuzz/fuzz.h"

static void check_bounds(const struct krpc_message *m)
{
	FUZZ_CHECK(m->tid_len <= KRPC_TID_MAX && m->token_len <= KRPC_TOKEN_MAX);
	FUZZ_CHECK(m->n_nodes <= KRPC_NODES_MAX && m->n_values <= KRPC_VALUES_MAX);
	FUZZ_CHECK(fuzz_is_text(m->text, sizeof(m->text)));
	for (size_t i = 0; i < m->n_values; i++)
		FUZZ_CHECK(m->values[i].ip.family != 0);
}

static void check_again(const struct krpc_message *first)
{
	static struct krpc_message second;
	uint8_t datagram[KRPC_DATAGRAM_MAX];
	long len = krpc_format(datagram, first);

	if (len < 0)
		return;
	(void)krpc_parse(&second, datagram, (size_t)len);
	FUZZ_CHECK(second.kind == first->kind && second.tid_len == first->tid_len);
	FUZZ_CHECK(memcmp(second.tid, first->tid, first->tid_len) == 0);
	FUZZ_CHECK(second.has_id == first->has_id && nodeid_equal(&second.id, &first->id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct krpc_message m;
	uint8_t *exact = malloc(size + !size);

	FUZZ_CHECK(exact);
	memcpy(exact, data, size);
	if (krpc_parse(&m, exact, size) == KRPC_OK) {
		check_bounds(&m);
		check_again(&m);
	}
	free(exact);
	return 0;
}

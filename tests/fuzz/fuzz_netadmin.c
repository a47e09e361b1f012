/* SPDX-License-Identifier: MIT */
/* Batches of changes, as a mesh process that was taken over may send them to netadmin. */
#include "daemon/admin/netadmin.h"
#include "daemon/admin/netadmin_check.h"
#include "tests/fuzz/fuzz.h"

static struct netadmin_batch batch;

static void take_as(uint32_t what)
{
	struct wg_peer_config change;
	struct wg_peer_state state;
	struct wg_key key;
	size_t pos = 0;

	batch.msg.what = what;
	while (netadmin_batch_next_change(&batch, &pos, &change) > 0)
		FUZZ_CHECK(!change.psk && change.n_allowed <= WG_ALLOWED_MAX);
	for (pos = 0; netadmin_batch_next_state(&batch, &pos, &state) > 0;)
		FUZZ_CHECK(state.n_allowed <= WG_ALLOWED_MAX);
	for (pos = 0; netadmin_batch_next_key(&batch, &pos, &key) > 0;)
		FUZZ_CHECK(pos <= batch.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };

	if (size < sizeof(batch.msg.what) || size > sizeof(batch.msg))
		return -1;
	batch.len = size;
	memcpy(batch.msg.bytes, data, size);
	take_as(NETADMIN_PEER_STATES);
	take_as(NETADMIN_PEERS_FAILED);
	take_as(NETADMIN_PEERS);
	if (netadmin_check_peers(&batch, &e) < 0)
		FUZZ_CHECK(e.msg[0] != '\0');
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin.h"
#include "daemon/admin/netadmin_check.h"
#include "tests/helper/wgpeers.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Too large for a stack under a sanitizer. */
static struct netadmin_batch batch;

static void assert_same_change(const struct wg_peer_config *a, const struct wg_peer_config *b)
{
	assert_memory_equal(&a->key, &b->key, sizeof(a->key));
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->keepalive_s, b->keepalive_s);
	assert_true(endpoint_equal(&a->endpoint, &b->endpoint));
	assert_int_equal(a->n_allowed, b->n_allowed);
	for (size_t i = 0; i < a->n_allowed; i++)
		assert_true(prefix_equal(&a->allowed[i], &b->allowed[i]));
}

static void changes_come_out_as_they_went_in(void **state)
{
	struct wg_peer_config *peers = wgpeers_make_all(200);
	struct wg_peer_config out;
	size_t pos = 0;

	(void)state;
	assert_non_null(peers);
	peers[7] = (struct wg_peer_config) { .key = { .b = { 9 } }, .flags = WG_PEER_REMOVE };
	netadmin_batch_begin(&batch, NETADMIN_PEERS);
	assert_true(netadmin_batch_is_empty(&batch));
	for (size_t i = 0; i < 200; i++)
		assert_true(netadmin_batch_put_change(&batch, &peers[i]));
	assert_false(netadmin_batch_is_empty(&batch));
	assert_int_equal(batch.msg.what, NETADMIN_PEERS);
	for (size_t i = 0; i < 200; i++) {
		memset(&out, 0xff, sizeof(out));
		assert_int_equal(netadmin_batch_next_change(&batch, &pos, &out), 1);
		assert_same_change(&out, &peers[i]);
		/* Keys that only netadmin knows do not travel. */
		assert_null(out.psk);
	}
	assert_int_equal(netadmin_batch_next_change(&batch, &pos, &out), 0);
	assert_int_equal(netadmin_batch_next_change(&batch, &pos, &out), 0);
	free(peers);
}

static struct wg_peer_state state_of(uint32_t i)
{
	struct wg_peer_state s = { .keepalive_s = 25, .handshake_s = 1700000000 + i };
	struct wg_peer_config peer;

	wgpeers_make(&peer, i);
	s.key = peer.key;
	s.endpoint = peer.endpoint;
	s.rx_bytes = UINT64_MAX - i;
	s.tx_bytes = i;
	s.n_allowed = peer.n_allowed;
	memcpy(s.allowed, peer.allowed, peer.n_allowed * sizeof(peer.allowed[0]));
	return s;
}

static void states_come_out_as_they_went_in(void **state)
{
	struct wg_peer_state out;
	size_t pos = 0;

	(void)state;
	netadmin_batch_begin(&batch, NETADMIN_PEER_STATES);
	for (uint32_t i = 0; i < 150; i++) {
		struct wg_peer_state in = state_of(i);

		assert_true(netadmin_batch_put_state(&batch, &in));
	}
	for (uint32_t i = 0; i < 150; i++) {
		struct wg_peer_state in = state_of(i);

		assert_int_equal(netadmin_batch_next_state(&batch, &pos, &out), 1);
		assert_memory_equal(&out.key, &in.key, sizeof(in.key));
		assert_true(endpoint_equal(&out.endpoint, &in.endpoint));
		assert_int_equal(out.keepalive_s, in.keepalive_s);
		assert_int_equal(out.handshake_s, in.handshake_s);
		assert_true(out.rx_bytes == in.rx_bytes && out.tx_bytes == in.tx_bytes);
		assert_int_equal(out.n_allowed, in.n_allowed);
		for (size_t j = 0; j < in.n_allowed; j++)
			assert_true(prefix_equal(&out.allowed[j], &in.allowed[j]));
	}
	assert_int_equal(netadmin_batch_next_state(&batch, &pos, &out), 0);
}

static void keys_come_out_as_they_went_in(void **state)
{
	struct wg_key key = { .b = { 1, 2, 3 } };
	struct wg_key out;
	size_t pos = 0;

	(void)state;
	netadmin_batch_begin(&batch, NETADMIN_PEERS_FAILED);
	assert_true(netadmin_batch_put_key(&batch, &key));
	assert_int_equal(netadmin_batch_next_key(&batch, &pos, &out), 1);
	assert_memory_equal(&out, &key, sizeof(key));
	assert_int_equal(netadmin_batch_next_key(&batch, &pos, &out), 0);
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct wg_peer_config peer;
	size_t n = 0;
	size_t len;

	(void)state;
	wgpeers_make(&peer, 2);
	netadmin_batch_begin(&batch, NETADMIN_PEERS);
	while (netadmin_batch_put_change(&batch, &peer))
		n++;
	/* Two addresses, an IPv4 endpoint: a batch nearly has a whole mesh. */
	assert_in_range(n, 900, 1000);
	len = batch.len;
	assert_true(len <= NETADMIN_BATCH_SIZE);
	assert_false(netadmin_batch_put_change(&batch, &peer));
	assert_int_equal(batch.len, len);
	assert_int_equal(netadmin_check_peers(&batch, NULL), 0);
}

/* Every verdict is one of the three, and nothing beyond the end is read: a sanitizer looks on. */
static void walk(const struct netadmin_batch *b)
{
	struct wg_peer_config change;
	struct wg_peer_state peer;
	size_t pos = 0;
	int r;

	while ((r = netadmin_batch_next_change(b, &pos, &change)) > 0)
		assert_true(change.n_allowed <= WG_ALLOWED_MAX && pos <= b->len);
	assert_true(r == 0 || r == -EPROTO);
	pos = 0;
	while ((r = netadmin_batch_next_state(b, &pos, &peer)) > 0)
		assert_true(peer.n_allowed <= WG_ALLOWED_MAX && pos <= b->len);
	assert_true(r == 0 || r == -EPROTO);
}

static size_t fill_small(void)
{
	netadmin_batch_begin(&batch, NETADMIN_PEERS);
	for (uint32_t i = 1; i <= 3; i++) {
		struct wg_peer_config peer;

		wgpeers_make(&peer, i);
		assert_true(netadmin_batch_put_change(&batch, &peer));
	}
	return batch.len;
}

static void a_batch_cut_anywhere_is_refused(void **state)
{
	size_t len = fill_small();
	size_t whole = 0;

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		struct err e = { 0 };

		batch.len = cut;
		walk(&batch);
		/* Between two changes there is nothing to see. */
		whole += netadmin_check_peers(&batch, &e) == 0;
	}
	assert_int_equal(whole, 3);
}

static void a_batch_with_any_byte_changed_is_read_safely(void **state)
{
	static const uint8_t wrong[] = { 0, 1, 2, 10, 0x7f, 0x80, 0xff };
	size_t len = fill_small();

	(void)state;
	for (size_t i = sizeof(batch.msg.what); i < len; i++)
		for (size_t j = 0; j < sizeof(wrong); j++) {
			uint8_t before = batch.msg.bytes[i];

			batch.msg.bytes[i] = wrong[j];
			walk(&batch);
			batch.msg.bytes[i] = before;
		}
	assert_int_equal(netadmin_check_peers(&batch, NULL), 0);
}

static void unknown_flags_and_too_many_prefixes_are_refused(void **state)
{
	struct wg_peer_config peer = { .flags = WG_PEER_REPLACE_ALLOWED << 1 };
	uint16_t n = WG_ALLOWED_MAX + 1;

	(void)state;
	netadmin_batch_begin(&batch, NETADMIN_PEERS);
	assert_true(netadmin_batch_put_change(&batch, &peer));
	assert_int_equal(netadmin_check_peers(&batch, NULL), -EPROTO);
	peer.flags = 0;
	netadmin_batch_begin(&batch, NETADMIN_PEERS);
	assert_true(netadmin_batch_put_change(&batch, &peer));
	assert_int_equal(netadmin_check_peers(&batch, NULL), 0);
	/* The count is the last of a change without prefixes; what follows would do as prefixes. */
	memcpy(batch.msg.bytes + batch.len - sizeof(n), &n, sizeof(n));
	memset(batch.msg.bytes + batch.len, 0, 4000);
	batch.len += 4000;
	assert_int_equal(netadmin_check_peers(&batch, NULL), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_come_out_as_they_went_in),
		cmocka_unit_test(states_come_out_as_they_went_in),
		cmocka_unit_test(keys_come_out_as_they_went_in),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
		cmocka_unit_test(a_batch_cut_anywhere_is_refused),
		cmocka_unit_test(a_batch_with_any_byte_changed_is_read_safely),
		cmocka_unit_test(unknown_flags_and_too_many_prefixes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

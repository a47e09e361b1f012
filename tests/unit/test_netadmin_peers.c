/* SPDX-License-Identifier: MIT */
#include "daemon/admin/netadmin.h"
#include "daemon/admin/netadmin_peers.h"
#include "tests/helper/wgpeers.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#define PEERS 20

static struct netadmin_batch in;
static struct netadmin_batch failed;

/**
 * struct wireguard - One that refuses some peers
 * @bad:	Bits of the peers that are refused
 * @code:	How
 * @has:	Bits of the peers that it has
 * @calls:	How often it was written to
 * @n_told:	Refusals that were told
 * @told:	The last
 */
struct wireguard {
	uint32_t bad;
	int code;
	uint32_t has;
	size_t calls;
	size_t n_told;
	struct err told;
};

/* Up to the first that it refuses, it takes them. */
static int apply(void *arg, const struct wg_changes *changes, struct err *e)
{
	const struct wg_peer_config *p;
	struct wireguard *wg = arg;

	wg->calls++;
	while ((p = changes->next(changes->arg)) != NULL) {
		uint32_t bit = UINT32_C(1) << p->key.b[0];

		assert_memory_equal(p->psk, wgpeers_psk, WG_KEY_LEN);
		if (wg->bad & bit)
			return err_set(e, wg->code, "configure peers of wg0");
		wg->has |= bit;
	}
	return 0;
}

static void refused(void *arg, const struct err *e)
{
	struct wireguard *wg = arg;

	wg->n_told++;
	wg->told = *e;
}

static void write_all(struct wireguard *wg)
{
	const struct netadmin_applier a = {
		.arg = wg, .psk = wgpeers_psk, .apply = apply, .refused = refused
	};

	netadmin_batch_begin(&in, NETADMIN_PEERS);
	for (uint32_t i = 0; i < PEERS; i++) {
		struct wg_peer_config peer;

		wgpeers_make(&peer, i);
		assert_true(netadmin_batch_put_change(&in, &peer));
	}
	netadmin_apply_batch(&in, &a, &failed);
}

/* Bits of the peers that were reported as failed. */
static uint32_t failures(void)
{
	struct wg_key key;
	uint32_t bits = 0;
	size_t pos = 0;

	assert_int_equal(failed.msg.what, NETADMIN_PEERS_FAILED);
	while (netadmin_batch_next_key(&failed, &pos, &key) > 0)
		bits |= UINT32_C(1) << key.b[0];
	return bits;
}

static void a_batch_is_written_at_once(void **state)
{
	struct wireguard wg = { .bad = 0 };

	(void)state;
	write_all(&wg);
	assert_int_equal(wg.calls, 1);
	assert_int_equal(wg.has, (1 << PEERS) - 1);
	assert_true(netadmin_batch_is_empty(&failed));
	assert_int_equal(wg.n_told, 0);
}

static void a_bad_peer_is_named_and_loses_no_other(void **state)
{
	struct wireguard wg = { .bad = 1 << 3 | 1 << 11, .code = -EINVAL };
	char key[45];
	struct wg_peer_config last;

	(void)state;
	write_all(&wg);
	assert_int_equal(wg.calls, 1 + PEERS);
	assert_int_equal(wg.has, ((1 << PEERS) - 1) & ~wg.bad);
	assert_int_equal(failures(), wg.bad);
	assert_int_equal(wg.n_told, 2);
	wgpeers_make(&last, 11);
	assert_non_null(strstr(wg.told.msg, wg_key_format(key, &last.key)));
	assert_non_null(strstr(wg.told.msg, "configure peers of wg0"));
	assert_int_equal(wg.told.code, -EINVAL);
}

static void of_many_bad_peers_all_are_reported_and_a_few_are_told(void **state)
{
	struct wireguard wg = { .bad = (1 << PEERS) - 1, .code = -EINVAL };

	(void)state;
	write_all(&wg);
	assert_int_equal(failures(), wg.bad);
	assert_int_equal(wg.n_told, 4);
}

/* A userspace WireGuard that hangs takes five seconds to be found so: not five for each peer. */
static void when_the_interface_is_gone_nobody_is_tried_twice(void **state)
{
	static const int gone[] = { -ENODEV, -ETIMEDOUT, -ECONNREFUSED, -EPERM };

	(void)state;
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		struct wireguard wg = { .bad = (1 << PEERS) - 1, .code = gone[i] };

		write_all(&wg);
		assert_int_equal(wg.calls, 2);
		assert_int_equal(failures(), wg.bad);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_written_at_once),
		cmocka_unit_test(a_bad_peer_is_named_and_loses_no_other),
		cmocka_unit_test(of_many_bad_peers_all_are_reported_and_a_few_are_told),
		cmocka_unit_test(when_the_interface_is_gone_nobody_is_tried_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
